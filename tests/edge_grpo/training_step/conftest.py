"""The trainer's part of a step, with a real Ray and a real TransferQueue and without a model.

A batch is stored as verl's agent loop stores it, padded by verl's own function, and put through `_compute_advantage`
of a trainer that is made without its constructor (which would start workers).

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

`verify_status` of the first pass is in the record of a row, that of what is stored in the row itself.
"""

import dataclasses
import itertools

import pytest
import torch

from recipe.edge_grpo.correction.record import RECORD_KEY, CorrectionRecord, Skipped
from recipe.edge_grpo.settings.choices import Strategy

EOS = 9


@dataclasses.dataclass
class Row:
    uid: str
    session: int
    reward: float
    entropy: list[float]
    record: CorrectionRecord | None = None
    verify_status: str | None = "ok"
    accuracy: float | None = None  # None: 1 for a reward
    response_mask: list[int] | None = None  # None: 1 everywhere

    @property
    def key(self):
        return f"{self.uid}_{self.session}_0"


def failed(verify_status, **correction):
    return CorrectionRecord(0.0, 0.0, True, first_pass_verify_status=verify_status, **correction)


ROWS = [
    # the first row is the one that verl's padding copies: it has a record, and its group is small
    Row("d", 1, 1.0, [2.0, 2.0, 2.0], failed("timeout", strategy=Strategy.SOLUTION, injected_spans=((0, 3),))),
    Row("a", 0, 1.0, [0.2, 0.4, 0.6], CorrectionRecord(1.0, 1.0, False, first_pass_verify_status="ok")),
    Row("b", 0, 0.0, [1.0, 1.0], failed("no_box", strategy=Strategy.ANSWER, injected_spans=((0, 2),)), "limit"),
    Row("a", 1, 0.0, [0.7, 0.9], failed("no_box", skipped=Skipped.PROMPT_TOO_LONG), "no_box"),
    Row("c", 0, 1.0, [0.5, 0.5]),
    Row("d", 0, 0.0, [2.0, 2.0], failed("crash", skipped=Skipped.GENERATION_FAILED), "crash"),
    Row(
        "a",
        2,
        1.0,
        [1.2, 1.2, 1.2, 1.2],
        failed(
            "parse_error",
            strategy=Strategy.REFLECTION,
            injected_spans=((1, 2),),
            reflection_rounds=1,
            tokens_regenerated=2,
            first_pass_text="3 3",
        ),
    ),
    Row("b", 1, 0.0, [3.0], failed("no_gold", skipped=Skipped.NO_ROOM), "no_gold"),
]


@pytest.fixture
def table():
    """The rows of the table, in the order in which they are stored."""
    return ROWS


@pytest.fixture(scope="module")
def queue():
    """The real TransferQueue with one storage unit, as the profile cpu has it, in a Ray that ends with the module."""
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

    def store(rows=ROWS, batch_multiple=1, rollout_log_prob=-1.0, old_log_prob=-1.0, has_old_log_probs=True):
        partition, fields, tags = next(partitions), [], []
        for row in rows:
            length = len(row.entropy)
            reported = {"acc": float(row.reward > 0) if row.accuracy is None else row.accuracy}
            if row.verify_status is not None:
                reported["verify_status"] = row.verify_status
            output = AgentLoopOutput(
                prompt_ids=[1, 2],
                response_ids=[3] * (length - 1) + [EOS],
                response_mask=row.response_mask or [1] * length,
                response_logprobs=[rollout_log_prob] * length,
                reward_score=row.reward,
                num_turns=2,
                metrics={},
                extra_fields={"turn_scores": [], "reward_extra_info": reported},
            )
            if row.record is not None:
                output.extra_fields[RECORD_KEY] = dataclasses.asdict(row.record)
            field = output.as_dict() | {"uid": row.uid, "session_id": row.session, "multi_modal_inputs": {}}
            field |= {"index": ord(row.uid), "reward_model": {"ground_truth": "4"}}
            field["loss_mask"] = field["response_mask"]
            field["input_ids"] = torch.cat([field["prompts"], field["responses"]])
            field["position_ids"] = torch.arange(len(field["input_ids"]))
            fields.append(field)
            tags.append({"status": "success", "prompt_len": 2, "response_len": length, "seq_len": 2 + length})
        keys = [row.key for row in rows]
        queue.kv_batch_put(keys=keys, fields=list_of_dict_to_tensordict(fields), tags=tags, partition_id=partition)
        batch = KVBatchMeta(keys=keys, tags=tags, partition_id=partition)
        batch = upsample_batch_to_divisible_size(batch, batch_multiple, EOS)
        if not has_old_log_probs:
            return batch
        num_padding = len(batch) - len(rows)
        entropies = [row.entropy for row in rows] + [[7.0]] * num_padding  # of padding: anything
        computed = {"entropy": nested(entropies), "old_log_probs": nested([[old_log_prob] * len(e) for e in entropies])}
        queue.kv_batch_put(keys=batch.keys, fields=TensorDict(computed, batch_size=len(batch)), partition_id=partition)
        return batch

    return store


@pytest.fixture
def build(compose):
    """build(recipe, *overrides): a trainer without workers."""
    from recipe.edge_grpo.run.config_checks import check_config
    from recipe.edge_grpo.settings.block import read_settings
    from recipe.edge_grpo.training_step.lost_sessions import SessionWatch
    from recipe.edge_grpo.training_step.trainer import EdgeGRPOTrainerSync

    def build(name, *overrides):
        config = compose(f"+recipe={name}", "actor_rollout_ref.rollout.name=vllm", *overrides)
        check_config(config)
        trainer = object.__new__(EdgeGRPOTrainerSync)
        trainer.config, trainer.edge_grpo_settings = config, read_settings(config)
        trainer.timing_raw, trainer.rollout_columns = {}, {}
        trainer.training_sessions = SessionWatch("training", trainer.edge_grpo_settings.max_lost_fraction)
        trainer.validation_sessions = SessionWatch("validation", trainer.edge_grpo_settings.max_lost_fraction)
        trainer.is_sampling, trainer.sub_steps = False, []
        return trainer

    return build


@pytest.fixture
def field_of(queue):
    """field_of(batch, name): {key: list of numbers} for each row of the batch."""

    def field_of(batch, name):
        data = queue.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=[name])
        return {key: value.tolist() for key, value in zip(batch.keys, data[name].unbind(), strict=True)}

    return field_of


@pytest.fixture
def fill():
    """fill(batch): injected tokens get their old log-probability."""
    from recipe.edge_grpo.training_step.transfer_queue import fill_injected_log_probs

    return fill_injected_log_probs
