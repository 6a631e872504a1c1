"""When lost responses end a run, and what is said of them."""

import pytest

from recipe.edge_grpo.correction.sessions import LossCause, SessionCounts
from recipe.edge_grpo.training_step.lost_sessions import LostSessionsError, SessionWatch, session_metrics


def counts(num_ended, reward=0, generation=0, other=0):
    lost = {LossCause.REWARD: reward, LossCause.GENERATION: generation, LossCause.OTHER: other}
    first_errors = {cause: f"{cause} failed" for cause, number in lost.items() if number}
    return SessionCounts(num_ended, lost, first_errors)


def ends(steps, max_lost_fraction=0.05):
    """The number of the step that ends the run; None if none does."""
    watch = SessionWatch("training", max_lost_fraction)
    for number, step in enumerate(steps, start=1):
        try:
            watch.look(step)
        except LostSessionsError:
            return number
    return None


@pytest.mark.parametrize(
    ("steps", "ending"),
    [
        ([counts(64)], None),
        ([counts(512, reward=25)], None),  # 25 <= 0.05 x 512 = 25.6
        ([counts(512, reward=26)], 1),
        ([counts(512, reward=10, generation=10, other=6)], 1),  # all causes together
        ([counts(8, reward=1)], None),  # of a small step, judged as if of 100: 1 <= 5
        ([counts(8, reward=8)], 1),
        ([counts(64, reward=5)] * 2, 2),  # 5 <= 5; then 10 > 0.05 x 128
        ([counts(8, reward=1)] * 20, 6),  # 6 > 0.05 x 100
        ([counts(64, reward=5), *[counts(64)] * 2, counts(64, reward=5)], None),  # the first is forgotten by then
        ([*[counts(512)] * 50, counts(512, reward=26)], 51),  # what went well before does not excuse it
        ([], None),
    ],
)
def test_a_run_ends_when_too_large_a_share_of_its_latest_responses_is_lost(steps, ending):
    assert ends(steps) == ending


def test_a_fraction_of_zero_allows_none_and_null_allows_all():
    assert ends([counts(512), counts(512, other=1)], max_lost_fraction=0) == 2
    assert ends([counts(64, reward=64)] * 3, max_lost_fraction=None) is None


def test_the_message_has_the_key_the_counts_the_first_errors_and_the_fix():
    with pytest.raises(LostSessionsError) as caught:
        SessionWatch("validation", 0.1).look(counts(64, reward=12, other=2))
    assert str(caught.value) == (
        "edge_grpo.max_lost_fraction=0.1: of the last 64 validation responses 14 were lost while they were sampled or "
        "scored (reward 12, generation 0, other 2). First errors: other: other failed; reward: reward failed. Mend "
        "what raises them, or raise edge_grpo.max_lost_fraction (null: never end a run for it)"
    )


@pytest.mark.parametrize("max_lost_fraction", [0.05, None])
def test_a_refusal_ends_the_run_whatever_may_be_lost(max_lost_fraction):
    refused = SessionCounts(num_ended=512, refusal="edge_grpo.gec.accuracy_key=acc: …")
    with pytest.raises(LostSessionsError, match=r"^edge_grpo\.gec\.accuracy_key=acc: …$"):
        SessionWatch("training", max_lost_fraction).look(refused)


def test_several_looks_in_a_step_are_one_count_and_the_next_step_starts_afresh():
    watch = SessionWatch("training", None)
    watch.look(counts(32, reward=1))
    watch.look(counts(32, reward=2, other=1))
    metrics = session_metrics(watch.take_counts())
    assert metrics == {
        "edge_grpo/sessions_lost_reward": 3,
        "edge_grpo/sessions_lost_generation": 0,
        "edge_grpo/sessions_lost_other": 1,
    }
    assert watch.take_counts() == SessionCounts()


def test_the_accuracy_of_all_sampled_is_the_mean_over_all_workers():
    total = SessionCounts(num_scored=3, sum_of_accuracies=3.0)
    total.add(SessionCounts(num_scored=1))
    assert session_metrics(total)["edge_grpo/accuracy/first_pass_of_all_sampled"] == 0.75  # 3 of 4


def test_shares_of_groups_are_of_all_workers_groups_and_absent_without_any():
    total = SessionCounts(num_groups=3, num_identical_groups=1)
    total.add(SessionCounts(num_groups=5, num_identical_groups=1, num_truncated_groups=6))
    metrics = session_metrics(total)
    assert metrics["edge_grpo/groups/identical_responses"] == 2 / 8
    assert metrics["edge_grpo/groups/all_truncated"] == 6 / 8
    assert not [name for name in session_metrics(SessionCounts()) if "groups" in name]
