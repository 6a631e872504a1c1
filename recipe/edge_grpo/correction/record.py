"""What error correction did to one response; travels with it through verl's storage."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from recipe.edge_grpo.correction.contrast_guard import GuardRole
from recipe.edge_grpo.correction.tokens import Strategy

RECORD_KEY = "edge_grpo"
"""Key of an agent-loop output's `extra_fields` under which its correction record travels, as a dictionary."""


class Skipped(StrEnum):
    """Why a failed response was left as it was."""

    PROMPT_TOO_LONG = "prompt_too_long"
    TRUNCATED = "truncated"
    NO_ROOM = "no_room"
    SOLUTION_TOO_LONG = "solution_too_long"
    GENERATION_FAILED = "generation_failed"
    GENERATION_TIMED_OUT = "generation_timed_out"


@dataclass(frozen=True)
class CorrectionRecord:
    """What error correction did to one response.

    Attributes:
        first_pass_reward: before correction.
        first_pass_accuracy: before correction.
        is_failed: before correction, by the failure definition of the run.
        strategy: the correction applied, None for none.
        skipped: why a failed response was not corrected, None otherwise.
        guard_role: what the contrast guard decided about the response, None for nothing.
        is_without_sure_correction: the first response of an all-wrong group for which no sure correction was found.
        answer_for_missing_solution: the solution strategy was drawn and the row has no solution.
        is_solution_cut: the reference solution was cut to the response length.
        injected_spans: where text stands that the policy did not write, each [start, end) in the response.
        reflection_rounds: how often the policy was made to reflect.
        tokens_regenerated: tokens that the policy sampled after reflection texts.
        first_pass_verify_status: before correction; None if the reward function reports none.
        first_pass_text: of a corrected response, where the run dumps its rollouts.
    """

    first_pass_reward: float
    first_pass_accuracy: float
    is_failed: bool
    strategy: Strategy | None = None
    skipped: Skipped | None = None
    guard_role: GuardRole | None = None
    is_without_sure_correction: bool = False
    answer_for_missing_solution: bool = False
    is_solution_cut: bool = False
    injected_spans: tuple[tuple[int, int], ...] = ()
    reflection_rounds: int = 0
    tokens_regenerated: int = 0
    first_pass_verify_status: str | None = None
    first_pass_text: str | None = None

    @property
    def tokens_injected(self) -> int:
        """Number of tokens that the policy did not write."""
        return sum(end - start for start, end in self.injected_spans)


def write_record(extra_fields: dict[str, Any], record: CorrectionRecord) -> None:
    """Put the record into an agent-loop output's `extra_fields`."""
    extra_fields[RECORD_KEY] = dataclasses.asdict(record)


def read_record(extra_fields: Mapping[str, Any]) -> CorrectionRecord | None:
    """The record in an agent-loop output's `extra_fields`; None where error correction did not look at it."""
    record = extra_fields.get(RECORD_KEY)
    if record is None:
        return None
    spans = tuple((start, end) for start, end in record["injected_spans"])  # a storage may make lists of tuples
    return CorrectionRecord(**{**record, "injected_spans": spans})
