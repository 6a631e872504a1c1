"""What error correction did to one response; travels with it through verl's storage."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from recipe.edge_grpo.correction.failure import accuracy_of, has_failed, verify_status_of
from recipe.edge_grpo.settings.block import GuidedErrorCorrectionSettings
from recipe.edge_grpo.settings.choices import Strategy

RECORD_KEY = "edge_grpo"
"""Key of an agent-loop output's `extra_fields` under which its correction record travels, as a dictionary."""

SPANS = ("injected_spans", "failed_prefix_spans")


class Skipped(StrEnum):
    """Why a response that was to be corrected was left as it was."""

    PROMPT_TOO_LONG = "prompt_too_long"
    TRUNCATED = "truncated"
    NO_ROOM = "no_room"
    NO_ANSWER = "no_answer"
    NO_SOLUTION = "no_solution"
    SOLUTION_TOO_LONG = "solution_too_long"
    GENERATION_FAILED = "generation_failed"
    NOT_SAMPLED_BY_POLICY_CLIENT = "not_sampled_by_policy_client"
    MEDIA_IN_RESPONSE = "media_in_response"
    SCORED_BY_AGENT_LOOP = "scored_by_agent_loop"
    GENERATION_TIMED_OUT = "generation_timed_out"
    SCORING_FAILED = "scoring_failed"


class HintSkipped(StrEnum):
    """Why a group for which a hint was drawn was not given one."""

    NO_HINT = "no_hint"
    """The row has no reference solution, or one too short to show a part of it."""
    PROMPT_NOT_REBUILT = "prompt_not_rebuilt"
    """The agent loop made its prompt of more than the messages of the row."""
    NO_ROOM = "no_room"
    NOT_SINGLE_TURN = "not_single_turn"


class GuardRole(StrEnum):
    """What the contrast guard decided about a response."""

    SURE = "sure"
    KEPT = "kept"


@dataclass(frozen=True)
class CorrectionRecord:
    """What error correction did to one response."""

    first_pass_reward: float
    first_pass_accuracy: float
    is_failed: bool
    """The first pass failed, by the failure definition of the run."""
    strategy: Strategy | None = None
    """The correction applied; None for none."""
    skipped: Skipped | None = None
    """Why a response that was to be corrected was not."""
    guard_role: GuardRole | None = None
    is_without_sure_correction: bool = False
    """The first response of an all-wrong group for which no sure correction was found."""
    answer_for_missing_solution: bool = False
    """The solution strategy was drawn and the row has no solution."""
    is_solution_cut: bool = False
    """The reference solution was cut to the response length."""
    injected_spans: tuple[tuple[int, int], ...] = ()
    """Where text stands that the policy did not write, each [start, end) in the response."""
    failed_prefix_spans: tuple[tuple[int, int], ...] = ()
    """Where failed text of the policy stands that the loss does not train as it is (`failed_prefix_loss`)."""
    hint_number: int | None = None
    """Number of the hint, from 1, under which the response was sampled; None for none."""
    hint_skipped: HintSkipped | None = None
    """Of the first response of a group for which a hint was drawn and could not be given."""
    hints_tried: int = 0
    """How often the group was sampled again, at its first response that was."""
    is_without_right_hint: bool = False
    """The same response, where no hint made one of the group right."""
    tokens_resampled: int = 0
    """Tokens that the policy sampled under hints, for the whole group, at the same response."""
    reflection_rounds: int = 0
    """How often the policy was made to reflect."""
    tokens_regenerated: int = 0
    """Tokens that the policy sampled after reflection texts."""
    first_pass_verify_status: str | None = None
    """None if the reward function reports none."""
    first_pass_text: str | None = None
    """Of a corrected response, where the run dumps its rollouts."""

    @property
    def tokens_injected(self) -> int:
        """Number of tokens that the policy did not write."""
        return sum(end - start for start, end in self.injected_spans)

    @property
    def tokens_failed_prefix(self) -> int:
        """Number of failed tokens of the policy that the loss does not train as they are."""
        return sum(end - start for start, end in self.failed_prefix_spans)


def record_of_score(
    extra_fields: Mapping[str, Any], reward: float, settings: GuidedErrorCorrectionSettings
) -> CorrectionRecord:
    """Return the record of a response of which nothing but its score is known."""
    return CorrectionRecord(
        first_pass_reward=float(reward),
        first_pass_accuracy=accuracy_of(extra_fields, reward, settings),
        is_failed=has_failed(extra_fields, reward, settings),
        first_pass_verify_status=verify_status_of(extra_fields),
    )


def write_record(extra_fields: dict[str, Any], record: CorrectionRecord) -> None:
    """Put the record into an agent-loop output's `extra_fields`.

    >>> extra_fields = {}
    >>> write_record(extra_fields, CorrectionRecord(0.0, 0.0, True))
    >>> extra_fields["edge_grpo"]["is_failed"]
    True
    """
    extra_fields[RECORD_KEY] = dataclasses.asdict(record)


def read_record(extra_fields: Mapping[str, Any]) -> CorrectionRecord | None:
    """Return the record in an agent-loop output's `extra_fields`; None where error correction did not look at it.

    >>> extra_fields, record = {}, CorrectionRecord(0.0, 0.0, True)
    >>> write_record(extra_fields, record)
    >>> read_record(extra_fields) == record, read_record({}) is None
    (True, True)
    """
    record = extra_fields.get(RECORD_KEY)
    if record is None:
        return None
    # a storage may make lists of tuples
    spans = {name: tuple((start, end) for start, end in record[name]) for name in SPANS}
    return CorrectionRecord(**{**record, **spans})
