import json

import pytest
import torch

from recipe.edge_grpo.correction.sessions import SessionCounts
from recipe.edge_grpo.report.__main__ import main
from recipe.edge_grpo.report.page.panel_table import PAGE_PANELS
from recipe.edge_grpo.report.panels import panels_of
from recipe.edge_grpo.report.table import HINT_ROWS, LOSS_ROWS, ROWS
from recipe.edge_grpo.report.verdict import CAUSES, WITHOUT_CONTRAST
from recipe.edge_grpo.settings.choices import Strategy
from recipe.edge_grpo.training_step import metrics as diagnostics
from recipe.edge_grpo.training_step.lost_sessions import session_metrics


def write_run(run_dir, metric="edge_grpo/accuracy/first_pass", num_steps=2):
    run_dir.mkdir(parents=True)
    lines = [json.dumps({"step": step, "data": {metric: step / 10}}) for step in range(1, num_steps + 1)]
    (run_dir / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    return run_dir


def test_a_report_prints_the_table_writes_summary_and_curves_and_names_them(tmp_path, capsys):
    run_dir, output = write_run(tmp_path / "run"), tmp_path / "new" / "output"
    assert main([str(run_dir), "--output", str(output)]) == 0
    printed = capsys.readouterr().out
    summary = (output / "summary.md").read_text()
    table_row = "| accuracy, first pass | 0.100 | 0.200 | 0.150 |"
    assert table_row in printed and table_row in summary
    assert "- run: steps 1 to 2" in summary and "](curves.png)" in summary
    assert str(output / "summary.md") in printed and str(output / "curves.png") in printed
    assert (output / "curves.png").stat().st_size > 0


@pytest.mark.slow
def test_the_table_ends_with_what_limits_the_run_and_of_several_runs_each(tmp_path, capsys):
    runs = [write_run(tmp_path / name, metric="edge_grpo/groups/identical_responses", num_steps=3) for name in "ab"]
    assert main([str(runs[0])]) == 0  # 0.1, 0.2, 0.3
    verdict = "Verdict: 20 % of the groups consist of one response repeated; what helps: "
    assert f"\n\n{verdict}" in capsys.readouterr().out
    assert f"\n\n{verdict}" in (runs[0] / "summary.md").read_text()
    assert main([*map(str, runs)]) == 0
    printed = capsys.readouterr().out
    assert f"a: {verdict}" in printed and f"b: {verdict}" in printed


def test_without_output_the_report_is_written_into_the_first_run_folder(tmp_path):
    first, second = write_run(tmp_path / "first"), write_run(tmp_path / "second")
    assert main([str(first), str(second)]) == 0
    assert (first / "summary.md").exists() and not (second / "summary.md").exists()


def test_runs_whose_folders_have_the_same_name_are_told_apart_by_their_paths(tmp_path, capsys):
    runs = [write_run(tmp_path / "a" / "run"), write_run(tmp_path / "b" / "run")]
    assert main([*map(str, runs)]) == 0
    header = capsys.readouterr().out.splitlines()[0]
    assert f"{runs[0]}: first" in header and f"{runs[1]}: first" in header


def test_a_folder_without_metrics_ends_with_code_1_and_leaves_nothing(tmp_path, capsys):
    output = tmp_path / "output"
    assert main([str(tmp_path), "--output", str(output)]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and "metrics.jsonl" in captured.err
    assert captured.out == "" and not output.exists()


def test_a_truncated_line_is_warned_about_and_the_rest_is_reported(tmp_path, capsys):
    run_dir = write_run(tmp_path / "run")
    with (run_dir / "metrics.jsonl").open("a") as metrics_file:
        metrics_file.write('{"step": 3, "da')
    assert main([str(run_dir)]) == 0
    assert "line 3 of 3" in capsys.readouterr().err


def test_the_report_asks_only_for_metrics_that_training_logs():
    rewards, group_index = torch.tensor([0.0, 1.0, 1.0, 1.0, 1.0]), torch.tensor([0, 0, 1, 1, 1])
    records = [diagnostics.CorrectionRecord(0.0, 0.0, True, strategy=strategy) for strategy in [*Strategy, None]]
    logged = {
        **diagnostics.group_metrics(rewards, rewards, group_index, "before_gec"),
        **diagnostics.group_metrics(rewards, rewards, group_index, "after_gec"),
        **diagnostics.advantage_metrics(rewards, rewards, group_index),
        **diagnostics.entropy_metrics(rewards, rewards),
        **diagnostics.accuracy_metrics(records, rewards),
        **diagnostics.ratio_metrics(rewards, rewards),
        **diagnostics.correction_metrics(records, [False, True, True, True, True]),
        **diagnostics.verify_metrics(records, ["no_box"] * 5),
    }
    of_sessions = session_metrics(SessionCounts(num_groups=1))
    limits = {f"edge_grpo/{limit.metric}" for limit in (*CAUSES, *WITHOUT_CONTRAST)}
    assert limits - logged.keys() - of_sessions.keys() == set()
    assert {metric for _, metric, _ in LOSS_ROWS} - of_sessions.keys() == set()
    asked_for = {metric for _, metric, _ in (*ROWS, *HINT_ROWS)}
    asked_for |= {line.metric for panel in panels_of([]) for line in panel.lines}
    assert asked_for - logged.keys() == {"timing_s/step"}
    on_page = {quantity.metric for panel in PAGE_PANELS for quantity in panel.quantities}
    of_ours = {metric for metric in on_page if metric.startswith("edge_grpo/")}
    known = logged.keys() | of_sessions.keys() | {"edge_grpo/validation/sessions_lost"}
    assert len(of_ours) > 25
    assert {metric for metric in of_ours if not metric.endswith("*")} - known == set()
    for pattern in (metric for metric in of_ours if metric.endswith("*")):
        assert any(metric.startswith(pattern.removesuffix("*")) for metric in known), pattern
