"""The trainer's part of a step, with a real Ray and a real TransferQueue and without a model.

A batch is stored as verl's agent loop stores it, padded by verl's own function, and put through `_compute_advantage`
and `_fill_injected_log_probs` of a trainer that is made without its constructor (which would start workers).

The batch, by hand (P: mean entropy of the response; groups interleave; A with the sample std of the group):

    row  reward  P    ratio       A                          correction
    a0   1       0.4  0.4 / 0.8   (1 - 2/3) / sqrt(1/3)      none needed
    a1   0       0.8  1           (0 - 2/3) / sqrt(1/3)      skipped: prompt too long
    a2   1       1.2  1.5         (1 - 2/3) / sqrt(1/3)      reflection, succeeded
    b0   0       1    1 / 2       0                          answer, failed again
    b1   0       3    1.5         0                          skipped: no room
    c0   1       0.5  1           1 (a group of one)         not looked at
    d0   0       2    1           -0.5 / sqrt(1/2)           skipped: generation failed
    d1   1       2    1           +0.5 / sqrt(1/2)           solution, succeeded
"""

import dataclasses
import itertools
import types

import numpy as np
import pytest
import torch

from recipe.edge_grpo.correction import Strategy
from recipe.edge_grpo.diagnostics import RECORD_KEY, CorrectionRecord, Skipped

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

EPSILON = 1e-6
EOS = 9


@dataclasses.dataclass
class Row:
    uid: str
    session: int
    reward: float
    entropy: list[float]
    record: CorrectionRecord | None = None

    @property
    def key(self):
        return f"{self.uid}_{self.session}_0"


FAILED = {"first_pass_reward": 0.0, "first_pass_accuracy": 0.0}
ROWS = [
    # the first row is the one that verl's padding copies: it has a record, and its group is small
    Row("d", 1, 1.0, [2.0, 2.0, 2.0], CorrectionRecord(**FAILED, strategy=Strategy.SOLUTION, injected_end=3)),
    Row("a", 0, 1.0, [0.2, 0.4, 0.6], CorrectionRecord(1.0, 1.0)),
    Row("b", 0, 0.0, [1.0, 1.0], CorrectionRecord(**FAILED, strategy=Strategy.ANSWER, injected_end=2)),
    Row("a", 1, 0.0, [0.7, 0.9], CorrectionRecord(**FAILED, skipped=Skipped.PROMPT_TOO_LONG)),
    Row("c", 0, 1.0, [0.5, 0.5]),
    Row("d", 0, 0.0, [2.0, 2.0], CorrectionRecord(**FAILED, skipped=Skipped.GENERATION_FAILED)),
    Row(
        "a",
        2,
        1.0,
        [1.2, 1.2, 1.2, 1.2],
        CorrectionRecord(
            **FAILED, strategy=Strategy.REFLECTION, injected_start=1, injected_end=2, tokens_regenerated=2
        ),
    ),
    Row("b", 1, 0.0, [3.0], CorrectionRecord(**FAILED, skipped=Skipped.NO_ROOM)),
]


def advantage_by_hand(row, ratios):
    """A / ratio, from the table above."""
    third, half = 3**-0.5 + EPSILON, 2**-0.5 + EPSILON
    raw = {
        "a0": (1 / 3) / third,
        "a1": (-2 / 3) / third,
        "a2": (1 / 3) / third,
        "b0": 0.0,
        "b1": 0.0,
        "c0": 1 / (1 + EPSILON),
        "d0": -0.5 / half,
        "d1": 0.5 / half,
    }
    name = f"{row.uid}{row.session}"
    return raw[name] / ratios.get(name, 1.0)


RATIOS = {"a0": 0.5, "a2": 1.5, "b0": 0.5, "b1": 1.5}


@pytest.fixture(scope="module")
def queue():
    """The real TransferQueue with one storage unit, as the profile cpu has it, in a real Ray."""
    import ray
    import transfer_queue as tq
    from omegaconf import OmegaConf

    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        tq.init(
            OmegaConf.create(
                {"backend": {"storage_backend": "SimpleStorage", "SimpleStorage": {"num_data_storage_units": 1}}}
            )
        )
        yield tq
        tq.close()
    finally:
        ray.shutdown()


