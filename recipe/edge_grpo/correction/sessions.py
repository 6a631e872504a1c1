"""How the sessions of an agent-loop worker ended: what was lost, by cause, and how right first passes were; pure.

A session is the sampling of one response. verl replaces one that raises by a row of padding and goes on.
"""

import traceback
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from recipe.edge_grpo.correction.failure import UnreportedKeyError, is_truncated

_MAX_ERROR_CHARACTERS = 500


class LossCause(StrEnum):
    """What raised when a session was lost."""

    REWARD = "reward"
    GENERATION = "generation"
    OTHER = "other"


@dataclass
class SessionCounts:
    """What is known of the sessions that ended in some time."""

    num_ended: int = 0
    """Number of sessions that ended, lost ones included."""
    num_lost: dict[LossCause, int] = field(default_factory=lambda: dict.fromkeys(LossCause, 0))
    first_errors: dict[LossCause, str] = field(default_factory=dict)
    """The first error of each cause that there was."""
    refusal: str | None = None
    """Why the run must end, whatever may be lost."""
    num_scored: int = 0
    """Responses whose first pass was scored while sampling."""
    sum_of_accuracies: float = 0.0
    """Sum of the accuracies of those first passes."""
    num_groups: int = 0
    """Prompts of which every session ended, and one at least with a response."""
    num_identical_groups: int = 0
    """Number of those prompts with at least two first passes, all of them the same."""
    num_truncated_groups: int = 0
    """Number of those prompts whose first passes were all cut off."""

    @property
    def total_lost(self) -> int:
        """Number of sessions that were lost, for whatever cause."""
        return sum(self.num_lost.values())

    def lose(self, error: BaseException) -> None:
        """Count a session that this error ended.

        >>> counts = SessionCounts()
        >>> counts.lose(ValueError("no such column"))
        >>> counts.total_lost, counts.first_errors[LossCause.OTHER]
        (1, 'ValueError: no such column')
        """
        cause = cause_of(error)
        self.num_lost[cause] += 1
        self.first_errors.setdefault(cause, error_text(error))
        if isinstance(error, UnreportedKeyError) and self.refusal is None:
            self.refusal = str(error)

    def score(self, accuracy: float) -> None:
        """Count a first pass of this accuracy.

        >>> counts = SessionCounts()
        >>> counts.score(1.0)
        >>> counts.num_scored, counts.sum_of_accuracies
        (1, 1.0)
        """
        self.num_scored += 1
        self.sum_of_accuracies += accuracy

    def count_group(self, first_passes: Sequence[Sequence[int]], eos_token_ids: Collection[int]) -> None:
        """Count a group of which these first passes are left, as token ids; one without any does not count.

        >>> counts = SessionCounts()
        >>> counts.count_group([[5, 0], [5, 0]], eos_token_ids={0})
        >>> counts.num_groups, counts.num_identical_groups, counts.num_truncated_groups
        (1, 1, 0)
        """
        if first_passes:
            self.num_groups += 1
            self.num_identical_groups += len(first_passes) > 1 and all(ids == first_passes[0] for ids in first_passes)
            self.num_truncated_groups += all(is_truncated(ids, eos_token_ids) for ids in first_passes)

    def add(self, other: "SessionCounts") -> None:
        """Count the sessions of another worker, or of another time, as well.

        >>> counts = SessionCounts(num_ended=2)
        >>> counts.add(SessionCounts(num_ended=3, refusal="no"))
        >>> counts.num_ended, counts.refusal
        (5, 'no')
        """
        self.num_ended += other.num_ended
        for cause, number in other.num_lost.items():
            self.num_lost[cause] += number
        self.first_errors = other.first_errors | self.first_errors
        self.refusal = self.refusal or other.refusal
        self.num_scored += other.num_scored
        self.sum_of_accuracies += other.sum_of_accuracies
        self.num_groups += other.num_groups
        self.num_identical_groups += other.num_identical_groups
        self.num_truncated_groups += other.num_truncated_groups


class SampledGroup:
    """The first passes of one prompt while its sessions go on.

    Args:
        num_sessions: how many there are.
    """

    def __init__(self, num_sessions: int) -> None:
        self.num_outstanding = num_sessions
        self.first_passes: list[list[int]] = []

    def end_session(self) -> bool:
        """Take note that a session ended; returns True if it was the last one.

        >>> group = SampledGroup(2)
        >>> group.end_session(), group.end_session()
        (False, True)
        """
        self.num_outstanding -= 1
        return self.num_outstanding == 0


def cause_of(error: BaseException) -> LossCause:
    """Return what an error of a session came from: the first of verl's places that it passed.

    `_compute_score` asks the reward workers, `verl.workers.rollout` the engine. Ray keeps the places of the caller.

    >>> cause_of(ValueError("raised nowhere"))
    <LossCause.OTHER: 'other'>
    """
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == "_compute_score":
            return LossCause.REWARD
        if str(frame.f_globals.get("__name__")).startswith("verl.workers.rollout"):
            return LossCause.GENERATION
    return LossCause.OTHER


def error_text(error: BaseException) -> str:
    """Return an error in one line; of one that Ray brought from another process, the error there.

    >>> error_text(KeyError("ground_truth"))
    "KeyError: 'ground_truth'"
    """
    origin = getattr(error, "cause", None)
    error = origin if isinstance(origin, BaseException) else error
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= _MAX_ERROR_CHARACTERS else text[:_MAX_ERROR_CHARACTERS] + "…"
