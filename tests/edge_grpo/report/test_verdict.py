"""What limits a run: one line for each kind of run."""

import pytest

from recipe.edge_grpo.report.metrics_file import RunMetrics
from recipe.edge_grpo.report.verdict import CAUSES, WITHOUT_CONTRAST, verdict_of


def run(*steps):
    """A run of these steps, {metric without its prefix: value}."""
    return RunMetrics(
        "run",
        {
            number: {f"edge_grpo/{name}": value for name, value in step.items()}
            for number, step in enumerate(steps, start=1)
        },
    )


def groups(before=(0, 0), after=(0, 0), truncated=0.0, identical=0.0, corrected=8):
    """Shares (all wrong, all correct) before and after correction, of a step that corrects so many responses."""
    return {
        "groups/all_wrong_before_gec": before[0],
        "groups/all_correct_before_gec": before[1],
        "groups/all_wrong_after_gec": after[0],
        "groups/all_correct_after_gec": after[1],
        "groups/all_truncated": truncated,
        "groups/identical_responses": identical,
        "gec/answer": corrected,
    }


@pytest.mark.parametrize(
    ("step", "share", "says", "remedy"),
    [
        (groups((0.9, 0), (0.1, 0)), "10 %", "stay all wrong in spite of correction", "gec.scope=group"),
        (groups((0.4, 0), (0.4, 0), corrected=0), "40 %", "are all wrong, and nothing corrects", "gec.enabled=true"),
        (groups((0.5, 0.1), (0, 0.6)), "60 %", "are all correct, most of them by correction", "edge_grpo_contrast"),
        (groups((0, 0.5), (0, 0.6)), "60 %", "are all correct without help", "harder problems"),
        (groups((0.3, 0.2), (0.3, 0.2), corrected=0), "30 %", "are all wrong", "gec.enabled"),  # the larger of both
        (groups((0.2, 0.3), (0.2, 0.3)), "30 %", "are all correct without help", "filter_groups"),
        # truncated groups are all wrong too: half as many explain them, fewer do not
        (groups((0.6, 0), (0.6, 0), truncated=0.3), "30 %", "no response that came to its end", "max_response_length"),
        (groups((0.6, 0), (0.6, 0), truncated=0.29), "60 %", "stay all wrong", "gec.scope=group"),
        (groups((0.3, 0), (0, 0), truncated=0.3), "30 %", "no response that came to its end", "max_response_length"),
        (groups(identical=0.1), "10 %", "consist of one response repeated", "rollout.temperature"),
        (groups((0, 0.5), (0, 0.5), identical=0.4), "40 %", "consist of one response repeated", "temperature"),
        (groups(truncated=0.2, identical=0.2), "20 %", "no response that came to its end", "max_response_length"),
    ],
)
def test_what_limits_a_run_is_said_with_its_share_and_the_setting_that_helps(step, share, says, remedy):
    verdict = verdict_of(run(step))
    assert verdict.startswith(f"Verdict: {share} of the groups ")
    described, _, helps = verdict.partition("; what helps: ")
    assert says in described
    assert remedy in helps


def test_the_mean_over_the_steps_decides():
    assert "60 % of the groups are all correct" in verdict_of(run(groups((0, 1), (0, 1)), groups((0, 0.2), (0, 0.2))))
    assert "nothing" in verdict_of(run(groups((0, 0.15), (0, 0.15)), groups(), groups()))  # 0.05


@pytest.mark.parametrize("step", [groups(), groups((0.9, 0.09), (0.09, 0.09)), groups(truncated=0.09, identical=0.09)])
def test_a_run_with_contrast_in_nearly_all_groups_is_limited_by_nothing(step):
    assert verdict_of(run(step)).startswith("Verdict: nothing limits this run")


def test_lost_responses_come_before_everything_else_with_their_number_over_all_steps():
    lost = {"sessions_lost_reward": 2, "sessions_lost_generation": 0, "sessions_lost_other": 1}
    verdict = verdict_of(run(groups((1, 0), (1, 0), truncated=1) | lost, lost, groups()))
    assert verdict.startswith("Verdict: 6 responses were lost (reward 4, other 2), and all numbers are of the others")
    assert "edge_grpo.max_lost_fraction" in verdict
    none_lost = dict.fromkeys(lost, 0)
    assert "nothing" in verdict_of(run(groups() | none_lost))


def test_a_run_without_metrics_of_groups_has_no_verdict():
    assert verdict_of(RunMetrics("stock", {1: {"timing_s/step": 2.0}})) is None
    assert verdict_of(run({"accuracy/first_pass": 0.5})) is None


def test_every_limit_is_some_runs_verdict():
    """The cases above reach each line of the table."""
    rows = next(mark for mark in test_what_limits_a_run_is_said_with_its_share_and_the_setting_that_helps.pytestmark)
    verdicts = [verdict_of(run(case[0])) for case in rows.args[1]]
    for limit in (*CAUSES, *WITHOUT_CONTRAST):
        assert any(limit.description in verdict for verdict in verdicts)
