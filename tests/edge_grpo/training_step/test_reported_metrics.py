"""The metrics of a step, by the table in conftest.py, and what of a batch's make-up changes nothing in them."""

import dataclasses
import types

import pytest

from recipe.edge_grpo.correction.sessions import LossCause, SessionCounts
from recipe.edge_grpo.settings.choices import Strategy
from recipe.edge_grpo.training_step.lost_sessions import LostSessionsError

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

METRICS = {
    # before: b, c and d of 4 groups have no contrast; b and d are all wrong; c is all correct. After: d has contrast.
    "edge_grpo/groups/zero_variance_before_gec": 3 / 4,
    "edge_grpo/groups/all_wrong_before_gec": 2 / 4,
    "edge_grpo/groups/all_correct_before_gec": 1 / 4,
    "edge_grpo/groups/zero_variance_after_gec": 2 / 4,
    "edge_grpo/groups/all_wrong_after_gec": 1 / 4,
    "edge_grpo/groups/all_correct_after_gec": 1 / 4,
    "edge_grpo/accuracy/first_pass": 2 / 8,  # a0, c0
    "edge_grpo/accuracy/after_gec": 4 / 8,  # and a2, d1
    # a and d have variance 1, b has 0; c has one row
    "edge_grpo/advantage_variance/before_eda": 2 / 3,
    # a: (2, -2, 2/3) / sqrt(3): mean 2/9; squares (16/9)^2 + (20/9)^2 + (4/9)^2 = 672/81; / 3 / 2 = 112/81
    "edge_grpo/advantage_variance/after_eda": (112 / 81 + 0 + 1) / 3,
    "edge_grpo/entropy/mean": 10.9 / 8,
    "edge_grpo/entropy/correct": (0.4 + 1.2 + 0.5 + 2) / 4,
    "edge_grpo/entropy/wrong": (0.8 + 1 + 3 + 2) / 4,
    "edge_grpo/entropy_ratio/min": 0.5,
    "edge_grpo/entropy_ratio/max": 1.5,
    "edge_grpo/entropy_ratio/clipped_fraction": 0.0,
    "edge_grpo/gec/failed_fraction": 6 / 8,
    "edge_grpo/gec/reflection": 1,
    "edge_grpo/gec/reflection_success_rate": 1.0,
    "edge_grpo/gec/answer": 1,
    "edge_grpo/gec/answer_success_rate": 0.0,
    "edge_grpo/gec/solution": 1,
    "edge_grpo/gec/solution_success_rate": 1.0,
    "edge_grpo/gec/skipped_prompt_too_long": 1,
    "edge_grpo/gec/skipped_no_room": 1,
    "edge_grpo/gec/skipped_no_answer": 0,
    "edge_grpo/gec/skipped_generation_failed": 1,
    "edge_grpo/gec/skipped_generation_timed_out": 0,
    "edge_grpo/gec/skipped_scoring_failed": 0,
    "edge_grpo/gec/skipped_truncated": 0,
    "edge_grpo/gec/skipped_no_solution": 0,
    "edge_grpo/gec/skipped_solution_too_long": 0,
    "edge_grpo/gec/skipped_scored_by_agent_loop": 0,
    "edge_grpo/gec/skipped_not_sampled_by_policy_client": 0,
    "edge_grpo/gec/skipped_media_in_response": 0,
    "edge_grpo/gec/answer_for_missing_solution": 0,
    "edge_grpo/gec/solution_cut": 0,
    "edge_grpo/gec/guard_sure": 0,
    "edge_grpo/gec/guard_kept": 0,
    "edge_grpo/gec/guard_without_sure_correction": 0,
    "edge_grpo/gec/reflection_rounds": 1,
    "edge_grpo/gec/tokens_failed_prefix": 0,
    "edge_grpo/gec/tokens_injected": 3 + 2 + 1,
    "edge_grpo/gec/tokens_regenerated": 2,
    "edge_grpo/gec/hint": 0,
    "edge_grpo/gec/hint_skipped_no_hint": 0,
    "edge_grpo/gec/hint_skipped_prompt_not_rebuilt": 0,
    "edge_grpo/gec/hint_skipped_no_room": 0,
    "edge_grpo/gec/hint_skipped_not_single_turn": 0,
    "edge_grpo/gec/hint_without_success": 0,
    "edge_grpo/gec/hints_tried": 0,
    "edge_grpo/gec/tokens_resampled": 0,
    "edge_grpo/verify/no_box": 2,  # b0 at first, a1
    "edge_grpo/verify/no_gold": 1,  # b1
    "edge_grpo/verify/limit": 1,  # b0 after correction
    "edge_grpo/verify/timeout": 1,  # d1 at first
    "edge_grpo/verify/crash": 1,  # d0
    "edge_grpo/verify/parse_error": 1,  # a2 at first
}