partitions = (f"train{number}" for number in itertools.count())


def nested(rows):
    return torch.nested.as_nested_tensor([torch.as_tensor(row) for row in rows], layout=torch.jagged)


@pytest.fixture
def store(queue):
    """store(rows): the batch as it is after `_compute_old_log_prob`; padded to a multiple of `batch_multiple`."""
    from tensordict import TensorDict
    from transfer_queue import KVBatchMeta
    from verl.experimental.agent_loop import AgentLoopOutput
    from verl.trainer.ppo.padding_utils import upsample_batch_to_divisible_size
    from verl.utils.tensordict_utils import list_of_dict_to_tensordict

    def store(rows=ROWS, batch_multiple=1, rollout_log_prob=-1.0, old_log_prob=-1.0):
        partition, fields, tags = next(partitions), [], []
        for row in rows:
            length = len(row.entropy)
            output = AgentLoopOutput(
                prompt_ids=[1, 2],
                response_ids=[3] * (length - 1) + [EOS],
                response_mask=[1] * length,
                response_logprobs=[rollout_log_prob] * length,
                reward_score=row.reward,
                num_turns=2,
                metrics={},
                extra_fields={"turn_scores": [], "reward_extra_info": {"acc": float(row.reward > 0)}},
            )
            if row.record is not None:
                output.extra_fields[RECORD_KEY] = dataclasses.asdict(row.record)
            field = output.as_dict() | {"uid": row.uid, "session_id": row.session, "multi_modal_inputs": {}}
            field["loss_mask"] = field["response_mask"]
            field["input_ids"] = torch.cat([field["prompts"], field["responses"]])
            field["position_ids"] = torch.arange(len(field["input_ids"]))
            fields.append(field)
            tags.append({"status": "success", "prompt_len": 2, "response_len": length, "seq_len": 2 + length})
        keys = [row.key for row in rows]
        queue.kv_batch_put(keys=keys, fields=list_of_dict_to_tensordict(fields), tags=tags, partition_id=partition)
        batch = KVBatchMeta(keys=keys, tags=tags, partition_id=partition)
        batch = upsample_batch_to_divisible_size(batch, batch_multiple, EOS)
        num_padding = len(batch) - len(rows)
        entropies = [row.entropy for row in rows] + [[7.0]] * num_padding  # of padding: anything
        computed = {"entropy": nested(entropies), "old_log_probs": nested([[old_log_prob] * len(e) for e in entropies])}
        queue.kv_batch_put(keys=batch.keys, fields=TensorDict(computed, batch_size=len(batch)), partition_id=partition)
        return batch

    return store


@pytest.fixture
def build(compose):
    """build(recipe, *overrides): a trainer without workers."""
    from recipe.edge_grpo.checks import check_config, read_settings
    from recipe.edge_grpo.trainer import EdgeGRPOTrainerSync

    def build(name, *overrides):
        config = compose(f"+recipe={name}", "actor_rollout_ref.rollout.name=vllm", *overrides)
        check_config(config)
        trainer = object.__new__(EdgeGRPOTrainerSync)
        trainer.config, trainer.edge_grpo_settings = config, read_settings(config)
        return trainer

    return build


def field_of(queue, batch, name):
    """{key: list of numbers} for each row of the batch."""
    data = queue.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=[name])
    return {key: value.tolist() for key, value in zip(batch.keys, data[name].unbind(), strict=True)}


def ours(metrics):
    return {name: value for name, value in metrics.items() if name.startswith("edge_grpo/")}


def test_advantages_are_those_of_the_table(queue, store, build):
    batch = store(batch_multiple=5)
    assert len(batch) == 10  # two padding rows
    build("edge_grpo")._compute_advantage(batch, {})
    advantages = field_of(queue, batch, "advantages")
    for row in ROWS:
        assert advantages[row.key] == pytest.approx([advantage_by_hand(row, RATIOS)] * len(row.entropy), rel=1e-5)
    assert [advantages[key] for key in batch.keys[len(ROWS) :]] == [[0.0], [0.0]]
    assert field_of(queue, batch, "returns") == advantages


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
    "edge_grpo/gec/skipped_generation_failed": 1,
    "edge_grpo/gec/answer_for_missing_solution": 0,
    "edge_grpo/gec/tokens_injected": 3 + 2 + 1,
    "edge_grpo/gec/tokens_regenerated": 2,
}


