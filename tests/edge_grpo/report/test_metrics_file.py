import json
import math

import pytest

from recipe.edge_grpo.report.metrics_file import MetricsFileError, read_metrics


def write_lines(run_dir, *entries, name="metrics.jsonl"):
    """Writes what verl's FileLogger would; text is written as it is."""
    run_dir.mkdir(exist_ok=True)
    lines = [entry if isinstance(entry, str) else json.dumps({"step": entry[0], "data": entry[1]}) for entry in entries]
    (run_dir / name).write_text("\n".join(lines), encoding="utf-8")
    return run_dir


def test_lines_of_one_step_are_merged_and_the_later_value_wins(tmp_path):
    run_dir = write_lines(tmp_path / "run", (1, {"a": 1.0, "b": 1.0}), (2, {"a": 2.0}), (1, {"b": 5.0, "c": 3}))
    run = read_metrics(run_dir)
    assert run.name == "run"
    assert run.values_by_step == {1: {"a": 1.0, "b": 5.0, "c": 3.0}, 2: {"a": 2.0}}
    assert run.complaints == []


def test_a_series_has_only_the_steps_that_logged_the_metric_in_order_of_steps(tmp_path):
    run = read_metrics(write_lines(tmp_path, (3, {"a": 3.0}), (1, {"a": 1.0}), (2, {"b": 2.0})))
    assert run.series("a") == ([1, 3], [1.0, 3.0])
    assert run.series("never logged") == ([], [])


def test_metrics_below_a_prefix_are_listed_once_and_sorted(tmp_path):
    run = read_metrics(
        write_lines(tmp_path, (0, {"val-core/b": 0, "val-core/a": 0}), (5, {"val-core/a": 1, "other": 1}))
    )
    assert run.metrics_below("val-core/") == ["val-core/a", "val-core/b"]


def test_values_that_are_no_finite_number_are_left_out(tmp_path):
    line = '{"step": 1, "data": {"null": null, "nan": NaN, "infinite": Infinity, "text": "x", "flag": true, "good": 2}}'
    values = read_metrics(write_lines(tmp_path, line)).values_by_step[1]
    assert values == {"good": 2.0}
    assert all(map(math.isfinite, values.values()))


def test_a_truncated_last_line_is_skipped_and_reported_with_its_number(tmp_path):
    run = read_metrics(write_lines(tmp_path, (1, {"a": 1.0}), '{"step": 2, "data": {"a": 2'))
    assert run.values_by_step == {1: {"a": 1.0}}
    (complaint,) = run.complaints
    assert "line 2 of 2" in complaint and "not a complete JSON object" in complaint


def test_a_file_that_ends_in_half_a_character_is_read(tmp_path):
    (tmp_path / "metrics.jsonl").write_bytes(b'{"step": 1, "data": {"a": 1}}\n{"step": 2, "data": {"\xe2\x82')
    run = read_metrics(tmp_path)
    assert list(run.values_by_step) == [1]
    assert "line 2 of 2" in run.complaints[0]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("[1, 2]", "not of the form"),
        ('{"step": 2}', "not of the form"),
        ('{"step": "2", "data": {}}', "not a whole number"),
        ('{"step": true, "data": {}}', "not a whole number"),
    ],
)
def test_a_line_of_another_form_is_skipped_with_what_is_wrong_with_it(tmp_path, line, complaint):
    run = read_metrics(write_lines(tmp_path, line, (1, {"a": 1.0})))
    assert list(run.values_by_step) == [1]
    assert "line 1 of 2" in run.complaints[0] and complaint in run.complaints[0]


def test_a_missing_file_is_an_error_that_says_which_folder_to_give(tmp_path):
    with pytest.raises(MetricsFileError, match=r"metrics\.jsonl cannot be read .*Give the folder of a run"):
        read_metrics(tmp_path)


@pytest.mark.parametrize("content", ["", "\n\n", "{"])
def test_a_file_without_any_step_is_an_error(tmp_path, content):
    with pytest.raises(MetricsFileError, match="holds no step of a run"):
        read_metrics(write_lines(tmp_path, content))


def test_a_resumed_run_has_the_steps_of_its_earlier_starts_up_to_where_it_took_over(tmp_path):
    # The first start logged steps 1 to 4 and the second went on from the checkpoint of step 3: its step 4 counts.
    write_lines(tmp_path, *((step, {"a": float(step)}) for step in range(1, 5)), name="metrics.1.jsonl")
    write_lines(tmp_path, (3, {"validation": 0.5}), (4, {"a": 40.0}), (5, {"a": 50.0}))
    run = read_metrics(tmp_path)
    assert run.series("a") == ([1, 2, 3, 4, 5], [1.0, 2.0, 3.0, 40.0, 50.0])
    assert run.series("validation") == ([3], [0.5])


def test_earlier_starts_are_put_together_in_order_of_their_numbers(tmp_path):
    for number in range(1, 12):
        write_lines(tmp_path, (number, {"a": float(number)}), (number + 1, {"a": -1.0}), name=f"metrics.{number}.jsonl")
    write_lines(tmp_path, (12, {"a": 12.0}))
    # Each start logged one step and began another, which the next start did again: no -1 is left.
    assert read_metrics(tmp_path).series("a") == (list(range(1, 13)), [float(step) for step in range(1, 13)])


@pytest.mark.parametrize("first_step", [0, 1])
def test_a_run_that_started_over_shows_nothing_of_an_earlier_one_in_its_folder(tmp_path, first_step):
    write_lines(tmp_path, (0, {"old": 1.0}), (1, {"old": 1.0}), (9, {"old": 1.0}), name="metrics.1.jsonl")
    write_lines(tmp_path, (first_step, {"a": 1.0}), (2, {"a": 2.0}))
    assert read_metrics(tmp_path).series("old") == ([], [])


def test_an_earlier_start_that_logged_nothing_is_passed_over(tmp_path):
    write_lines(tmp_path, (1, {"a": 1.0}), name="metrics.1.jsonl")
    write_lines(tmp_path, "", name="metrics.2.jsonl")
    write_lines(tmp_path, (2, {"a": 2.0}))
    assert read_metrics(tmp_path).series("a") == ([1, 2], [1.0, 2.0])
