"""Says in one line what limits a run, and which setting helps.

Responses that were lost come first, since all other numbers are of what is left. Then come causes that a setting
removes (truncation, identical responses), and groups without contrast by their kind. A run is limited by what holds for
a tenth of its groups or more, mean over its steps; a cause explains groups without contrast if it holds for half as
many or more.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean

from recipe.edge_grpo.correction.sessions import LossCause
from recipe.edge_grpo.names import METRIC_PREFIX
from recipe.edge_grpo.report.metrics_file import RunMetrics
from recipe.edge_grpo.settings.choices import Strategy

LIMITING_SHARE = 0.1
"""What holds for this share of the groups, or for more, limits a run."""

Means = Mapping[str, float]
"""{metric without its prefix: mean over the steps that have it}."""


@dataclass(frozen=True)
class Limit:
    """Something that can limit a run."""

    metric: str
    """The share of groups."""
    description: str
    """What these groups are."""
    remedy: str
    """The setting that helps."""
    is_so: Callable[[Means], bool] = lambda means: True


def _is_corrected(means: Means) -> bool:
    return any(means.get(f"gec/{strategy}", 0.0) > 0 for strategy in Strategy)


def _takes_contrast_away(means: Means) -> bool:
    made = means["groups/all_correct_after_gec"] - means.get("groups/all_correct_before_gec", 0.0)
    return made >= means["groups/all_correct_after_gec"] / 2


CAUSES = (
    Limit(
        "groups/all_truncated",
        "have no response that came to its end",
        "a longer data.max_response_length, and edge_grpo.gec.first_pass_max_tokens",
    ),
    Limit(
        "groups/identical_responses",
        "consist of one response repeated",
        "a higher actor_rollout_ref.rollout.temperature",
    ),
)
WITHOUT_CONTRAST = (
    Limit(
        "groups/all_wrong_after_gec",
        "stay all wrong in spite of correction",
        "edge_grpo.gec.scope=group, and reference answers that the reward accepts (edge_grpo/gec/…_success_rate)",
        _is_corrected,
    ),
    Limit(
        "groups/all_wrong_after_gec",
        "are all wrong, and nothing corrects them",
        "edge_grpo.gec.enabled=true (+recipe=edge_grpo), or easier problems (data_prep.correctness_rate)",
        lambda means: not _is_corrected(means),
    ),
    Limit(
        "groups/all_correct_after_gec",
        "are all correct, most of them by correction",
        "edge_grpo.gec.scope=group (+recipe=edge_grpo_contrast)",
        _takes_contrast_away,
    ),
    Limit(
        "groups/all_correct_after_gec",
        "are all correct without help",
        "harder problems (data_prep.correctness_rate), or algorithm.filter_groups.enable=true (+recipe=dapo_edge)",
        lambda means: not _takes_contrast_away(means),
    ),
)


def verdict_of(run: RunMetrics) -> str | None:
    """Return what limits a run and what helps, in one line; None of a run that has none of the metrics.

    >>> step = {"edge_grpo/groups/all_truncated": 0.5, "edge_grpo/groups/all_wrong_after_gec": 0.75}
    >>> verdict_of(RunMetrics("run", {1: step})).split(";")[0]
    'Verdict: 50 % of the groups have no response that came to its end'
    """
    names = run.metrics_below(f"{METRIC_PREFIX}/")
    if not any(name.startswith(f"{METRIC_PREFIX}/groups/") for name in names):
        return None
    lost = {cause: sum(run.series(f"{METRIC_PREFIX}/sessions_lost_{cause}")[1]) for cause in LossCause}
    if any(lost.values()):
        causes = ", ".join(f"{cause} {number:.0f}" for cause, number in lost.items() if number)
        return (
            f"Verdict: {sum(lost.values()):.0f} responses were lost ({causes}), and all numbers are of the others; "
            "what helps: the errors in the log, and a smaller edge_grpo.max_lost_fraction to stop at them"
        )
    limit = limit_of({name.removeprefix(f"{METRIC_PREFIX}/"): fmean(run.series(name)[1]) for name in names})
    if limit is None:
        return "Verdict: nothing limits this run: for no single reason does a tenth of its groups lack contrast"
    share = fmean(run.series(f"{METRIC_PREFIX}/{limit.metric}")[1])
    return f"Verdict: {share:.0%} of the groups {limit.description}; what helps: {limit.remedy}".replace("%", " %", 1)


def limit_of(means: Means) -> Limit | None:
    """Return what limits a run with these means; None if nothing does.

    >>> limit_of({"groups/identical_responses": 0.2}).remedy
    'a higher actor_rollout_ref.rollout.temperature'
    """
    largest = max(
        (limit for limit in WITHOUT_CONTRAST if limit.metric in means and limit.is_so(means)),
        key=lambda limit: means[limit.metric],
        default=None,
    )
    share = 0.0 if largest is None else means[largest.metric]
    for cause in CAUSES:
        if means.get(cause.metric, 0.0) >= max(LIMITING_SHARE, share / 2):
            return cause
    return largest if share >= LIMITING_SHARE else None
