"""What verl has stored about a batch in TransferQueue: fetched as tensors, and changed fields put back."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import transfer_queue as tq
from tensordict import TensorDict
from torch import Tensor
from transfer_queue import KVBatchMeta
from verl.workers.utils.padding import response_to_nested

from recipe.edge_grpo.correction.record import CorrectionRecord, read_record
from recipe.edge_grpo.settings.choices import EntropySource
from recipe.edge_grpo.training_step.batch import StoredBatch
from recipe.edge_grpo.training_step.estimator import group_numbers
from recipe.edge_grpo.training_step.injected_tokens import injected_mask

# The exact entropy is stored under its own name; the sampled one is the negative log-probability at sampling time.
_ENTROPY_FIELD = {EntropySource.EXACT: ("entropy", 1.0), EntropySource.SAMPLED: ("rollout_log_probs", -1.0)}


def fetch_batch(batch: KVBatchMeta, source: EntropySource) -> StoredBatch:
    """Fetch what the entropy ratio, the injected tokens and the metrics need, in one call."""
    entropy_field, sign = _ENTROPY_FIELD[source]
    fields = ["uid", "rm_scores", "extra_fields", "response_mask", "index", entropy_field]
    data = tq.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=fields)
    names = np.array(data.pop("uid").tolist(), dtype=object)
    extra_fields = data.pop("extra_fields").tolist()
    dataset_index = data.pop("index").tolist() if "index" in data else [None] * len(batch.keys)
    is_padding = _is_padding(batch)
    records = _read_records(extra_fields, is_padding)
    data = data.to_padded_tensor()
    length = data["response_mask"].shape[1]
    return StoredBatch(
        keys=list(batch.keys),
        is_padding=torch.tensor(is_padding),
        group_index=group_numbers(names),
        rewards=data["rm_scores"].sum(dim=1),
        token_entropy=sign * data[entropy_field].float(),
        response_mask=data["response_mask"],
        is_injected=injected_mask([() if record is None else record.injected_spans for record in records], length),
        is_failed_prefix=injected_mask(
            [() if record is None else record.failed_prefix_spans for record in records], length
        ),
        extra_fields=extra_fields,
        records=records,
        dataset_index=dataset_index,
    )


def fetch_dataset_index(batch: KVBatchMeta) -> list[Any]:
    """Fetch the dataset index of each row's prompt; None where the data has none."""
    data = tq.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=["index"])
    return list(data.pop("index").tolist()) if "index" in data else [None] * len(batch.keys)


def fetch_injected_tokens(batch: KVBatchMeta) -> dict[str, list[list[int]]]:
    """Fetch the token ids of each piece that error correction put into a response, {key: pieces}; no padding rows."""
    fields = ["responses", "extra_fields"]
    data = tq.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=fields)
    records = _read_records(data.pop("extra_fields").tolist(), _is_padding(batch))
    return {
        key: [ids[start:end].tolist() for start, end in (record.injected_spans if record else ())]
        for key, record, ids in zip(batch.keys, records, data["responses"].unbind(), strict=True)
    }


def fill_injected_log_probs(batch: KVBatchMeta) -> TensorDict:
    """Give injected tokens, which no rollout sampled, the old log-probability as their rollout log-probability.

    Their importance weight is then 1 in verl's rollout correction.

    Returns:
        (B, T) padded: rollout_log_probs as stored now, old_log_probs, response_mask and responses.
    """
    fields = ["rollout_log_probs", "old_log_probs", "response_mask", "responses", "extra_fields"]
    data = tq.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=fields)
    records = _read_records(data.pop("extra_fields").tolist(), _is_padding(batch))
    rollout_log_probs = list(data["rollout_log_probs"].unbind())
    old_log_probs = data["old_log_probs"].unbind()
    for row, record in enumerate(records):
        if record is not None and record.injected_spans:
            rollout_log_probs[row] = rollout_log_probs[row].clone()
            for start, end in record.injected_spans:
                rollout_log_probs[row][start:end] = old_log_probs[row][start:end]
    data["rollout_log_probs"] = torch.nested.as_nested_tensor(rollout_log_probs, layout=torch.jagged)
    tq.kv_batch_put(keys=batch.keys, partition_id=batch.partition_id, fields=data.select("rollout_log_probs"))
    return data.to_padded_tensor()


def fetch_tokens(batch: KVBatchMeta, name: str) -> Tensor | None:
    """Fetch one number for each token, (B, T) padded with 0; None if verl has not stored it."""
    data = tq.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=[name, "response_mask"])
    return data.to_padded_tensor()[name] if name in data else None


def put_tokens(batch: KVBatchMeta, name: str, values: Tensor) -> None:
    """Store (B, T) numbers, each row cut to the length of its response; `batch` knows the field afterwards.

    verl's workers fetch the fields that `batch` names and no others.
    """
    data = tq.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=["response_mask"])
    nested = response_to_nested(values, data["response_mask"])
    fields = TensorDict({name: nested}, batch_size=len(batch.keys))
    batch.fields = tq.kv_batch_put(keys=batch.keys, partition_id=batch.partition_id, fields=fields).fields


def without_padding(batch: KVBatchMeta) -> KVBatchMeta:
    """Return the batch without the rows that verl added to make it divisible, or in the place of lost responses."""
    is_padding = _is_padding(batch)
    return batch.select_keys([key for key, padding in zip(batch.keys, is_padding, strict=True) if not padding])


def _is_padding(batch: KVBatchMeta) -> list[bool]:
    return [bool(tag.get("is_padding", False)) for tag in batch.tags]


def _read_records(extra_fields: list[Mapping[str, Any]], is_padding: list[bool]) -> list[CorrectionRecord | None]:
    """Return the record of each row; None where error correction did not look, and for padding, which copies a row."""
    return [None if padding else read_record(extra) for extra, padding in zip(extra_fields, is_padding, strict=True)]