# Of the sessions since the step before, which agent-loop workers count: see test_lost_sessions.py.
OF_SESSIONS = {
    "edge_grpo/sessions_lost_reward": 2,
    "edge_grpo/sessions_lost_generation": 0,
    "edge_grpo/sessions_lost_other": 0,
    "edge_grpo/accuracy/first_pass_of_all_sampled": 0.25,
    "edge_grpo/groups/identical_responses": 0.5,
    "edge_grpo/groups/all_truncated": 0.0,
}
OF_VALIDATION = {"edge_grpo/validation/sessions_lost": 1}


def ours(metrics):
    return {name: value for name, value in metrics.items() if name.startswith("edge_grpo/")}


def test_metrics_are_those_of_the_table(store, build):
    metrics = {}
    build("edge_grpo")._compute_advantage(store(batch_multiple=5), metrics)
    assert ours(metrics) == pytest.approx(METRICS, rel=1e-5)


def test_a_hint_is_reported_as_the_other_strategies_are(store, build, table):
    metrics = {}
    is_solution = [row.record is not None and row.record.strategy is Strategy.SOLUTION for row in table]
    records = [dataclasses.replace(row.record, strategy=Strategy.HINT) if here else row.record
               for row, here in zip(table, is_solution, strict=True)]  # fmt: skip
    rows = [dataclasses.replace(row, record=record) for row, record in zip(table, records, strict=True)]
    build("edge_grpo")._compute_advantage(store(rows), metrics)
    expected = {"edge_grpo/gec/solution": 0, "edge_grpo/gec/hint": 1, "edge_grpo/gec/hint_success_rate": 1.0}
    assert {name: metrics[name] for name in expected} == expected


def with_format_reward(row, format_reward=1.0):
    """The row with its accuracy as it was, and a reward that is more than that before and after correction."""
    record = row.record
    if record is not None:
        record = dataclasses.replace(record, first_pass_reward=record.first_pass_reward + format_reward)
    return dataclasses.replace(row, reward=row.reward + format_reward, accuracy=row.reward, record=record)


def test_a_format_reward_that_all_get_changes_no_metric_and_no_advantage(store, build, field_of, table):
    metrics, advantages = {}, []
    for rows in (table, [with_format_reward(row) for row in table]):
        batch = store(rows)
        build("edge_grpo_paper")._compute_advantage(batch, metrics)
        advantages.append(field_of(batch, "advantages"))
    assert ours(metrics) == pytest.approx(METRICS, rel=1e-5)
    group_of_one = "c_0_0"  # its advantage is its reward
    for key in advantages[0].keys() - {group_of_one}:
        assert advantages[0][key] == pytest.approx(advantages[1][key], abs=1e-6)


def test_a_format_reward_that_some_get_makes_contrast_and_nothing_correct(store, build, table):
    metrics = {}
    rows = [with_format_reward(row, format_reward=float(row.key != "b_1_0")) for row in table]
    build("edge_grpo_paper")._compute_advantage(store(rows), metrics)
    of_accuracy = [
        name for name in METRICS if not name.startswith(("edge_grpo/groups/zero", "edge_grpo/advantage_variance"))
    ]
    assert {name: metrics[name] for name in of_accuracy} == pytest.approx({name: METRICS[name] for name in of_accuracy})
    # b has contrast now, before and after correction; c is left, and d before correction
    assert metrics["edge_grpo/groups/zero_variance_before_gec"] == 2 / 4
    assert metrics["edge_grpo/groups/zero_variance_after_gec"] == 1 / 4
    assert metrics["edge_grpo/advantage_variance/before_eda"] == pytest.approx(1.0, rel=1e-5)


