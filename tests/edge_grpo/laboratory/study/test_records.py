"""What is kept of a run: thinned curves, and a file of them."""

import json

import pytest

from recipe.edge_grpo.laboratory.study.records import (
    METRICS_OF_PRETRAINED,
    METRICS_OF_TRAINING,
    read_entries,
    read_records,
    thin,
    write_records,
)

ENTROPY_METRIC = METRICS_OF_TRAINING["entropy"]


def training(step, entropy, num_tokens, **more):
    return step, {ENTROPY_METRIC: entropy, "laboratory/tokens_sampled": num_tokens, **more}


def test_a_curve_has_the_mean_since_the_validation_before_and_tokens_are_summed():
    validation = "val-core/a/acc/mean@1"
    entries = [
        (0, {validation: 0.25}),
        training(1, 0.5, 100),
        training(2, 0.75, 50, **{validation: 0.5, "val-core/b/acc/mean@1": 1.0}),
        training(3, 0.125, 7, **{validation: 1.0}),
    ]
    steps, curves = thin(entries)
    assert steps == [0, 2, 3]
    assert curves["accuracy"] == [0.25, 0.75, 1.0]  # (0.5 + 1.0) / 2 over the data sources
    assert curves["entropy"] == [None, 0.625, 0.125]  # (0.5 + 0.75) / 2
    assert curves["tokens_sampled"] == [0, 150, 157]
    assert curves["equal_rewards_after"] == [None, None, None]


def test_a_run_that_does_not_count_its_tokens_has_none_known_instead_of_zero():
    validation = "val-core/a/acc/mean@1"
    entries = [
        (0, {validation: 0.25}),
        (1, {ENTROPY_METRIC: 0.5, validation: 0.5}),
        training(2, 0.5, 9, **{validation: 1}),
    ]
    _, curves = thin(entries)
    assert curves["tokens_sampled"] == [0, None, None]


def test_a_run_with_a_pretrained_model_keeps_its_first_passes_too():
    validation = {"val-core/a/acc/mean@1": 0.5}
    entries = [(step, {"edge_grpo/accuracy/first_pass": share, **validation}) for step, share in ((0, 0), (1, 0.25))]
    _, curves = thin(entries, METRICS_OF_PRETRAINED)
    assert curves["accuracy_first_pass"] == [None, 0.25]
    assert set(curves) - set(thin(entries)[1]) == {"accuracy_first_pass"}


def test_numbers_have_six_digits_and_nulls_of_verl_are_left_out():
    entries = [training(1, 1 / 3, 1), training(2, None, 1, **{"val-core/a/acc/mean@1": 2 / 3})]
    _, curves = thin(entries)
    assert (curves["entropy"], curves["accuracy"]) == ([0.333333], [0.666667])


def test_lines_of_one_step_are_one_entry(tmp_path):
    lines = [{"step": 1, "data": {"a": 1}}, {"step": 0, "data": {"b": 2}}, {"step": 1, "data": {"c": 3}}]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert read_entries(tmp_path / "metrics.jsonl") == [(0, {"b": 2}), (1, {"a": 1, "c": 3})]


def test_records_are_read_as_they_were_written_in_the_order_of_their_jobs(tmp_path, record):
    path = tmp_path / "folder" / "runs.jsonl"
    records = [record("sft"), record("grpo", seed=1), record("grpo", engine="verl"), record("grpo")]
    write_records(path, records)
    assert read_records(path) == {each.job: each for each in records}
    assert [(job.method, job.seed, job.engine) for job in read_records(path)] == [
        ("grpo", 0, "laboratory"), ("grpo", 0, "verl"), ("grpo", 1, "laboratory"), ("sft", 0, "laboratory"),
    ]  # fmt: skip
    before = path.read_bytes()
    write_records(path, reversed(records))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_without_a_file_there_are_no_records(tmp_path):
    assert read_records(tmp_path / "runs.jsonl") == {}


@pytest.mark.parametrize("line", ['{"job": {"task"', "[]", "{}", '{"job": {"task": "a"}, "origin": {}}'])
def test_a_line_that_is_no_record_is_named(tmp_path, record, line):
    write_records(tmp_path / "runs.jsonl", [record()])
    with (tmp_path / "runs.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match=r"runs.jsonl, line 2: no record of a run"):
        read_records(tmp_path / "runs.jsonl")