def test_metrics_are_those_of_the_table(store, build):
    metrics = {}
    build("edge_grpo")._compute_advantage(store(batch_multiple=5), metrics)
    assert ours(metrics) == pytest.approx(METRICS, rel=1e-5)


def test_padding_rows_change_neither_metrics_nor_the_advantages_of_other_rows(queue, store, build):
    results = []
    for batch_multiple in (1, 5, 16):
        metrics, batch = {}, store(batch_multiple=batch_multiple)
        build("edge_grpo")._compute_advantage(batch, metrics)
        advantages = field_of(queue, batch, "advantages")
        results.append((ours(metrics), [advantages[row.key] for row in ROWS]))
    assert results[0] == results[1] == results[2]


def test_the_order_of_rows_does_not_matter(queue, store, build):
    results = []
    for rows in (ROWS, ROWS[::-1]):
        metrics, batch = {}, store(rows)
        build("edge_grpo")._compute_advantage(batch, metrics)
        results.append((ours(metrics), field_of(queue, batch, "advantages")))
    assert results[0][0] == pytest.approx(results[1][0])
    assert results[0][1] == results[1][1]


def test_bounds_on_the_ratio_reach_the_advantage_and_are_counted(queue, store, build):
    metrics, batch = {}, store(batch_multiple=5)
    build("edge_grpo", "edge_grpo.eda.clip=[0.8,1.2]")._compute_advantage(batch, metrics)
    advantages = field_of(queue, batch, "advantages")
    bounded = {"a0": 0.8, "a2": 1.2, "b0": 0.8, "b1": 1.2}
    for row in ROWS:
        assert advantages[row.key][0] == pytest.approx(advantage_by_hand(row, bounded), rel=1e-5)
    assert metrics["edge_grpo/entropy_ratio/clipped_fraction"] == 4 / 8
    assert metrics["edge_grpo/entropy_ratio/min"] == pytest.approx(0.8)
    assert metrics["edge_grpo/entropy_ratio/max"] == pytest.approx(1.2)


@pytest.mark.parametrize("entropy", [0.0, 0.7])
def test_with_neutral_entropies_the_advantages_are_verls_grpo(queue, store, build, entropy):
    from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

    rows = [dataclasses.replace(row, entropy=[entropy] * len(row.entropy)) for row in ROWS]
    batch = store(rows, batch_multiple=5)
    build("edge_grpo")._compute_advantage(batch, {})
    advantages = field_of(queue, batch, "advantages")
    verls, _ = compute_grpo_outcome_advantage(
        torch.tensor([[row.reward] for row in rows]),
        torch.ones(len(rows), 1),
        np.array([row.uid for row in rows], dtype=object),
    )
    for row, (expected,) in zip(rows, verls.tolist(), strict=True):
        assert advantages[row.key] == pytest.approx([expected] * len(row.entropy), abs=1e-6)


def test_recipe_grpo_leaves_verls_advantages_bit_identical(queue, store, build):
    from verl.trainer.ppo.v1 import PPOTrainerSync

    batch, stock_batch = store(batch_multiple=5), store(batch_multiple=5)
    trainer, metrics = build("grpo"), {}
    trainer._compute_advantage(batch, metrics)
    PPOTrainerSync._compute_advantage(types.SimpleNamespace(config=trainer.config), stock_batch, {})
    with_plugin, stock = field_of(queue, batch, "advantages"), field_of(queue, stock_batch, "advantages")
    assert [with_plugin[row.key] for row in ROWS] == [stock[row.key] for row in ROWS]
    # no entropy ratio was used
    assert metrics["edge_grpo/entropy_ratio/min"] == metrics["edge_grpo/entropy_ratio/max"] == 1.0
    assert metrics["edge_grpo/entropy_ratio/clipped_fraction"] == 0.0
    assert metrics["edge_grpo/advantage_variance/before_eda"] == metrics["edge_grpo/advantage_variance/after_eda"]
    assert metrics["edge_grpo/entropy/mean"] == pytest.approx(10.9 / 8)


