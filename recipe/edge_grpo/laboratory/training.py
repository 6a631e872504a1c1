"""Trains one policy with one recipe: rollout, update, metrics, and validation on the greedy response."""

import json
import random
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from recipe.edge_grpo.laboratory.configuration import LaboratoryConfig
from recipe.edge_grpo.laboratory.policy import Policy
from recipe.edge_grpo.laboratory.rollout import NoContrastError, Row, Sizes, sample_groups_of_step
from recipe.edge_grpo.laboratory.supervised import supervised_loss
from recipe.edge_grpo.laboratory.update import make_update
from recipe.edge_grpo.names import METRICS_FILE
from reward_fns.math_reward import grade

ENDS_EARLY = "laboratory/ends_early"
"""The metric of the step at which a run ended before its last one."""


@dataclass(frozen=True)
class TrainingPlan:
    """How long and how fast; optimizer as verl's defaults, but for the learning rate of a tiny policy."""

    num_steps: int
    seed: int = 0
    learning_rate: float = 3e-4
    validates_every: int = 10
    sizes: Sizes = Sizes()


def read_rows(path: Path) -> list[Row]:
    """Read the rows of a Parquet file of verl."""
    rows: list[Row] = pyarrow.parquet.read_table(path).to_pylist()
    return rows


def load_policy(folder: Path) -> Policy:
    """Load model and tokenizer of a folder, in float32; where it has no token for padding, EOS pads."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    return Policy(model.eval(), tokenizer)


def train(
    config: LaboratoryConfig | None,
    policy: Policy,
    train_rows: Sequence[Row],
    val_rows: Sequence[Row],
    plan: TrainingPlan,
    run_folder: Path,
) -> dict[int, dict[str, float]]:
    """Train the policy in place; returns {step: metrics}, which are in `run_folder/metrics.jsonl` too.

    The same arguments give the same numbers on one machine. `edge_grpo.seed` decides what is drawn in correction, the
    plan's seed the order of the rows and what is sampled. Without a `config`, the policy learns the reference solutions
    of the same rows. Where a recipe that trains on groups with contrast alone finds too few, the run ends at that step
    with the policy as it is: no later step could change it.
    """
    run_folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(plan.seed)
    optimizer = torch.optim.AdamW(policy.model.parameters(), lr=plan.learning_rate, weight_decay=0.01)
    rows = draw_rows(train_rows, plan.sizes.num_prompts, plan.seed)
    history = {0: validate(policy, val_rows, plan.sizes)}
    with (run_folder / METRICS_FILE).open("w", encoding="utf-8") as file:
        _write(file, 0, history[0])
        for step in range(1, plan.num_steps + 1):
            begin = time.monotonic()
            metrics = _train_one_step(config, policy, optimizer, rows, plan, step)
            metrics["timing_s/step"] = time.monotonic() - begin
            if step % plan.validates_every == 0 or step == plan.num_steps or ENDS_EARLY in metrics:
                metrics |= validate(policy, val_rows, plan.sizes)
            history[step] = metrics
            _write(file, step, metrics)
            if ENDS_EARLY in metrics:
                break
    return history


def _train_one_step(
    config: LaboratoryConfig | None,
    policy: Policy,
    optimizer: torch.optim.Optimizer,
    rows: Iterator[Row],
    plan: TrainingPlan,
    step: int,
) -> dict[str, float]:
    num_tokens_before, metrics = policy.num_sampled_tokens, {}
    try:
        if config is None:
            loss = supervised_loss(policy, list(islice(rows, plan.sizes.num_prompts)))
        else:
            groups = sample_groups_of_step(config, policy, plan.sizes, rows, step)
            update = make_update(config, policy, groups, plan.sizes.max_response_length)
            loss, metrics = update.loss, update.metrics
        metrics |= _follow(loss, policy, optimizer)
    except NoContrastError as error:
        print(f"the run ends early: {error}", file=sys.stderr)
        metrics = {ENDS_EARLY: 1.0}
    return {**metrics, "laboratory/tokens_sampled": policy.num_sampled_tokens - num_tokens_before}


def _follow(loss: torch.Tensor, policy: Policy, optimizer: torch.optim.Optimizer) -> dict[str, float]:
    """Take one step of the optimizer."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    grad_norm = torch.nn.utils.clip_grad_norm_(policy.model.parameters(), 1.0)
    optimizer.step()
    return {"actor/pg_loss": loss.item(), "actor/grad_norm": grad_norm.item()}


def validate(policy: Policy, rows: Sequence[Row], sizes: Sizes) -> dict[str, float]:
    """Return the accuracy of the greedy responses, by data source, under the names of verl."""
    prompts = [policy.encode_prompt(row["prompt"]) for row in rows]
    responses = policy.sample(prompts, [sizes.max_response_length] * len(prompts), is_greedy=True)
    by_source: dict[str, list[float]] = {}
    for row, response in zip(rows, responses, strict=True):
        text = policy.decode(response)
        by_source.setdefault(row["data_source"], []).append(grade(text, row["reward_model"]["ground_truth"]))
    return {f"val-core/{source}/acc/mean@1": sum(right) / len(right) for source, right in by_source.items()}


def validation_accuracy(metrics: Mapping[str, float]) -> float:
    """Return the accuracy of a validation, a mean over the data sources; raises ValueError if there is none.

    >>> validation_accuracy({"val-core/a/acc/mean@1": 0.5, "val-core/b/acc/mean@1": 1.0, "actor/grad_norm": 3.0})
    0.75
    """
    return statistics.fmean(value for name, value in metrics.items() if name.startswith("val-core/"))


def draw_rows(rows: Sequence[Row], num_prompts: int, seed: int) -> Iterator[Row]:
    """Yield rows for ever: whole batches of all rows in an order drawn for each epoch, what is left over dropped.

    Raises ValueError if there are fewer rows than a batch takes.
    """
    if len(rows) < num_prompts:
        raise ValueError(f"{len(rows)} training rows, and a step takes {num_prompts}")
    rng = random.Random(f"order {seed}")
    while True:
        order = rng.sample(range(len(rows)), len(rows))
        for number in order[: len(rows) - len(rows) % num_prompts]:
            yield rows[number]


def _write(file: Any, step: int, metrics: dict[str, float]) -> None:
    file.write(json.dumps({"step": step, "data": metrics}) + "\n")
    file.flush()
