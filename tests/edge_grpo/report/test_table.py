from recipe.edge_grpo.report.metrics_file import RunMetrics
from recipe.edge_grpo.report.table import ROWS, table_of_runs


def cells_by_quantity(table):
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {row[0]: row[1:] for row in rows}


def test_a_single_run_has_first_last_and_mean():
    steps = {
        1: {"edge_grpo/accuracy/first_pass": 0.25, "edge_grpo/entropy/mean": 1.5, "edge_grpo/gec/answer": 7},
        2: {"edge_grpo/accuracy/first_pass": 0.9},
        3: {"edge_grpo/accuracy/first_pass": 0.375, "edge_grpo/entropy/mean": 1.0, "edge_grpo/gec/answer": 10},
    }
    cells = cells_by_quantity(table_of_runs([RunMetrics("run", steps)]))
    assert cells["quantity"] == ["first", "last", "mean"]
    assert cells["accuracy, first pass"] == ["0.250", "0.375", "0.508"]  # (0.25 + 0.9 + 0.375) / 3
    assert cells["entropy, all responses"] == ["1.500", "1.000", "1.250"]  # (1.5 + 1) / 2: step 2 did not log it
    assert cells["corrected by answer"] == ["7", "10", "8.5"]  # (7 + 10) / 2


def test_first_and_last_are_those_of_the_steps_that_logged_the_quantity():
    # No response was correct in steps 1 and 4, so their entropy is not logged.
    logged = {2: 0.5, 3: 0.75}
    steps = {step: {"edge_grpo/entropy/correct": logged[step]} if step in logged else {} for step in range(1, 5)}
    cells = cells_by_quantity(table_of_runs([RunMetrics("run", steps)]))
    assert cells["entropy, correct responses"] == ["0.500", "0.750", "0.625"]  # (0.5 + 0.75) / 2


def test_several_runs_have_three_columns_each_and_a_dash_for_what_one_did_not_log():
    with_correction = RunMetrics(
        "edge", {1: {"timing_s/step": 20.04, "edge_grpo/gec/answer": 3}, 2: {"timing_s/step": 2.0}}
    )
    without = RunMetrics("grpo", {1: {"timing_s/step": 18.0}, 2: {"timing_s/step": 1.96}})
    cells = cells_by_quantity(table_of_runs([with_correction, without]))
    assert cells["quantity"] == [f"{run}: {column}" for run in ("edge", "grpo") for column in ("first", "last", "mean")]
    assert cells["seconds per step"] == ["20.0", "2.0", "11.0", "18.0", "2.0", "10.0"]
    assert cells["corrected by answer"] == ["3", "3", "3", "–", "–", "–"]


def test_quantities_that_no_run_logged_have_no_row():
    cells = cells_by_quantity(table_of_runs([RunMetrics("run", {1: {"timing_s/step": 1.0}})]))
    assert list(cells)[2:] == ["seconds per step"]


def test_every_validation_metric_has_a_row():
    run = RunMetrics(
        "run", {0: {"val-core/a/acc/mean@1": 0.1, "val-core/b/acc/mean@1": 0.2}, 5: {"val-core/a/acc/mean@1": 0.4}}
    )
    cells = cells_by_quantity(table_of_runs([run]))
    assert cells["validation, a/acc/mean@1"] == ["0.100", "0.400", "0.250"]
    assert cells["validation, b/acc/mean@1"] == ["0.200", "0.200", "0.200"]


def test_all_lines_of_the_table_are_equally_wide():
    run = RunMetrics("a run with a long name", {1: {metric: 12345.678 for _, metric, _ in ROWS}})
    assert len({len(line) for line in table_of_runs([run, run]).splitlines()}) == 1


def test_lost_responses_have_rows_if_any_was_lost_and_none_otherwise():
    lost = {"edge_grpo/sessions_lost_reward": 3.0, "edge_grpo/sessions_lost_generation": 0, "timing_s/step": 1.0}
    cells = cells_by_quantity(
        table_of_runs([RunMetrics("run", {1: lost, 2: lost | {"edge_grpo/sessions_lost_reward": 0}})])
    )
    assert cells["responses lost, reward"] == ["3", "0", "1.5"]
    assert "responses lost, generation" not in cells
    none_lost = dict.fromkeys(lost, 0)
    assert not [
        name for name in cells_by_quantity(table_of_runs([RunMetrics("run", {1: none_lost})])) if "lost" in name
    ]


def test_hints_have_rows_if_there_were_any_and_none_otherwise():
    hinted = {
        "edge_grpo/gec/hint": 16,
        "edge_grpo/gec/hint_success_rate": 0.25,
        "edge_grpo/gec/hint_without_success": 0,
    }
    cells = cells_by_quantity(table_of_runs([RunMetrics("run", {1: hinted, 2: hinted | {"edge_grpo/gec/hint": 8}})]))
    assert cells["sampled again under a hint"] == ["16", "8", "12"]
    assert cells["success rate of hint"] == ["0.250", "0.250", "0.250"]
    assert "groups that no hint helped" not in cells
    none = {"edge_grpo/gec/hint": 0, "edge_grpo/gec/hint_without_success": 0, "timing_s/step": 1.0}
    assert not [name for name in cells_by_quantity(table_of_runs([RunMetrics("run", {1: none})])) if "hint" in name]
