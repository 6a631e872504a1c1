"""What a step of training costs: presets over GRPO, overlapped corrections over the authors' way, prefixes found again.

Step time, overlap and growth are measured in runs whose ways take turns (turns.py).
"""

import random
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from measures import Row, Skipped, ratios
from turns import run_turns
from ways import CONFIG, Assets, Size, Step, Way, pairs_of, turns_of

PHASES = ("gen", "old_log_prob", "adv", "update_actor", "update_weights")
QUICK_PRESETS = ("grpo", "eda_only", "edge_grpo", "edge_grpo_contrast")
OTHER_WORK = {
    "dapo": "drops groups and samples others until enough are left",
    "dapo_edge": "drops groups and samples others until enough are left",
    "edge_grpo_paper": "one prompt a step",
    "luffy": "has another loss function, and a run has one",
}
"""{preset: why it takes no turns with GRPO: a step of it is other work, or needs another run}."""

ALL_PRESETS = tuple(dict.fromkeys([*QUICK_PRESETS, *sorted(path.stem for path in (CONFIG / "recipe").glob("*.yaml"))]))
FAILURE_SHARES, QUICK_SHARES = (0.25, 0.5, 0.75), (0.5,)
SIZE_OF_SPEED = 64  # Prompts from which a step is bound by its tokens, and no longer by its longest response.
UNEQUAL_TOKENS = (32, 512)  # log-uniform: one first pass in eight is longer than 362
LARGE_HIDDEN_SIZE = 224  # 1.5 million parameters where the tiny policy has 0.15
NUM_SUPERVISED_STEPS = 400


def measure(folder: Path, is_quick: bool) -> Iterator[Row | Skipped]:
    """Train; yields the rows of each run when it has ended."""
    assets = make_assets(folder)
    if is_quick:
        yield from quick_runs(folder, assets)
    else:
        yield from full_runs(folder, assets)
    yield from two_replicas(folder, assets)


def full_runs(folder: Path, assets: Assets) -> Iterator[Row | Skipped]:
    """All presets and both policies, small steps and large ones."""
    yield from (Skipped(f"step time of {name}", reason) for name, reason in OTHER_WORK.items())
    presets = [Way(name, name) for name in ALL_PRESETS if name not in OTHER_WORK]
    for size, num_rounds in ((Size(8, 8), 7), (Size(64, 8), 3)):
        steps = run_turns(folder / f"steps-{size}", assets, presets, turns_of(presets, num_rounds), size)
        yield from preset_rows(steps, size, "tiny policy")
        ways = overlap_ways()
        steps = run_turns(folder / f"overlap-{size}", assets, ways, turns_of(ways, num_rounds), size)
        yield from overlap_rows(steps, f"Overlap, {size}")
    yield from unequal_lengths(folder, assets, overlap_ways(num_tokens=UNEQUAL_TOKENS))
    large = make_large_policy(folder, assets)
    main_presets = [way for way in presets if way.name in QUICK_PRESETS]
    for size, ways, num_rounds in ((Size(8, 8), presets, 5), (Size(64, 8), main_presets, 3)):
        steps = run_turns(folder / f"large-{size}", large, ways, turns_of(ways, num_rounds), size)
        yield from preset_rows(steps, size, "policy ten times larger")


def unequal_lengths(folder: Path, assets: Assets, ways: Sequence[Way]) -> list[Row]:
    """Return the overlap where a batch waits for a few long first passes, as those of a reasoning model are."""
    size = Size(8, 8, UNEQUAL_TOKENS[1])
    steps = run_turns(folder / "overlap-unequal", assets, ways, turns_of(ways, 3), size)
    return overlap_rows(steps, f"Overlap, {size}, first passes of {UNEQUAL_TOKENS[0]} to {UNEQUAL_TOKENS[1]} tokens")


