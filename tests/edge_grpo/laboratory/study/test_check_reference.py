"""A run of verl against the recorded ones: which values lie in the band, and what is said where there is none."""

import json

import pytest

from recipe.edge_grpo.laboratory.study.check_reference import compare, main
from recipe.edge_grpo.laboratory.study.records import METRICS_OF_TRAINING, write_records


def test_no_band_goes_beyond_what_a_share_and_an_entropy_can_be(record):
    runs = [
        record("edge_grpo", (0.2, value), seed=seed, engine="verl", entropy=(None, value))
        for seed, value in enumerate((0.1, 0.9))
    ]
    accuracy, entropy = compare(
        [10], {**dict.fromkeys(METRICS_OF_TRAINING, [None]), "accuracy": [1], "entropy": [9]}, runs
    )
    # mean 0.5, s = 0.5657, t of one degree 12.706: 12.706 * 0.5657 * sqrt(1.5) = 8.803
    assert (accuracy.low, accuracy.high) == (0, 1)
    assert (entropy.low, entropy.high) == (0, pytest.approx(9.303, abs=1e-3))


@pytest.fixture
def check(tmp_path, record):
    """check(accuracy, …): the exit code for a run with this accuracy after 10 steps."""
    records = [
        record("edge_grpo", (0.2, value), seed=seed, engine="verl", entropy=(None, 0.5 + seed / 100))
        for seed, value in enumerate((0.49, 0.51, 0.49, 0.51))
    ]
    write_records(tmp_path / "runs.jsonl", [*records, record("edge_grpo", (0.2, 0.9))])

    def check(accuracy, *arguments, step=10, folder="edge_grpo"):
        run = tmp_path / "mine" / folder
        run.mkdir(parents=True, exist_ok=True)
        data = {"val-core/carry/acc/mean@1": accuracy, "edge_grpo/entropy/mean": 0.9}
        (run / "metrics.jsonl").write_text(json.dumps({"step": step, "data": data}) + "\n")
        return main([str(run), "--records", str(tmp_path), *arguments])

    return check


@pytest.mark.parametrize(("accuracy", "exit_code"), [(0.53, 0), (0.55, 1), (0.45, 1)])
def test_an_accuracy_outside_of_the_band_of_one_run_more_fails(check, capsys, accuracy, exit_code):
    assert check(accuracy) == exit_code
    # mean 0.5, s = 0.011547, t of three degrees 3.18245: 3.18245 * 0.011547 * sqrt(1.25) = 0.04108
    verdict = "**outside**" if exit_code else "within"
    printed = capsys.readouterr().out
    assert f"| accuracy | 10 | {accuracy:.3f} | 0.459 | 0.541 | {verdict} |" in printed
    # another curve is shown, and decides nothing
    assert "| entropy | 10 | 0.900 |" in printed and "| **outside** |" in printed
    assert f"{1 - exit_code} of 2 values are within the band of 4 runs" in printed


@pytest.mark.parametrize(
    ("arguments", "options", "named"),
    [
        ((), {"folder": "grpo"}, "has 0 runs of verl with grpo on carry"),
        (("--task", "carry_hard"), {}, "has 0 runs of verl with edge_grpo on carry_hard"),
        ((), {"step": 7}, "no validation in common after step 0"),
        ((), {"step": 0}, "no validation in common after step 0"),
    ],
)
def test_without_runs_to_compare_with_it_says_so(check, capsys, arguments, options, named):
    with pytest.raises(SystemExit):
        check(0.5, *arguments, **options)
    assert named in capsys.readouterr().err


def test_the_method_can_be_named_for_a_folder_of_another_name(check):
    assert check(0.5, "--method", "edge_grpo", folder="run-1") == 0