def verify_counts(metrics):
    prefix = "edge_grpo/verify/"
    return {name.removeprefix(prefix): value for name, value in metrics.items() if name.startswith(prefix)}


def test_without_error_correction_each_response_is_graded_once(store, build, table):
    metrics = {}
    rows = [dataclasses.replace(row, record=None) for row in table]
    build("grpo")._compute_advantage(store(rows, batch_multiple=5), metrics)
    assert verify_counts(metrics) == dict(no_box=1, no_gold=1, limit=1, timeout=0, crash=1, parse_error=0)


def test_a_reward_function_without_a_verify_status_leaves_no_verify_metrics(store, build, table):
    metrics = {}
    rows = [dataclasses.replace(row, record=None, verify_status=None) for row in table]
    build("grpo")._compute_advantage(store(rows), metrics)
    assert verify_counts(metrics) == {}


def test_padding_rows_change_neither_metrics_nor_the_advantages_of_other_rows(store, build, field_of, table):
    results = []
    for batch_multiple in (1, 5, 16):
        metrics, batch = {}, store(batch_multiple=batch_multiple)
        build("edge_grpo")._compute_advantage(batch, metrics)
        advantages = field_of(batch, "advantages")
        results.append((ours(metrics), [advantages[row.key] for row in table]))
    assert results[0] == results[1] == results[2]


def test_the_order_of_rows_does_not_matter(store, build, field_of, table):
    results = []
    for rows in (table, table[::-1]):
        metrics, batch = {}, store(rows)
        build("edge_grpo")._compute_advantage(batch, metrics)
        results.append((ours(metrics), field_of(batch, "advantages")))
    assert results[0][0] == pytest.approx(results[1][0])
    assert results[0][1] == results[1][1]


def test_a_batch_of_one_row_and_one_of_equal_lengths_are_no_special_cases(store, build, field_of, table):
    for rows in (table[:1], [table[2], table[3], table[5]]):
        metrics, batch = {}, store(rows)
        build("edge_grpo")._compute_advantage(batch, metrics)
        assert set(field_of(batch, "advantages")) == {row.key for row in rows}
        assert ours(metrics)["edge_grpo/gec/failed_fraction"] == 1.0


def lost(number, **counts):
    return SessionCounts(num_lost=dict.fromkeys(LossCause, 0) | {LossCause.REWARD: number}, **counts)


@pytest.fixture
def build_with_sessions(build, monkeypatch):
    """build_with_sessions(training, validation): a trainer whose agent-loop workers report these sessions, once."""
    from verl.trainer.ppo.v1.trainer_base import PPOTrainer

    def build_with_sessions(training=None, validation=None):
        reports = [(training or SessionCounts(), validation or SessionCounts())]
        trainer = build("edge_grpo")
        trainer.agent_loop_manager = types.SimpleNamespace(
            take_session_counts=lambda: reports.pop() if reports else (SessionCounts(), SessionCounts())
        )
        trainer.checkpoint_manager = types.SimpleNamespace(sleep_replicas=lambda: None)
        trainer.curr_step_profile = False
        return trainer

    monkeypatch.setattr(PPOTrainer, "_validate", lambda self: {"val-core/acc": 0.5})
    monkeypatch.setattr(PPOTrainer, "_add_prompts_to_generate", lambda self, num_prompts: num_prompts)
    monkeypatch.setattr(PPOTrainer, "step", lambda self, metrics, timing_raw: "a batch")
    return build_with_sessions