def quick_runs(folder: Path, assets: Assets) -> Iterator[Row]:
    """One run for step time and overlap, since a run takes longer to start than to measure, and one for long ones."""
    size, presets, ways = Size(8, 8), [Way(name, name) for name in QUICK_PRESETS], overlap_ways(QUICK_SHARES)
    turns = [*turns_of(presets, 9), *turns_of(ways, 3)]
    steps = run_turns(folder / "quick", assets, [*presets, *ways], turns, size)
    yield from preset_rows(steps, size, "tiny policy")
    yield from overlap_rows(steps, f"Overlap, {size}")
    yield from unequal_lengths(folder, assets, overlap_ways(QUICK_SHARES, UNEQUAL_TOKENS))


def make_assets(folder: Path) -> Assets:
    """Make the data and the tiny policy of the quickstart, or find them made."""
    data, model = folder / "data", folder / "model"
    sizes = ("--train-size", "2048", "--test-size", "256")
    _run_module("data_prep.arithmetic", "--task", "carry", *sizes, "--output-dir", str(data))
    build = "recipe.edge_grpo.quickstart.tiny_policy.build"
    _run_module(build, "--task", "carry", "--data-dir", str(data), "--output-dir", str(model))
    return Assets(data / "train.parquet", model)


def make_large_policy(folder: Path, assets: Assets) -> Assets:
    """Make a policy ten times larger by the builder of the tiny one, or find it made."""
    from recipe.edge_grpo.quickstart.tiny_policy.architecture import build_tokenizer, build_untrained_model
    from recipe.edge_grpo.quickstart.tiny_policy.build import PLANS
    from recipe.edge_grpo.quickstart.tiny_policy.supervision import SupervisionPlan, supervise

    model_folder = folder / "large-model"
    if not (model_folder / "config.json").exists():
        tokenizer = build_tokenizer()
        model = build_untrained_model(tokenizer, seed=0, hidden_size=LARGE_HIDDEN_SIZE)
        plan = SupervisionPlan(PLANS["carry"].examples, NUM_SUPERVISED_STEPS, batch_size=32, learning_rate=2e-3)
        supervise(model, tokenizer, plan, set(), random.Random(0))
        tokenizer.save_pretrained(model_folder)
        model.save_pretrained(model_folder)
    return Assets(assets.train, model_folder)


def _run_module(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True, stdout=subprocess.DEVNULL)


def preset_rows(steps: Sequence[Step], size: Size, policy: str) -> list[Row]:
    """Return the step time of each preset over that of GRPO; targets for the method's own."""
    rows, part = [], f"Step time, {size}, {policy}"
    for name in dict.fromkeys(step.way for step in steps if step.way != "grpo" and step.way in ALL_PRESETS):
        pairs = pairs_of(steps, name, "grpo")
        values = ratios((mine.seconds(), base.seconds()) for mine, base in pairs)
        token_share = statistics.median(mine.tokens("correction") / mine.tokens("first") for mine, _ in pairs)
        at_most = {"eda_only": 1.02, "edge_grpo": 1 + token_share}.get(name)
        trained = statistics.median(ratios((_trained(mine), _trained(base)) for mine, base in pairs))
        detail = f"{token_share:.0%} more tokens sampled, {trained - 1:.0%} more trained; {phases_of(pairs)}"
        rows.append(Row(part, f"step, `{name}` / `grpo`", values, at_most=at_most, detail=detail))
    if {"edge_grpo", "edge_grpo_contrast"} <= {step.way for step in steps}:
        pairs = pairs_of(steps, "edge_grpo_contrast", "edge_grpo")
        guarded = [(mine.seconds(), base.seconds()) for mine, base in pairs]
        rows.append(Row(part, "step, `edge_grpo_contrast` / `edge_grpo`", ratios(guarded), at_most=1.05))
        speed = [
            (mine.tokens() / mine.seconds("gen"), base.tokens() / base.seconds("gen"))
            for mine, base in pairs_of(steps, "edge_grpo", "grpo")
        ]
        what = "generated tokens a second of generation, `edge_grpo` / `grpo`"
        rows.append(Row(part, what, ratios(speed), at_least=0.95 if size.num_prompts >= SIZE_OF_SPEED else None))
    return rows


