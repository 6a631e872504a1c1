"""Guided error correction while sampling: verl's agent-loop worker and manager, extended.

The worker sees everything that correction needs: whether it is validation, the dataset row, the policy's server, the
tokenizer and the reward workers. With `scope: response` each failed response is corrected as soon as it has been
scored, without waiting for the rest of its group; with `scope: group` once all responses of its prompt have been.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import ray
from verl.experimental.agent_loop import AgentLoopOutput
from verl.trainer.ppo.v1.agent_loop_tq import AgentLoopManagerTQ, AgentLoopWorkerTQ

from recipe.edge_grpo.correction.candidate import Candidate
from recipe.edge_grpo.correction.corrector import ErrorCorrector
from recipe.edge_grpo.correction.draws import place_of_row
from recipe.edge_grpo.correction.hinted_prompts import HintedPrompts
from recipe.edge_grpo.correction.prompt_group import PromptGroup, correct_group
from recipe.edge_grpo.correction.record import read_record, record_of_score, write_record
from recipe.edge_grpo.correction.sampling import (
    NotingClient,
    SessionSampling,
    current_session,
    should_seed_responses,
)
from recipe.edge_grpo.correction.sessions import SampledGroup, SessionCounts
from recipe.edge_grpo.correction.strategies import Strategies
from recipe.edge_grpo.settings.block import read_settings
from recipe.edge_grpo.settings.choices import CorrectionScope

# The group's size reaches `_run_prompt` alone, and the group is needed in `_agent_loop_postprocess`; the sessions of a
# prompt are tasks that inherit both.
_group_size: ContextVar[int] = ContextVar("group_size")
_prompt_group: ContextVar[PromptGroup | None] = ContextVar("prompt_group", default=None)
_sampled_group: ContextVar[SampledGroup | None] = ContextVar("sampled_group", default=None)


class EdgeGRPOAgentLoopWorker(AgentLoopWorkerTQ.__ray_actor_class__):
    """Corrects failed training responses before verl stores them; validation passes through untouched."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Not removable: Ray cannot create an actor of a class derived from another actor's without its own __init__.
        super().__init__(*args, **kwargs)
        self.edge_grpo_settings = read_settings(self.config)
        self.should_seed = should_seed_responses(self.config, self.edge_grpo_settings)
        self.sessions = _counts_of_training_and_validation()
        strategies = Strategies(
            self.edge_grpo_settings,
            self.tokenizer,
            _eos_token_ids(self.model_config),
            self.rollout_config.response_length,
        )
        hinted_prompts = HintedPrompts(
            self.edge_grpo_settings.gec,
            self._encode_messages,
            self.rollout_config.prompt_length,
            self.rollout_config.response_length,
        )
        self.corrector = ErrorCorrector(
            self.edge_grpo_settings,
            strategies,
            hinted_prompts,
            self.llm_client,
            lambda output, row: self._compute_score([output], kwargs=row),
            keeps_first_pass_text=bool(self.config.trainer.get("rollout_data_dir")),
        )
        self.llm_client = NotingClient(self.llm_client)  # for agent loops

    async def _run_prompt(
        self, prompt: dict[str, Any], sampling_params: dict[str, Any], trajectory: dict[str, Any], trace: bool = False
    ) -> None:
        settings = self.edge_grpo_settings.gec
        if not trajectory["validate"]:
            num_sessions = prompt.get("__rollout_n__", self.rollout_config.n)  # as verl chooses it
            _group_size.set(num_sessions)
            _sampled_group.set(SampledGroup(num_sessions))
            if settings.enabled and settings.scope is CorrectionScope.GROUP:
                _prompt_group.set(PromptGroup(num_sessions, lambda group: correct_group(self.corrector, group)))
        await super()._run_prompt(prompt, sampling_params, trajectory, trace)

    async def _run_agent_loop(self, sampling_params: dict[str, Any], trajectory: dict[str, Any], **kwargs: Any) -> Any:
        if not trajectory["validate"]:
            current_session.set(self._sampling_of(kwargs))
            max_tokens = self.edge_grpo_settings.gec.first_pass_max_tokens
            if max_tokens is not None:  # also for an agent loop that samples elsewhere
                sampling_params = {**sampling_params, "max_tokens": max_tokens}
        is_validation = trajectory["validate"]
        try:
            return await super()._run_agent_loop(sampling_params, trajectory=trajectory, **kwargs)
        except Exception as error:
            self.sessions[is_validation].lose(error)  # verl logs it, and pads
            raise
        finally:
            self.sessions[is_validation].num_ended += 1
            sampled = _sampled_group.get()
            if sampled is not None and sampled.end_session():
                self.sessions[is_validation].count_group(sampled.first_passes, self.corrector.strategies.eos_token_ids)
            group = _prompt_group.get()
            if group is not None:
                group.leave(int(kwargs["session_id"]))  # one that failed before it was scored is not waited for

    def _encode_messages(self, messages: list[dict[str, Any]]) -> list[int]:
        """Return the tokens of messages with the chat template, as verl's single-turn agent loop has them."""
        options = dict(self.config.data.get("apply_chat_template_kwargs") or {})
        text = self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False, **options)
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def _sampling_of(self, row: Mapping[str, Any]) -> SessionSampling:
        """Return how a training session of this row is sampled; without error correction as with it."""
        settings = self.edge_grpo_settings
        return SessionSampling(
            group_size=_group_size.get(self.rollout_config.n),
            session=int(row["session_id"]),
            max_tokens=settings.gec.first_pass_max_tokens,
            seed_place=place_of_row(row, settings.seed) if self.should_seed else None,
        )

    async def _agent_loop_postprocess(
        self, output: AgentLoopOutput | list[AgentLoopOutput], validate: bool, **kwargs: Any
    ) -> None:
        if isinstance(output, list) and len(output) == 1:
            output = output[0]
        sampled = _sampled_group.get()
        if sampled is not None and output:
            final = output[-1] if isinstance(output, list) else output
            sampled.first_passes.append(list(final.response_ids))
        sampling = current_session.get()
        # An agent loop with several outputs a session has no single response to correct. Validation has no `sampling`.
        if self.edge_grpo_settings.gec.enabled and sampling is not None and isinstance(output, AgentLoopOutput):
            candidate = await self.corrector.score_first_pass(output, kwargs, sampling)
            await self._correct(candidate)
            write_record(output.extra_fields, candidate.record)
        await super()._agent_loop_postprocess(output, validate, **kwargs)
        self._count_first_pass(output, validate)

    def _count_first_pass(self, output: AgentLoopOutput | list[AgentLoopOutput], validate: bool) -> None:
        if output == []:  # verl drops such a session without a word
            self.sessions[validate].lose(RuntimeError("the agent loop returned no output"))
            return
        final = output[-1] if isinstance(output, list) else output
        if validate or final.reward_score is None:  # None: a reward model scores after sampling
            return
        record = read_record(final.extra_fields)
        if record is None:
            record = record_of_score(final.extra_fields, final.reward_score, self.edge_grpo_settings.gec)
        self.sessions[validate].score(record.first_pass_accuracy)

    async def take_session_counts(self) -> dict[bool, SessionCounts]:
        """Return how sessions ended since the last call: those of training under False, of validation under True."""
        counts, self.sessions = self.sessions, _counts_of_training_and_validation()
        return counts

    async def _correct(self, candidate: Candidate) -> None:
        group = _prompt_group.get()
        if group is not None:
            await group.arrive_and_wait(candidate)
        elif candidate.is_correctable:
            await self.corrector.correct(candidate, self.corrector.draw_strategy(candidate))


class EdgeGRPOAgentLoopManager(AgentLoopManagerTQ):
    """verl's agent-loop manager with workers that correct."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.agent_loop_workers_class = ray.remote(EdgeGRPOAgentLoopWorker)

    def take_session_counts(self) -> tuple[SessionCounts, SessionCounts]:
        """Return how the sessions of all workers ended since the last call, those of training and of validation."""
        totals = _counts_of_training_and_validation()
        workers: list[Any] = self.agent_loop_workers
        for counts in ray.get([worker.take_session_counts.remote() for worker in workers]):
            for is_validation, total in totals.items():
                total.add(counts[is_validation])
        return totals[False], totals[True]


def _counts_of_training_and_validation() -> dict[bool, SessionCounts]:
    return {False: SessionCounts(), True: SessionCounts()}


def _eos_token_ids(model_config: Any) -> frozenset[int]:
    """Return every token id that ends a response: the tokenizer's EOS and those of the generation config."""
    eos_token_ids = {model_config.tokenizer.eos_token_id}
    configured = getattr(getattr(model_config, "generation_config", None), "eos_token_id", None)
    if configured is not None:
        eos_token_ids.update(configured if isinstance(configured, list | tuple) else [configured])
    return frozenset(eos_token_ids)
