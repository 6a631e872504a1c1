"""What the quickstart says a run has learned, from its validations."""

import json

from recipe.edge_grpo.quickstart.learning import progress_of


def test_the_first_and_the_last_validation_of_a_run_are_told(tmp_path):
    run_folder = tmp_path / "edge_grpo"
    run_folder.mkdir()
    steps = [
        (0, {"val-core/carry/acc/mean@1": 0.5, "val-aux/carry/score/mean@1": 0.1}),
        (1, {"actor/grad_norm": 1.0}),
        (10, {"val-core/carry/acc/mean@1": 0.625}),
        (20, {"actor/grad_norm": 1.0, "val-core/carry/acc/mean@1": 0.75}),
    ]
    lines = [json.dumps({"step": step, "data": data}) for step, data in steps]
    (run_folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    assert progress_of(run_folder, 256) == (
        "  edge_grpo: 0.500 [0.439, 0.561] after 0 steps -> 0.750 [0.694, 0.799] after 20 steps"
    )


def test_a_run_without_a_validation_says_so(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "data": {"actor/grad_norm": 1.0}}\n')
    assert progress_of(tmp_path, 256) == f"  {tmp_path.name}: no validation"
