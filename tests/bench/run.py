"""`make bench`: what the plugin costs, as ratios of paired measurements within one run (machines are noisy).

import      `import verl` with the plugin against without it, in alternating fresh processes
advantage   the entropy-driven advantage against verl's own GRPO estimator, on the same tensors
entropy     the mean entropy of the responses against reading its tensors once, at the bandwidth of the same device
step        a training run on the CPU: the share of the method in a step, and who got correction tokens
preparation many problems turned into rows, in seconds and memory
grading     the grader against verl's math_verify, and a batch with hostile answers; only with labelled answers
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from preparation import bench_preparation
from response_entropy import bench_response_entropy
from training_step import bench_training_step
from verifier import bench_verifier

# CPU time: other work on the machine lengthens wall time only.
TIME_IMPORT = "import time; begin = time.process_time(); import verl; print(time.process_time() - begin)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--import-pairs", type=int, default=7)
    parser.add_argument("--advantage-pairs", type=int, default=5)
    parser.add_argument("--training-steps", type=int, default=12, help="of the training run; 0 for none")
    parser.add_argument("--preparation-rows", type=int, default=200_000, help="0 for none")
    parser.add_argument("--grader-cases", type=Path, help="labelled answers, as tests/bench/graders.py describes them")
    parser.add_argument("--grader-rounds", type=int, default=5)
    options = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch {torch.__version__}"
    )
    bench_preparation(options.preparation_rows)  # first: the memory is that of the largest child until then
    bench_import(options.import_pairs)
    for num_responses in (65_536, 1_048_576):
        bench_advantage(num_responses, options.advantage_pairs if num_responses < 1e6 else 1)
    bench_response_entropy(options.advantage_pairs)
    bench_training_step(options.training_steps)
    bench_verifier(options.grader_cases, options.grader_rounds)


def bench_import(num_pairs: int) -> None:
    """Median of `import verl` without the plugin, and the median difference and ratio of the pairs."""
    import_seconds("none")  # fills the disk cache for both
    pairs = [(import_seconds("none"), import_seconds("auto")) for _ in range(num_pairs)]
    without = statistics.median(pair[0] for pair in pairs)
    added = statistics.median(with_plugin - alone for alone, with_plugin in pairs)
    ratio = statistics.median(with_plugin / alone for alone, with_plugin in pairs)
    print(
        f"import verl: {without:.2f} s of CPU without the plugin; with it {ratio:.3f} times that, {added:+.3f} s "
        f"(medians of {num_pairs} pairs)"
    )


def import_seconds(plugins: str) -> float:
    environment = {**os.environ, "VERL_USE_EXTERNAL_PLUGINS": plugins}
    environment.pop("VERL_PLATFORM", None)
    command = [sys.executable, "-W", "ignore", "-c", TIME_IMPORT]
    return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


def bench_advantage(num_responses: int, num_pairs: int, group_size: int = 8, num_tokens: int = 16) -> None:
    """verl's GRPO estimator against ours with the entropy scaling, both as verl calls them."""
    from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

    from recipe.edge_grpo.advantage import entropy_ratio, mean_response_entropy
    from recipe.edge_grpo.training_step.estimator import edge_grpo_advantage, entropy_ratio_for_estimator, group_numbers

    generator = torch.Generator().manual_seed(0)
    token_level_rewards = torch.zeros(num_responses, num_tokens)
    token_level_rewards[:, -1] = torch.randint(0, 2, (num_responses,), generator=generator).float()
    response_mask = torch.ones(num_responses, num_tokens)
    token_entropy = torch.rand(num_responses, num_tokens, generator=generator)
    names = np.array([f"prompt-{row // group_size}" for row in range(num_responses)], dtype=object)

    def ours() -> None:
        ratio = entropy_ratio(mean_response_entropy(token_entropy, response_mask), group_numbers(names), (0.1, 10.0))
        with entropy_ratio_for_estimator(ratio):
            edge_grpo_advantage(token_level_rewards, response_mask, names)

    def verls() -> None:
        compute_grpo_outcome_advantage(token_level_rewards, response_mask, names)

    pairs = [(seconds(verls), seconds(ours)) for _ in range(num_pairs)]
    ratio = statistics.median(theirs / mine for theirs, mine in pairs)
    print(
        f"advantage of {num_responses:,} responses: {statistics.median(pair[1] for pair in pairs):.3f} s with the "
        f"entropy scaling, {ratio:.1f} times faster than verl's GRPO alone (median of {num_pairs})"
    )


def seconds(call: Callable[[], None]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
