"""Guided error correction while sampling: verl's agent-loop worker and manager, extended.

The worker sees everything that correction needs: whether it is validation, the dataset row, the policy's server, the
tokenizer and the reward workers. Each failed response is corrected as soon as it has been scored, without waiting for
the rest of its group, and is then scored again by verl itself.
"""

import dataclasses
import logging
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

import ray
from verl.experimental.agent_loop import AgentLoopOutput
from verl.trainer.ppo.v1.agent_loop_tq import AgentLoopManagerTQ, AgentLoopWorkerTQ

from recipe.edge_grpo.checks import read_settings
from recipe.edge_grpo.correction import (
    CorrectedResponse,
    ResponseTokens,
    Strategy,
    answer_text,
    append_answer,
    append_reflection,
    draw_strategy,
    is_failed,
    replace_by_solution,
)
from recipe.edge_grpo.diagnostics import RECORD_KEY, CorrectionRecord, Skipped, verify_status_of

logger = logging.getLogger(__name__)

# The sampling parameters reach `_run_agent_loop` and are needed in `_agent_loop_postprocess`; each session is a task of
# its own, hence has its own value.
_sampling_params: ContextVar[dict[str, Any]] = ContextVar("sampling_params")


class EdgeGRPOAgentLoopWorker(AgentLoopWorkerTQ.__ray_actor_class__):  # type: ignore[name-defined]
    """Corrects failed training responses before verl stores them; validation passes through untouched."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Not removable: Ray cannot create an actor of a class derived from another actor's without its own __init__.
        super().__init__(*args, **kwargs)
        self.edge_grpo_settings = read_settings(self.config)
        self.eos_token_ids = _eos_token_ids(self.model_config)

    async def _run_agent_loop(self, sampling_params: dict[str, Any], trajectory: dict[str, Any], **kwargs: Any) -> Any:
        settings = self.edge_grpo_settings.gec
        if settings.enabled and settings.first_pass_max_tokens is not None and not trajectory["validate"]:
            sampling_params = {**sampling_params, "max_tokens": settings.first_pass_max_tokens}
        _sampling_params.set(sampling_params)
        return await super()._run_agent_loop(sampling_params, trajectory=trajectory, **kwargs)

    async def _agent_loop_postprocess(
        self, output: AgentLoopOutput | list[AgentLoopOutput], validate: bool, **kwargs: Any
    ) -> None:
        # An agent loop with several outputs a session has no single response to correct.
        if self.edge_grpo_settings.gec.enabled and not validate and isinstance(output, AgentLoopOutput):
            await self._correct(output, kwargs)
        await super()._agent_loop_postprocess(output, validate, **kwargs)

    async def _correct(self, output: AgentLoopOutput, row: dict[str, Any]) -> None:
        """Score the response; if it failed, replace it in place by a corrected one that verl will score again."""
        await self._compute_score([output], kwargs=row)
        accuracy = self._accuracy(output)
        record = CorrectionRecord(
            first_pass_reward=float(output.reward_score),
            first_pass_accuracy=accuracy,
            first_pass_verify_status=verify_status_of(output.extra_fields),
        )
        if is_failed(accuracy):
            record, corrected = await self._corrected(record, output, row)
            if corrected is not None:
                _write_back(output, corrected.tokens)
        output.extra_fields[RECORD_KEY] = dataclasses.asdict(record)

    def _accuracy(self, output: AgentLoopOutput) -> float:
        """Accuracy of a scored response; its reward where the reward function reports no accuracy."""
        key = self.edge_grpo_settings.gec.accuracy_key
        return float((output.extra_fields.get("reward_extra_info") or {}).get(key, output.reward_score))

    async def _corrected(
        self, record: CorrectionRecord, output: AgentLoopOutput, row: dict[str, Any]
    ) -> tuple[CorrectionRecord, CorrectedResponse | None]:
        """The record of what was done, and the corrected response; None where the response is kept."""
        settings = self.edge_grpo_settings.gec
        if settings.max_prompt_tokens is not None and len(output.prompt_ids) > settings.max_prompt_tokens:
            return dataclasses.replace(record, skipped=Skipped.PROMPT_TOO_LONG), None
        strategy = draw_strategy(
            settings.probabilities,
            self.edge_grpo_settings.seed,
            int(row["global_steps"]),
            row.get("index", 0),
            int(row["session_id"]),
        )
        solution = (row.get("extra_info") or {}).get("solution")
        if strategy is Strategy.SOLUTION and not solution:
            strategy, record = Strategy.ANSWER, dataclasses.replace(record, answer_for_missing_solution=True)
        response = ResponseTokens(
            list(output.response_ids),
            list(output.response_mask),
            None if output.response_logprobs is None else list(output.response_logprobs),
        )
        corrected = self._composed(strategy, response, row["reward_model"]["ground_truth"], solution)
        if corrected is None:
            return dataclasses.replace(record, skipped=Skipped.NO_ROOM), None
        tokens_regenerated = 0
        if strategy is Strategy.REFLECTION:
            continuation = await self._continuation(output, corrected.tokens)
            if continuation is None:
                return dataclasses.replace(record, skipped=Skipped.GENERATION_FAILED), None
            tokens_regenerated = len(continuation.ids)
            corrected = dataclasses.replace(corrected, tokens=corrected.tokens + continuation)
        return dataclasses.replace(
            record,
            strategy=strategy,
            injected_start=corrected.injected_start,
            injected_end=corrected.injected_end,
            tokens_regenerated=tokens_regenerated,
        ), corrected

    def _composed(
        self, strategy: Strategy, response: ResponseTokens, ground_truth: Any, solution: str | None
    ) -> CorrectedResponse | None:
        """The corrected tokens, up to where the policy has to continue; None if they do not fit."""
        settings, length = self.edge_grpo_settings.gec, self.rollout_config.response_length
        eos = self.tokenizer.eos_token_id
        match strategy:
            case Strategy.REFLECTION:
                return append_reflection(response, self._encode(settings.reflection_text), self.eos_token_ids, length)
            case Strategy.ANSWER:
                answer = ground_truth[0] if isinstance(ground_truth, list | tuple) else ground_truth
                text_ids = self._encode(answer_text(settings.answer_text, str(answer)))
                return append_answer(response, text_ids, eos, self.eos_token_ids, length)
            case Strategy.SOLUTION:
                return replace_by_solution(response, self._encode(str(solution)), eos, length)

    def _encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False)

    async def _continuation(self, output: AgentLoopOutput, prefix: ResponseTokens) -> ResponseTokens | None:
        """What the policy samples after the reflection text; None if the server fails, so that no group is lost."""
        room = self.rollout_config.response_length - len(prefix.ids)
        max_tokens = min(self.edge_grpo_settings.gec.max_new_tokens, room)
        try:
            generated = await self.llm_client.generate(
                request_id=uuid4().hex,
                prompt_ids=list(output.prompt_ids) + prefix.ids,
                sampling_params={**_sampling_params.get(), "max_tokens": max_tokens},
            )
        except Exception:
            # A boundary on purpose: the server may refuse a request (context length) or fail, and the first pass is
            # still a valid sample. The record counts it and the log has the cause.
            logger.exception("correction by reflection failed; the first-pass response is kept")
            return None
        if not generated.token_ids:
            return None
        # In an asynchronous trainer newer weights may have written the continuation.
        newest = generated.extra_fields.get("max_global_steps")
        if newest is not None and output.extra_fields.get("max_global_steps") is not None:
            output.extra_fields["max_global_steps"] = max(newest, output.extra_fields["max_global_steps"])
        ids = list(generated.token_ids)[:max_tokens]
        log_probs = None if generated.log_probs is None else list(generated.log_probs)[:max_tokens]
        return ResponseTokens(ids, [1] * len(ids), log_probs)


class EdgeGRPOAgentLoopManager(AgentLoopManagerTQ):
    """verl's agent-loop manager with workers that correct."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.agent_loop_workers_class = ray.remote(EdgeGRPOAgentLoopWorker)


def _write_back(output: AgentLoopOutput, tokens: ResponseTokens) -> None:
    output.response_ids = tokens.ids
    output.response_mask = tokens.mask
    output.response_logprobs = tokens.log_probs
    output.reward_score = None  # verl scores what has no score
    output.extra_fields.pop("reward_extra_info", None)


def _eos_token_ids(model_config: Any) -> frozenset[int]:
    """Every token id that ends a response: the tokenizer's EOS and those of the generation config."""
    eos_token_ids = {model_config.tokenizer.eos_token_id}
    configured = getattr(getattr(model_config, "generation_config", None), "eos_token_id", None)
    if configured is not None:
        eos_token_ids.update(configured if isinstance(configured, list | tuple) else [configured])
    return frozenset(eos_token_ids)