def test_a_step_reports_the_sessions_since_the_step_before(build_with_sessions):
    trainer = build_with_sessions(
        lost(2, num_ended=10, num_scored=8, sum_of_accuracies=2.0, num_groups=2, num_identical_groups=1)
    )
    trainer.on_sample_begin()
    trainer.on_sample_end()
    for expected in (OF_SESSIONS, {name: 0 for name in OF_SESSIONS if "lost" in name}):
        metrics = {}
        assert trainer.step(metrics, {}) == "a batch"
        assert metrics == expected


def test_a_validation_reports_its_own_lost_sessions(build_with_sessions):
    trainer = build_with_sessions(validation=lost(1, num_ended=64))
    assert trainer._validate() == {"val-core/acc": 0.5} | OF_VALIDATION


@pytest.mark.parametrize(
    "ask",
    [
        lambda trainer: trainer.on_sample_end(),
        lambda trainer: trainer._add_prompts_to_generate(1),  # while an asynchronous trainer samples others
        lambda trainer: trainer._validate(),
    ],
    ids=["after sampling", "before others are sampled", "after a validation"],
)
def test_too_many_lost_sessions_end_the_run_where_they_are_noticed(build_with_sessions, ask):
    for sessions in ({"training": lost(8, num_ended=8)}, {"validation": lost(8, num_ended=8)}):
        with pytest.raises(LostSessionsError, match="of the last 8 (training|validation) responses 8 were lost"):
            ask(build_with_sessions(**sessions))
        with pytest.raises(LostSessionsError, match="^unreported$"):
            ask(build_with_sessions(training=SessionCounts(num_ended=8, refusal="unreported")))


@pytest.mark.parametrize(("is_sampling", "error"), [(True, LostSessionsError), (False, RuntimeError)])
def test_a_batch_of_which_nothing_is_left_is_explained_and_an_error_of_another_part_is_not(
    build_with_sessions, monkeypatch, is_sampling, error
):
    from verl.trainer.ppo.v1.trainer_base import PPOTrainer

    def fail(self, *_):
        self.is_sampling = is_sampling
        raise RuntimeError("Sync replay buffer selected terminal groups with no materializable trajectories.")

    monkeypatch.setattr(PPOTrainer, "_step_once", fail)
    with pytest.raises(RuntimeError) as caught:
        build_with_sessions(lost(64, num_ended=64))._step_once({}, {}, 8)
    assert type(caught.value) is error


def test_a_manager_of_the_users_own_is_not_asked(build_with_sessions):
    trainer = build_with_sessions()
    trainer.agent_loop_manager = object()
    trainer.on_sample_end()
    assert trainer._add_prompts_to_generate(3) == 3


def test_a_step_of_two_updates_sums_their_counts_and_weights_their_shares(
    build_with_sessions, store, table, monkeypatch
):
    from verl.trainer.ppo.v1.trainer_base import PPOTrainer
    from verl.trainer.ppo.v1.utils import MetricsAggregator

    def step(self, metrics, timing_raw):
        """As verl's: the mean over the updates, weighted by responses."""
        aggregator = MetricsAggregator()
        for rows in (table, table[:1]):  # 8 responses in 4 groups, and 1
            of_update = {}
            self._compute_advantage(store(rows), of_update)
            aggregator.add_step_metrics(of_update, sample_count=len(rows))
        metrics.update(aggregator.get_aggregated_metrics())

    monkeypatch.setattr(PPOTrainer, "step", step)
    trainer, metrics = build_with_sessions(), {}
    for _ in range(2):  # the second step knows nothing of the first
        metrics.clear()
        trainer.step(metrics, {})
    assert metrics["edge_grpo/gec/solution"] == 1 + 1  # d1, twice
    assert metrics["edge_grpo/groups/all_wrong_before_gec"] == pytest.approx((2 + 1) / (4 + 1))
    assert metrics["edge_grpo/accuracy/first_pass"] == pytest.approx(2 / 9)
    assert metrics["edge_grpo/entropy/wrong"] == pytest.approx((0.8 + 1 + 3 + 2) / 4)  # none in the second
