"""The metrics of a step that makes several updates (`trainer.v1.separate_async.parameter_sync_step` above 1); pure.

verl takes the mean of each metric over the updates, weighted by responses, unless its name has `max`, `min`, `sum` or
`total` in it. Here counts are summed, and a share or mean is weighted by the number of what it is a share of. Each
metric has its rule in the table below; one without a rule is refused.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch

from recipe.edge_grpo.correction.record import HintSkipped, Skipped
from recipe.edge_grpo.names import METRIC_PREFIX
from recipe.edge_grpo.settings.choices import Strategy
from recipe.edge_grpo.training_step.batch import BatchEntropy, StoredBatch
from recipe.edge_grpo.training_step.correction_metrics import NOT_COMPARED
from recipe.edge_grpo.training_step.outcomes import ResponseOutcomes

_SUM, _MAX, _MIN = "sum", "max", "min"
_GROUPS, _LARGE_GROUPS, _RESPONSES = "groups", "groups of two or more", "responses"
_ENTROPIES, _RIGHT_ENTROPIES, _WRONG_ENTROPIES = "entropies", "entropies of right", "entropies of wrong"

_NAMES_BY_RULE: dict[str, tuple[str, ...]] = {
    _SUM: (
        *(f"gec/{strategy}" for strategy in Strategy),
        *(f"gec/skipped_{reason}" for reason in Skipped),
        *("gec/answer_for_missing_solution", "gec/solution_cut", "gec/guard_sure", "gec/guard_kept"),
        *("gec/guard_without_sure_correction", "gec/reflection_rounds"),
        *(f"gec/hint_skipped_{reason}" for reason in HintSkipped),
        *("gec/hint_without_success", "gec/hints_tried", "gec/tokens_resampled"),
        *("gec/tokens_injected", "gec/tokens_failed_prefix", "gec/tokens_regenerated"),
        *(f"verify/{status}" for status in NOT_COMPARED),
    ),
    _MAX: ("entropy_ratio/max",),
    _MIN: ("entropy_ratio/min",),
    _GROUPS: tuple(
        f"groups/{kind}_{stage}_gec"
        for kind in ("zero_variance", "all_correct", "all_wrong")
        for stage in ("before", "after")
    ),
    _LARGE_GROUPS: ("advantage_variance/before_eda", "advantage_variance/after_eda"),
    _RESPONSES: (
        *("accuracy/first_pass", "accuracy/after_gec"),
        *("entropy_ratio/clipped_fraction", "gec/failed_fraction"),
    ),
    _ENTROPIES: ("entropy/mean",),
    _RIGHT_ENTROPIES: ("entropy/correct",),
    _WRONG_ENTROPIES: ("entropy/wrong",),
    # of the responses that the strategy corrected, which is a metric itself
    **{f"gec/{strategy}": (f"gec/{strategy}_success_rate",) for strategy in Strategy},
}

COMBINING_RULES = {name: rule for rule, names in _NAMES_BY_RULE.items() for name in names}
"""{metric: "sum", "max", "min", or the number by which its mean over the updates is weighted}."""


@dataclass(frozen=True)
class SubStep:
    """What one update reports."""

    metrics: Mapping[str, float]
    """By their full names."""
    sizes: Mapping[str, int]
    """How many groups, responses and entropies its shares and means are of."""

    def weight(self, rule: str) -> float:
        """Return the number by which a share with this rule counts."""
        return self.sizes[rule] if rule in self.sizes else self.metrics[f"{METRIC_PREFIX}/{rule}"]


def sizes_of(stored: StoredBatch, entropy: BatchEntropy, outcomes: ResponseOutcomes) -> dict[str, int]:
    """Return how many groups, responses and entropies there are in a batch, padding left out."""
    is_real = ~stored.is_padding
    group_sizes = torch.bincount(stored.group_index[is_real])
    is_right = outcomes.accuracies[entropy.has_entropy[is_real]] > 0
    return {
        _GROUPS: int((group_sizes > 0).sum()),
        _LARGE_GROUPS: int((group_sizes > 1).sum()),
        _RESPONSES: int(is_real.sum()),
        _ENTROPIES: len(is_right),
        _RIGHT_ENTROPIES: int(is_right.sum()),
        _WRONG_ENTROPIES: int((~is_right).sum()),
    }


def combine_sub_steps(sub_steps: Sequence[SubStep]) -> dict[str, float]:
    """Return the metrics of a step from those of its updates; one that is undefined in an update is that of the others.

    Raises:
        KeyError: if a metric has no rule.

    >>> accuracy = "edge_grpo/accuracy/first_pass"
    >>> updates = [SubStep({accuracy: 1.0}, {"responses": 24}), SubStep({accuracy: 0.0}, {"responses": 8})]
    >>> combine_sub_steps(updates)  # (24 x 1 + 8 x 0) / 32
    {'edge_grpo/accuracy/first_pass': 0.75}
    """
    names = dict.fromkeys(name for sub_step in sub_steps for name in sub_step.metrics)
    return {name: _combine(name, [sub_step for sub_step in sub_steps if name in sub_step.metrics]) for name in names}


def _combine(name: str, sub_steps: Sequence[SubStep]) -> float:
    rule = COMBINING_RULES.get(name.removeprefix(f"{METRIC_PREFIX}/"))
    if rule is None:
        raise KeyError(f"{name} has no rule in training_step/sub_steps.py that says how updates of a step are combined")
    values = [sub_step.metrics[name] for sub_step in sub_steps]
    if rule in _REDUCTIONS:
        return _REDUCTIONS[rule](values)
    weights = [sub_step.weight(rule) for sub_step in sub_steps]
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)


_REDUCTIONS: dict[str, Callable[[Iterable[float]], float]] = {_SUM: sum, _MAX: max, _MIN: min}
