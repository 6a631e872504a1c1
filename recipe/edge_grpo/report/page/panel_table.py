"""Lists the panels of the page: for each, its quantities and their metrics.

A metric that ends in `*` stands for all metrics that begin so and are not 0 throughout.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from recipe.edge_grpo.report.metrics_file import RunMetrics
from recipe.edge_grpo.settings.choices import Strategy

ALL_THAT_BEGIN_SO = "*"


@dataclass(frozen=True)
class Quantity:
    """One quantity of a panel."""

    label: str
    """Put before what `*` stands for, where the metric has one."""
    metric: str


@dataclass(frozen=True)
class PagePanel:
    """One panel of the page."""

    key: str
    """The name of its anchor on the page and of its files."""
    title: str
    unit: str
    quantities: tuple[Quantity, ...]
    is_stack: bool = False
    """The quantities are parts of a whole: they are drawn on top of each other."""


def _panel(key: str, title: str, unit: str, *quantities: tuple[str, str], is_stack: bool = False) -> PagePanel:
    return PagePanel(key, title, unit, tuple(Quantity(*quantity) for quantity in quantities), is_stack)


PAGE_PANELS: tuple[PagePanel, ...] = (
    _panel("accuracy", "Accuracy", "share of responses",
           ("first pass", "edge_grpo/accuracy/first_pass"), ("after correction", "edge_grpo/accuracy/after_gec"),
           ("validation, ", "val-core/*")),
    _panel("equal_rewards", "Groups with equal rewards: they teach nothing", "share of groups",
           ("before correction", "edge_grpo/groups/zero_variance_before_gec"),
           ("after correction", "edge_grpo/groups/zero_variance_after_gec")),
    _panel("all_wrong", "Groups all wrong", "share of groups",
           ("before correction", "edge_grpo/groups/all_wrong_before_gec"),
           ("after correction", "edge_grpo/groups/all_wrong_after_gec")),
    _panel("all_correct", "Groups all correct", "share of groups",
           ("before correction", "edge_grpo/groups/all_correct_before_gec"),
           ("after correction", "edge_grpo/groups/all_correct_after_gec")),
    _panel("same_or_cut", "Groups of one response, or without an end", "share of groups",
           ("identical responses", "edge_grpo/groups/identical_responses"),
           ("all truncated", "edge_grpo/groups/all_truncated")),
    _panel("advantage_variance", "Advantage variance within groups", "variance",
           ("before EDA", "edge_grpo/advantage_variance/before_eda"),
           ("after EDA", "edge_grpo/advantage_variance/after_eda")),
    _panel("entropy", "Response entropy", "nats per token",
           ("all", "edge_grpo/entropy/mean"), ("correct", "edge_grpo/entropy/correct"),
           ("wrong", "edge_grpo/entropy/wrong")),
    _panel("entropy_by_strategy", "Response entropy by correction (from the rollouts)", "nats per token",
           ("", "rollouts/entropy/*")),
    _panel("entropy_ratio", "Entropy ratio, as used", "ratio",
           ("smallest", "edge_grpo/entropy_ratio/min"), ("largest", "edge_grpo/entropy_ratio/max")),
    _panel("clipped_ratio", "Entropy ratios at a bound", "share of responses",
           ("clipped", "edge_grpo/entropy_ratio/clipped_fraction")),
    _panel("corrections", "Corrections by strategy", "responses",
           *((strategy.value, f"edge_grpo/gec/{strategy}") for strategy in Strategy), is_stack=True),
    _panel("success", "Success of corrections", "share of those corrected",
           *((strategy.value, f"edge_grpo/gec/{strategy}_success_rate") for strategy in Strategy)),
    _panel("skipped", "Failed responses left as they were, by reason", "responses",
           ("", "edge_grpo/gec/skipped_*"), ("hint: ", "edge_grpo/gec/hint_skipped_*"), is_stack=True),
    _panel("guard", "Contrast guard", "responses", ("", "edge_grpo/gec/guard_*")),
    _panel("tokens", "Tokens of corrections", "tokens",
           ("injected", "edge_grpo/gec/tokens_injected"), ("regenerated", "edge_grpo/gec/tokens_regenerated"),
           ("resampled under hints", "edge_grpo/gec/tokens_resampled")),
    _panel("verifier", "Gradings without a comparison, by status", "gradings", ("", "edge_grpo/verify/*"),
           is_stack=True),
    _panel("lost", "Lost sessions", "responses",
           ("", "edge_grpo/sessions_lost_*"), ("validation", "edge_grpo/validation/sessions_lost"), is_stack=True),
    _panel("length", "Response length", "tokens",
           ("mean", "response_length/mean"), ("longest", "response_length/max")),
    _panel("length_clip", "Responses cut at the longest length", "share of responses",
           ("cut", "response_length/clip_ratio")),
    _panel("loss", "Policy loss", "loss", ("policy loss", "actor/pg_loss")),
    _panel("grad_norm", "Gradient norm", "norm", ("gradient norm", "actor/grad_norm")),
    _panel("kl", "KL divergence", "nats per token",
           ("old to new policy", "actor/ppo_kl"), ("to the reference, loss", "actor/kl_loss"),
           ("to the reference, reward", "actor/reward_kl_penalty"),
           ("rollout to training", "rollout_corr/kl")),
    _panel("clip_fraction", "Clipped tokens of the loss", "share of tokens",
           ("upper", "actor/pg_clipfrac"), ("lower", "actor/pg_clipfrac_lower")),
    _panel("learning_rate", "Learning rate", "", ("learning rate", "actor/lr")),
    _panel("time", "Time by phase", "seconds per step",
           *((label, f"timing_s/{phase}") for label, phase in (
               ("sampling", "gen"), ("reward", "reward"), ("old log-probabilities", "old_log_prob"),
               ("reference", "ref"), ("values", "values"), ("advantage", "adv"), ("update", "update_actor"),
               ("critic", "update_critic"), ("weights to the engine", "update_weights"),
               ("validation", "testing"), ("checkpoint", "save_checkpoint"))),
           is_stack=True),
    _panel("step_time", "Time of a step", "seconds", ("one step", "timing_s/step")),
    _panel("throughput", "Throughput", "tokens per second and device", ("throughput", "perf/throughput")),
    _panel("memory", "Memory of the device", "GiB",
           ("allocated", "actor/perf/max_memory_allocated_gb"), ("reserved", "actor/perf/max_memory_reserved_gb")),
)  # fmt: skip


def quantities_with_data(panel: PagePanel, runs: Sequence[RunMetrics]) -> list[Quantity]:
    """Return the quantities of a panel that some run has, with `*` written out; zeros alone are none of a stack.

    >>> run = RunMetrics("run", {1: {"edge_grpo/verify/no_box": 2.0, "edge_grpo/verify/crash": 0.0}})
    >>> panel = next(panel for panel in PAGE_PANELS if panel.key == "verifier")
    >>> quantities_with_data(panel, [run])
    [Quantity(label='no_box', metric='edge_grpo/verify/no_box')]
    """
    found = []
    for quantity in panel.quantities:
        is_pattern = quantity.metric.endswith(ALL_THAT_BEGIN_SO)
        for written_out in _written_out(quantity, runs) if is_pattern else [quantity]:
            values = [value for run in runs for value in run.series(written_out.metric)[1]]
            if any(values) or (values and not is_pattern and not panel.is_stack):
                found.append(written_out)
    return found


def _written_out(quantity: Quantity, runs: Sequence[RunMetrics]) -> list[Quantity]:
    prefix = quantity.metric.removesuffix(ALL_THAT_BEGIN_SO)
    metrics = sorted({metric for run in runs for metric in run.metrics_below(prefix)})
    return [Quantity(quantity.label + metric.removeprefix(prefix), metric) for metric in metrics]