def test_a_batch_of_one_row_and_one_of_equal_lengths_are_no_special_cases(queue, store, build):
    for rows in (ROWS[:1], [ROWS[2], ROWS[3], ROWS[5]]):
        metrics, batch = {}, store(rows)
        build("edge_grpo")._compute_advantage(batch, metrics)
        assert set(field_of(queue, batch, "advantages")) == {row.key for row in rows}
        assert ours(metrics)["edge_grpo/gec/failed_fraction"] == 1.0


def test_several_outputs_of_a_session_are_refused_with_the_key(store, build):
    batch = store()
    batch.keys[3] = "a_1_1"
    with pytest.raises(ValueError, match="agent-loop output a_1_1.*several outputs a session"):
        build("edge_grpo")._compute_advantage(batch, {})


def test_injected_tokens_get_the_old_log_probability_and_no_other_token_changes(queue, store, build):
    batch, metrics = store(batch_multiple=5, rollout_log_prob=-1.5, old_log_prob=-1.0), {}
    before = field_of(queue, batch, "rollout_log_probs")
    build("edge_grpo")._fill_injected_log_probs(batch, metrics)
    after = field_of(queue, batch, "rollout_log_probs")
    injected = {"a_2_0": [1], "b_0_0": [0, 1], "d_1_0": [0, 1, 2]}
    for key, values in after.items():
        expected = [-1.0 if place in injected.get(key, []) else old for place, old in enumerate(before[key])]
        assert values == expected, key
    assert field_of(queue, batch, "old_log_probs")["a_2_0"] == [-1.0] * 4
    # verl's comparison: 19 tokens, of which 6 are injected and equal now; the others differ by e^-1 - e^-1.5
    difference = np.exp(-1.0) - np.exp(-1.5)
    assert metrics["training/rollout_probs_diff_max"] == pytest.approx(difference, rel=1e-5)
    assert metrics["training/rollout_probs_diff_mean"] == pytest.approx(difference * 13 / 19, rel=1e-5)


def test_filling_twice_is_filling_once(queue, store, build):
    batch = store(rollout_log_prob=-1.5)
    results = []
    for _ in range(2):
        build("edge_grpo")._fill_injected_log_probs(batch, {})
        results.append(field_of(queue, batch, "rollout_log_probs"))
    assert results[0] == results[1]


def test_verls_rollout_correction_gives_injected_tokens_the_weight_1(queue, store, build):
    trainer = build(
        "edge_grpo",
        "algorithm.rollout_correction.rollout_is=token",
        "algorithm.rollout_correction.rollout_is_threshold=10.0",
    )
    batch = store(rollout_log_prob=-1.5, old_log_prob=-1.0)
    trainer._fill_injected_log_probs(batch, {})
    trainer._compute_advantage(batch, {})
    weights = field_of(queue, batch, "rollout_is_weights")
    sampled = float(np.exp(-1.0 + 1.5))
    assert weights["a_2_0"] == pytest.approx([sampled, 1.0, sampled, sampled], rel=1e-5)
    assert weights["d_1_0"] == [1.0, 1.0, 1.0]
    assert weights["a_0_0"] == pytest.approx([sampled] * 3, rel=1e-5)


def test_verls_trainer_still_stores_and_fetches_what_the_mixin_stands_on():
    """Fails when verl changes there."""
    import inspect

    from verl.trainer.ppo.v1 import PPOTrainerSync

    assert list(inspect.signature(PPOTrainerSync._compute_advantage).parameters) == ["self", "batch", "metrics"]
    assert list(inspect.signature(PPOTrainerSync._compute_old_log_prob).parameters) == ["self", "batch", "metrics"]
    assert 'select("old_log_probs", "entropy")' in inspect.getsource(PPOTrainerSync._compute_old_log_prob)
    assert '"entropy"' not in inspect.getsource(PPOTrainerSync._compute_advantage)  # else the mixin is not needed
