"""What the method costs in a training step: a run of the quickstart, and its own metrics and rollouts."""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

FIRST_STEPS_LEFT_OUT = 1
"""The first step compiles and fills caches."""


def bench_training_step(num_steps: int) -> None:
    """Train the quickstart's tiny policy; print the share of each part in a step, and who got correction tokens."""
    if num_steps <= FIRST_STEPS_LEFT_OUT:
        print("training step: not measured (--training-steps)")
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "recipe.edge_grpo.quickstart", "--steps", str(num_steps)]
        command += ["--output-dir", folder, "trainer.val_before_train=false", "trainer.test_freq=-1"]
        finished = subprocess.run(command, capture_output=True, text=True)
        if finished.returncode:
            sys.exit(f"the training run failed:\n{finished.stdout[-3000:]}{finished.stderr[-3000:]}")
        (run,) = Path(folder).glob("run-*/edge_grpo")
        _print_shares(run)
        _print_correction_tokens(run)


def _print_shares(run: Path) -> None:
    steps = [json.loads(line)["data"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    steps = [step for step in steps if "timing_s/step" in step][FIRST_STEPS_LEFT_OUT:]
    seconds = statistics.median(step["timing_s/step"] for step in steps)
    for name, what in (("entropy", "the entropy-driven advantage"), ("metrics", "the metrics under edge_grpo/")):
        share = statistics.median(step[f"timing_s/edge_grpo_{name}"] / step["timing_s/step"] for step in steps)
        print(f"training step of {seconds:.2f} s: {share:.2%} of it for {what} (medians of {len(steps)} steps)")


def _print_correction_tokens(run: Path) -> None:
    lines = [line for file in (run / "rollouts").glob("*.jsonl") for line in file.read_text().splitlines()]
    responses = [response for response in map(json.loads, lines) if response["first_pass_accuracy"] is not None]
    failed = [response for response in responses if response["first_pass_accuracy"] == 0]
    continued = [response for response in responses if response["tokens_regenerated"]]
    needless = [response for response in continued if response not in failed or response["strategy"] != "reflection"]
    print(
        f"correction: {len(responses)} responses, {len(failed)} failed, {len(continued)} of them continued after a "
        f"reflection with {sum(response['tokens_regenerated'] for response in continued)} tokens; "
        f"{sum(response['tokens_regenerated'] for response in needless)} tokens were generated for others"
    )
