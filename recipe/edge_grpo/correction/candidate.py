"""A sampled and scored response that error correction looks at: its tokens, its record, its way back."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from recipe.edge_grpo.correction.draws import DrawPlace, place_of_row
from recipe.edge_grpo.correction.failure import is_truncated
from recipe.edge_grpo.correction.record import CorrectionRecord, Skipped, record_of_score
from recipe.edge_grpo.correction.reference import answer_of, solution_of
from recipe.edge_grpo.correction.sampling import SessionSampling
from recipe.edge_grpo.correction.tokens import ResponseTokens
from recipe.edge_grpo.settings.block import GuidedErrorCorrectionSettings

_WHAT_CORRECTION_CHANGES = (
    "prompt_ids",
    "response_ids",
    "response_mask",
    "response_logprobs",
    "reward_score",
    "extra_fields",
)


@dataclass
class Candidate:
    """A response that may be corrected."""

    output: Any
    """verl's `AgentLoopOutput`; corrections are written into it."""
    row: Mapping[str, Any]
    """Of the dataset, with verl's `global_steps`, `index` and `session_id`."""
    sampling: SessionSampling
    """How its first pass was sampled."""
    record: CorrectionRecord
    """What has been done so far."""
    obstacle: Skipped | None = None
    """Why it may not be corrected, be it right or failed; None if it may."""

    @property
    def session(self) -> int:
        """Number of the response within its group."""
        return int(self.row["session_id"])

    @property
    def solution(self) -> str | None:
        """The reference solution of the row; None if it has none."""
        return solution_of(self.row)

    @property
    def answer(self) -> str | None:
        """The reference answer of the row, of several alternatives the first; None if it has none."""
        return answer_of(self.row)

    @property
    def is_correctable(self) -> bool:
        """True if it failed and nothing forbids correcting it."""
        return self.record.is_failed and self.record.skipped is None

    @property
    def may_hold_media(self) -> bool:
        """True if media of its output may belong to tokens of the response, which tools wrote."""
        return bool(self.output.multi_modal_data) and 0 in self.output.response_mask

    @property
    def tokens(self) -> ResponseTokens:
        """Its tokens as they are now."""
        log_probs = self.output.response_logprobs
        return ResponseTokens(
            list(self.output.response_ids),
            list(self.output.response_mask),
            None if log_probs is None else list(log_probs),
        )

    def draw_place(self, seed: int) -> DrawPlace:
        """Return where in the run of this seed its prompt is sampled."""
        return place_of_row(self.row, seed)

    def note(self, **changes: Any) -> None:
        """Change these fields of the record."""
        self.record = replace(self.record, **changes)

    def replace_tokens(self, tokens: ResponseTokens) -> None:
        """Put other tokens in place, which have no score."""
        self.output.response_ids = tokens.ids
        self.output.response_mask = tokens.mask
        self.output.response_logprobs = tokens.log_probs
        self.output.reward_score = None
        self.output.extra_fields.pop("reward_extra_info", None)

    def snapshot(self) -> dict[str, Any]:
        """Return all that correction changes, for `restore`."""
        values = {name: getattr(self.output, name) for name in _WHAT_CORRECTION_CHANGES}
        return values | {"extra_fields": dict(self.output.extra_fields)}

    def restore(self, snapshot: Mapping[str, Any], record: CorrectionRecord) -> None:
        """Take a correction back."""
        for name, value in snapshot.items():
            setattr(self.output, name, value)
        self.record = record


def first_pass_record(
    output: Any, settings: GuidedErrorCorrectionSettings, obstacle: Skipped | None = None
) -> CorrectionRecord:
    """Return the record of an output that was sampled and scored and nothing else.

    Args:
        obstacle: why it may not be corrected, if it was to be: each failed response is, unless only a solution is put
            into each group.
    """
    record = record_of_score(output.extra_fields, output.reward_score, settings)
    is_to_be_corrected = record.is_failed and not settings.solution_in_every_group
    return replace(record, skipped=obstacle) if is_to_be_corrected else record


def find_obstacle(
    output: Any,
    settings: GuidedErrorCorrectionSettings,
    eos_token_ids: Collection[int],
    is_scored_by_agent_loop: bool = False,
) -> Skipped | None:
    """Return why a sampled output may not be corrected, None if it may.

    What an agent loop has scored itself is not corrected: our scoring would ask another function about the correction.
    """
    if is_scored_by_agent_loop:
        return Skipped.SCORED_BY_AGENT_LOOP
    if settings.max_prompt_tokens is not None and len(output.prompt_ids) > settings.max_prompt_tokens:
        return Skipped.PROMPT_TOO_LONG
    if not settings.corrects_truncated and is_truncated(output.response_ids, eos_token_ids):
        return Skipped.TRUNCATED
    return None