def _trained(step: Step) -> float:
    return step.metrics["response_length/mean"]  # the responses of a step are as many in every way


def phases_of(pairs: Sequence[tuple[Step, Step]]) -> str:
    """Return the median of the ratio of each phase, in words."""
    parts = []
    for phase in PHASES:
        ratio = statistics.median(ratios((mine.seconds(phase), base.seconds(phase)) for mine, base in pairs))
        parts.append(f"{phase} {ratio:.2f}")
    return ", ".join(parts)


def overlap_ways(shares: Sequence[float] = FAILURE_SHARES, num_tokens: tuple[int, int] | None = None) -> list[Way]:
    """Return three ways for each share of failures: no correction, ours, the authors'."""
    return [
        way
        for share in shares
        for way in (
            Way(f"none at {share:.0%}", "grpo", share, num_tokens=num_tokens),
            Way(f"ours at {share:.0%}", "edge_grpo", share, num_tokens=num_tokens),
            Way(f"authors' at {share:.0%}", "edge_grpo", share, is_authors=True, num_tokens=num_tokens),
        )
    ]


def overlap_rows(steps: Sequence[Step], part: str) -> list[Row]:
    """Return tokens and time of corrections made as responses are scored, against the authors' way."""
    rows, names = [], {step.way for step in steps}
    for share in (share for share in FAILURE_SHARES if f"ours at {share:.0%}" in names):
        none, ours, theirs = (f"{who} at {share:.0%}" for who in ("none", "ours", "authors'"))
        beside = list(zip(pairs_of(steps, ours, theirs), pairs_of(steps, ours, none), strict=True))
        tokens = [(_corrections(mine), _corrections(other)) for (mine, other), _ in beside]
        wasted = [_corrections(mine) - mine.metrics["edge_grpo/gec/tokens_regenerated"] for (mine, _), _ in beside]
        added = [
            (mine.seconds("gen") - base.seconds("gen"), other.seconds("gen") - base.seconds("gen"))
            for (mine, other), (_, base) in beside
        ]
        at = f"{share:.0%} failed"
        seconds = " and ".join(f"{statistics.median(column):.2f} s" for column in zip(*added, strict=True))
        whole = statistics.median(base.seconds("gen") for _, (_, base) in beside)
        detail = f"added {seconds} to {whole:.2f} s"
        rows.append(Row(part, f"{at}: correction tokens thrown away", wasted, at_most=0, unit="tokens"))
        rows.append(Row(part, f"{at}: correction tokens, ours / authors'", ratios(tokens)))
        # A difference of two noisy times may be 0 or less: then the ratio of that pair says nothing.
        usable = [pair for pair in added if pair[1] > 0]
        if usable:
            what = f"{at}: time added to generation, ours / authors'"
            rows.append(Row(part, what, ratios(usable), at_most=0.5, detail=detail))
    return rows


def _corrections(step: Step) -> int:
    return step.tokens("correction", "discarded")


def two_replicas(folder: Path, assets: Assets) -> list[Row]:
    """Return how much of a reflection's prompt its replica has cached; blocks of 32 tokens, the least on a CPU."""
    size = Size(8, 4, first_pass_tokens=256)
    way = Way("edge_grpo", "forced_reflection_eda", failure_share=0.5, num_tokens=256)
    overrides = ["trainer.n_gpus_per_node=2", "+actor_rollout_ref.rollout.engine_kwargs.vllm.block_size=32"]
    steps = run_turns(folder / "replicas", assets, [way], turns_of([way], 3), size, *overrides)
    shares = [
        sum(request["cached"] for request in corrections) / sum(request["known"] for request in corrections)
        for step in steps
        if (corrections := [request for request in step.requests if request["kind"] == "correction"])
    ]
    what = "tokens of a response's prefix that its reflection finds cached, of all of them"
    detail = f"first passes of {size.first_pass_tokens} tokens, blocks of 32"
    return [Row("Two replicas", what, shares, at_least=0.9, detail=detail)]
