"""Groups of responses of one step: sampled, graded by the reward of the project, corrected as in a run of verl."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import SimpleNamespace
from typing import Any

from recipe.edge_grpo.correction.candidate import Candidate
from recipe.edge_grpo.correction.corrector import ErrorCorrector
from recipe.edge_grpo.correction.hinted_prompts import HintedPrompts
from recipe.edge_grpo.correction.prompt_group import correct_group
from recipe.edge_grpo.correction.sampling import SessionSampling
from recipe.edge_grpo.correction.strategies import Strategies
from recipe.edge_grpo.laboratory.configuration import LaboratoryConfig
from recipe.edge_grpo.laboratory.policy import BatchingClient, Policy
from recipe.edge_grpo.settings.choices import CorrectionScope
from reward_fns.math_reward import compute_score

Row = Mapping[str, Any]
"""A row of the dataset, as a Parquet file of verl has it."""


@dataclass(frozen=True)
class Sizes:
    """How much is sampled in a step."""

    num_prompts: int = 16
    group_size: int = 8
    max_response_length: int = 128


MAX_BATCHES = 50
"""After so many batches' worth of prompts for one step, the search for groups with contrast ends."""


class NoContrastError(Exception):
    """Too few of the groups that a step may sample have contrast."""


def sample_groups_of_step(
    config: LaboratoryConfig, policy: Policy, sizes: Sizes, rows: Iterator[Row], step: int
) -> list[list[Candidate]]:
    """Return `num_prompts` groups, after correction; where the recipe says so, only such as have contrast.

    As verl's replay buffer does it: two prompts are sampled for each group that was dropped, at most a batch at a time,
    and what is more than a batch in the end is not used. verl searches for ever; here NoContrastError ends the search.
    """
    kept: list[list[Candidate]] = []
    num_wanted, num_sampled = sizes.num_prompts, 0
    while len(kept) < sizes.num_prompts:
        if num_sampled >= MAX_BATCHES * sizes.num_prompts:
            raise NoContrastError(
                f"step {step}: {len(kept)} of {num_sampled} groups have contrast, {sizes.num_prompts} are needed; "
                f"the recipe {config.recipe} needs problems that the policy solves now and then"
            )
        groups = sample_groups(config, policy, sizes, list(islice(rows, num_wanted)), step)
        if not config.replaces_equal_groups:
            return groups
        with_contrast = [group for group in groups if has_contrast(group)]
        kept += with_contrast
        num_sampled += len(groups)
        num_wanted = min(2 * (len(groups) - len(with_contrast)), sizes.num_prompts)
    return kept[: sizes.num_prompts]


def has_contrast(group: Sequence[Candidate]) -> bool:
    """Return whether the rewards of a group differ, as verl's filter asks; a group of one has none to compare with."""
    return len(group) < 2 or len({candidate.output.reward_score for candidate in group}) > 1


def sample_groups(
    config: LaboratoryConfig, policy: Policy, sizes: Sizes, rows: Sequence[Row], step: int
) -> list[list[Candidate]]:
    """Return the responses to each row, after correction where the recipe has it."""
    prompts = [policy.encode_prompt(row["prompt"]) for row in rows for _ in range(sizes.group_size)]
    bound = config.settings.gec.first_pass_max_tokens or sizes.max_response_length
    max_tokens = min(bound, sizes.max_response_length)
    responses = policy.sample(prompts, [max_tokens] * len(prompts))
    corrector = make_corrector(config, policy, sizes)
    return asyncio.run(_grade_and_correct(corrector, sizes, rows, step, prompts, responses, config))


def make_corrector(config: LaboratoryConfig, policy: Policy, sizes: Sizes) -> ErrorCorrector:
    """Return the corrector of the runs in verl, which asks this policy and this reward."""
    eos = frozenset((policy.tokenizer.eos_token_id,))
    strategies = Strategies(config.settings, policy.tokenizer, eos, sizes.max_response_length)
    prompt_length = policy.model.config.max_position_embeddings - sizes.max_response_length
    hinted = HintedPrompts(config.settings.gec, policy.encode_prompt, prompt_length, sizes.max_response_length)
    score, client = scorer(policy, config.reward_kwargs), BatchingClient(policy)
    return ErrorCorrector(config.settings, strategies, hinted, client, score, keeps_first_pass_text=True)


def scorer(policy: Policy, reward_kwargs: Mapping[str, Any]) -> Callable[[Any, Row], Awaitable[None]]:
    """Return what writes the reward into an output, as verl's reward loop does."""

    async def score(output: Any, row: Row) -> None:
        if output.reward_score is not None:
            return
        text = policy.decode(output.response_ids)
        result = await compute_score(row["data_source"], text, row["reward_model"]["ground_truth"], **reward_kwargs)
        output.reward_score = result["score"]
        output.extra_fields["reward_extra_info"] = result

    return score


async def _grade_and_correct(
    corrector: ErrorCorrector,
    sizes: Sizes,
    rows: Sequence[Row],
    step: int,
    prompts: Sequence[list[int]],
    responses: Sequence[list[int]],
    config: LaboratoryConfig,
) -> list[list[Candidate]]:
    candidates = []
    for number, (prompt_ids, response_ids) in enumerate(zip(prompts, responses, strict=True)):
        row, session = rows[number // sizes.group_size], number % sizes.group_size
        of_session = {**row, "global_steps": step, "index": row["extra_info"]["index"], "session_id": session}
        of_session["raw_prompt"] = row["prompt"]  # verl's name for it
        output = SimpleNamespace(
            prompt_ids=prompt_ids, response_ids=response_ids, response_mask=[1] * len(response_ids),
            response_logprobs=None, reward_score=None, extra_fields={}, multi_modal_data=None,
        )  # fmt: skip
        request = {"request_id": f"{of_session['index']}_{session}", "sampling_params": {}}
        sampling = SessionSampling(sizes.group_size, session, None, None, request, first_prompt_length=len(prompt_ids))
        candidates.append(await corrector.score_first_pass(output, of_session, sampling))
    groups = [candidates[start : start + sizes.group_size] for start in range(0, len(candidates), sizes.group_size)]
    gec = config.settings.gec
    if gec.enabled and gec.scope is CorrectionScope.GROUP:
        await asyncio.gather(*(correct_group(corrector, group) for group in groups))
    elif gec.enabled:
        failed = [candidate for candidate in candidates if candidate.is_correctable]
        await asyncio.gather(*(corrector.correct(each, corrector.draw_strategy(each)) for each in failed))
    return groups
