"""Sessions that were lost: counted in the metrics, and the run ended where they are too many; pure.

verl goes on without them, and fills the batch up with padding.
"""

from collections import deque
from collections.abc import Iterable

from recipe.edge_grpo.correction.sessions import SessionCounts
from recipe.edge_grpo.names import METRIC_PREFIX

MIN_SESSIONS_JUDGED = 100
"""The share of lost sessions is taken of at least so many: in a small step a single one says little."""


class LostSessionsError(RuntimeError):
    """More sessions were lost than `edge_grpo.max_lost_fraction` allows, or one for a reason that ends the run."""


class SessionWatch:
    """Adds up what agent-loop workers report, until it is written into metrics, and judges the latest sessions.

    Args:
        kind: of sessions, "training" or "validation".
        max_lost_fraction: `edge_grpo.max_lost_fraction`.
    """

    def __init__(self, kind: str, max_lost_fraction: float | None) -> None:
        self.kind = kind
        self.max_lost_fraction = max_lost_fraction
        self._unreported = SessionCounts()
        self._latest: deque[SessionCounts] = deque()

    def look(self, counts: SessionCounts) -> None:
        """Take note of the sessions that ended since the last look.

        Raises:
            LostSessionsError: if the run must end for them.
        """
        self._unreported.add(counts)
        self._latest.append(counts)
        while sum(counts.num_ended for counts in self._latest) - self._latest[0].num_ended >= MIN_SESSIONS_JUDGED:
            self._latest.popleft()
        refuse_losses(self.kind, self._latest, self.max_lost_fraction)

    def take_counts(self) -> SessionCounts:
        """Return how the sessions ended since the last call."""
        counts, self._unreported = self._unreported, SessionCounts()
        return counts


def session_metrics(counts: SessionCounts) -> dict[str, float]:
    """Return how many sessions were lost by cause, and what is known of all first passes, those of dropped groups too.

    Padding has no session, and so counts nowhere.

    >>> list(session_metrics(SessionCounts(num_ended=4, num_scored=4, sum_of_accuracies=1.0)).values())
    [0, 0, 0, 0.25]
    """
    metrics: dict[str, float] = {
        f"{METRIC_PREFIX}/sessions_lost_{cause}": number for cause, number in counts.num_lost.items()
    }
    if counts.num_scored:
        metrics[f"{METRIC_PREFIX}/accuracy/first_pass_of_all_sampled"] = counts.sum_of_accuracies / counts.num_scored
    if counts.num_groups:
        metrics[f"{METRIC_PREFIX}/groups/identical_responses"] = counts.num_identical_groups / counts.num_groups
        metrics[f"{METRIC_PREFIX}/groups/all_truncated"] = counts.num_truncated_groups / counts.num_groups
    return metrics


def refuse_losses(kind: str, latest: Iterable[SessionCounts], max_lost_fraction: float | None) -> None:
    """Refuse sessions of which too many were lost.

    Raises:
        LostSessionsError: with the number of each cause and its first error.

    >>> refuse_losses("training", [SessionCounts(num_ended=64)], 0.05)
    """
    total = SessionCounts()
    for counts in latest:
        total.add(counts)
    if total.refusal is not None:
        raise LostSessionsError(total.refusal)
    if max_lost_fraction is None or total.total_lost <= max_lost_fraction * max(total.num_ended, MIN_SESSIONS_JUDGED):
        return
    causes = ", ".join(f"{cause} {number}" for cause, number in total.num_lost.items())
    errors = "; ".join(f"{cause}: {text}" for cause, text in sorted(total.first_errors.items()))
    raise LostSessionsError(
        f"edge_grpo.max_lost_fraction={max_lost_fraction}: of the last {total.num_ended} {kind} responses "
        f"{total.total_lost} were lost while they were sampled or scored ({causes}). First errors: {errors}. Mend what "
        "raises them, or raise edge_grpo.max_lost_fraction (null: never end a run for it)"
    )
