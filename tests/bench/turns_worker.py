"""The recipe's agent-loop worker, which takes turns: each step is sampled and corrected as its way says.

One way is not the recipe's: the authors' trainer waits for the whole batch, then lets the policy continue every row,
decoded and encoded again, and throws away what it sampled for all but the failed ones that were to reflect. It is
written here for the comparison only.
"""

import asyncio
import copy
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from turns_inside import read_plan, settings_of_turn, turn_of
from ways import first_pass_length

from recipe.edge_grpo.correction.candidate import Candidate
from recipe.edge_grpo.correction.corrector import ErrorCorrector
from recipe.edge_grpo.correction.hinted_prompts import HintedPrompts
from recipe.edge_grpo.correction.requests import Request, ask_policy
from recipe.edge_grpo.correction.rollout import EdgeGRPOAgentLoopWorker
from recipe.edge_grpo.correction.sampling import NotingClient, SessionSampling
from recipe.edge_grpo.correction.strategies import Strategies
from recipe.edge_grpo.settings.block import EdgeGRPOSettings
from recipe.edge_grpo.settings.choices import Strategy


class CountingClient:
    """verl's client of the policy's server; writes down what each request took."""

    def __init__(self, client: Any, path: Path) -> None:
        self._client, self._file = client, path.open("a", buffering=1)
        self._known: dict[str, int] = {}
        self.step = 0
        self.num_tokens: int | Sequence[int] | None = None
        """How long every first pass is, see `Way`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def generate(self, request_id: str, *, is_discarded: bool = False, **arguments: Any) -> Any:
        step, is_first, num_known = self.step, request_id not in self._known, self._known.get(request_id, 0)
        if is_first and self.num_tokens is not None:
            length = first_pass_length(self.num_tokens, arguments["sampling_params"]["seed"])
            exactly = {"max_tokens": length, "min_tokens": length, "ignore_eos": True}
            arguments["sampling_params"] = {**arguments["sampling_params"], **exactly}
        generated = await self._client.generate(request_id=request_id, **arguments)
        request = {
            "step": step,
            "kind": "discarded" if is_discarded else "first" if is_first else "correction",
            "tokens": len(generated.token_ids),
            "known": num_known,  # tokens of its prompt that the engine has computed for the same session before
            "cached": generated.extra_fields.get("num_cached_tokens") or 0,
        }
        self._known[request_id] = len(arguments["prompt_ids"]) + len(generated.token_ids) - 1  # never the last one
        self._file.write(json.dumps(request) + "\n")
        return generated


class WholeBatch:
    """Lets the sessions of a batch wait for one another."""

    def __init__(self, num_sessions: int) -> None:
        self._num_outstanding, self._is_complete = num_sessions, asyncio.Event()

    async def arrive_and_wait(self) -> None:
        self._num_outstanding -= 1
        if self._num_outstanding == 0:
            self._is_complete.set()
        await self._is_complete.wait()


class TurnsWorker(EdgeGRPOAgentLoopWorker):
    """Samples and corrects each step as its way says."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client = CountingClient(self.corrector.llm_client, Path(read_plan()["requests"]))
        self.corrector.llm_client = self.client
        self.llm_client = NotingClient(self.client)
        self.correctors: dict[str, tuple[EdgeGRPOSettings, ErrorCorrector]] = {}
        self.way: dict[str, Any] = {}
        self.round = -1

    async def generate_sequences(self, batch: Any) -> None:
        steps = batch["global_steps"]
        self.client.step = int(steps if isinstance(steps, int) else steps[0])
        self.round, self.way = turn_of(self.client.step)
        self.client.num_tokens = self.way["num_tokens"]
        if self.way["name"] not in self.correctors:
            settings = settings_of_turn(self.way)
            self.correctors[self.way["name"]] = settings, self._corrector_of(settings)
        self.edge_grpo_settings, self.corrector = self.correctors[self.way["name"]]
        self.whole_batch = WholeBatch(len(batch) * self.rollout_config.n)
        await super().generate_sequences(batch)

    def _corrector_of(self, settings: EdgeGRPOSettings) -> ErrorCorrector:
        corrector, lengths = copy.copy(self.corrector), self.rollout_config
        corrector.settings = settings.gec
        eos_token_ids = self.corrector.strategies.eos_token_ids
        corrector.strategies = Strategies(settings, self.tokenizer, eos_token_ids, lengths.response_length)
        corrector.hinted_prompts = HintedPrompts(
            settings.gec, self._encode_messages, lengths.prompt_length, lengths.response_length
        )
        return corrector

    def _sampling_of(self, row: Mapping[str, Any]) -> SessionSampling:
        # The ways of a round draw the same seeds, and so the same first passes.
        return super()._sampling_of({**row, "global_steps": self.round})

    async def _correct(self, candidate: Candidate) -> None:
        candidate.row = {**candidate.row, "global_steps": self.round}  # and the same corrections
        if not self.way["is_authors"]:
            await super()._correct(candidate)
            return
        await self.whole_batch.arrive_and_wait()
        strategy = self.corrector.draw_strategy(candidate) if candidate.is_correctable else None
        if strategy is not None:
            candidate.replace_tokens(self._encoded_again(candidate))
            await self.corrector.correct(candidate, strategy)
        if strategy is not Strategy.REFLECTION:
            await self._continue_in_vain(candidate)

    def _encoded_again(self, candidate: Candidate) -> Any:
        tokens = candidate.tokens
        text = self.tokenizer.decode(tokens.ids, skip_special_tokens=True)
        ids = self.tokenizer.encode(text, add_special_tokens=False)
        log_probs = None if tokens.log_probs is None else [0.0] * len(ids)
        return type(tokens)(ids, [1] * len(ids), log_probs)

    async def _continue_in_vain(self, candidate: Candidate) -> None:
        """Let the policy continue a row whose continuation nobody wants."""
        ids = self._encoded_again(candidate).ids
        room = self.rollout_config.response_length - len(ids)
        max_tokens = min(self.corrector.settings.max_new_tokens, room)
        if max_tokens < 1:
            return
        request = Request([*candidate.output.prompt_ids, *ids], max_tokens, "reflection", number=0)
        fields = dict(candidate.output.extra_fields)
        await ask_policy(_Discarding(self.client), candidate, request, None)
        candidate.output.extra_fields = fields


class _Discarding:
    """A client whose requests are marked as in vain."""

    def __init__(self, client: CountingClient) -> None:
        self._client = client

    async def generate(self, **arguments: Any) -> Any:
        return await self._client.generate(is_discarded=True, **arguments)
