"""The three EDGE-GRPO trainers: verl's V1 trainers with the policy entropy handed to the advantage estimator.

One mixin serves all three. It fetches what verl has already computed and stored in TransferQueue (entropy, masks,
rewards, correction records), calls the pure functions, and leaves the advantage itself to verl and the estimator.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import transfer_queue as tq
from omegaconf import DictConfig, open_dict
from torch import Tensor
from transfer_queue import KVBatchMeta
from verl import DataProto
from verl.trainer.ppo.v1 import PPOTrainerColocateAsync, PPOTrainerSeparateAsync, PPOTrainerSync, register_trainer
from verl.utils.debug.metrics import calculate_debug_metrics

from recipe.edge_grpo import diagnostics
from recipe.edge_grpo.advantage import entropy_ratio, mean_response_entropy
from recipe.edge_grpo.checks import TRAINER_MODES, check_config, check_training_rows, read_settings
from recipe.edge_grpo.diagnostics import RECORD_KEY, CorrectionRecord
from recipe.edge_grpo.estimator import entropy_ratio_for_estimator, group_numbers
from recipe.edge_grpo.run_folder import log_metrics_below_run_folder
from recipe.edge_grpo.watchdog import VLLMWatchdog, naming_dead_servers


class EdgeGRPOMixin:
    """Hands the entropy ratio to the estimator, and reports what the method did."""

    def __init__(self, config: DictConfig) -> None:
        check_config(config)
        self.edge_grpo_settings = read_settings(config)
        with open_dict(config):
            # verl compares this string with the names of its own modes, to choose the replay buffer for example.
            config.trainer.v1.trainer_mode = TRAINER_MODES.get(
                config.trainer.v1.trainer_mode, config.trainer.v1.trainer_mode
            )
        super().__init__(config)
        # A constructor default of verl's without a configuration key.
        self.replay_buffer.poll_interval = self.edge_grpo_settings.replay_poll_seconds

    def _init_dataloader(self) -> None:
        super()._init_dataloader()
        rows = self.train_dataset.dataframe.select_columns(
            [name for name in ("reward_model", "extra_info") if name in self.train_dataset.dataframe.column_names]
        )
        check_training_rows(rows, corrects=self.edge_grpo_settings.gec.enabled)

    def on_init_end(self) -> None:
        self.vllm_addresses = [
            replica.server_address for manager in self._rollout_server_managers() for replica in manager.get_replicas()
        ]
        VLLMWatchdog(self.vllm_addresses).start()
        super().on_init_end()

    def fit(self, agent_loop_manager: Any) -> None:
        log_metrics_below_run_folder(self.config.trainer.default_local_dir)
        with naming_dead_servers(self.vllm_addresses):
            super().fit(agent_loop_manager)

    def _compute_old_log_prob(self, batch: KVBatchMeta, metrics: dict[str, Any]) -> KVBatchMeta:
        result = super()._compute_old_log_prob(batch, metrics)
        if self.edge_grpo_settings.gec.enabled and self.config.actor_rollout_ref.rollout.calculate_log_probs:
            self._fill_injected_log_probs(batch, metrics)
        return result

    def _fill_injected_log_probs(self, batch: KVBatchMeta, metrics: dict[str, Any]) -> None:
        """Give injected tokens, which no rollout sampled, the old log-probability as their rollout log-probability.

        Their importance weight is then 1 in verl's rollout correction, and verl's comparison of the two compares only
        what was sampled.
        """
        fields = ["rollout_log_probs", "old_log_probs", "response_mask", "responses", "extra_fields"]
        data = tq.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=fields)
        records = _correction_records(data.pop("extra_fields").tolist(), batch.tags)
        rollout_log_probs = list(data["rollout_log_probs"].unbind())
        old_log_probs = data["old_log_probs"].unbind()
        for row, record in enumerate(records):
            if record is not None and record.injected_end > record.injected_start:
                span = slice(record.injected_start, record.injected_end)
                rollout_log_probs[row] = rollout_log_probs[row].clone()
                rollout_log_probs[row][span] = old_log_probs[row][span]
        data["rollout_log_probs"] = torch.nested.as_nested_tensor(rollout_log_probs, layout=torch.jagged)
        tq.kv_batch_put(keys=batch.keys, partition_id=batch.partition_id, fields=data.select("rollout_log_probs"))
        metrics.update(calculate_debug_metrics(DataProto(batch=data.to_padded_tensor())))

    def _compute_advantage(self, batch: KVBatchMeta, metrics: dict[str, Any]) -> KVBatchMeta:
        _refuse_several_outputs_per_session(batch.keys)
        fields = ["uid", "entropy", "response_mask"]
        data = tq.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=fields)
        group_index = group_numbers(np.array(data.pop("uid").tolist(), dtype=object))
        data = data.to_padded_tensor()
        response_entropy = mean_response_entropy(data["entropy"].float(), data["response_mask"])
        unbounded_ratio = ratio = torch.ones_like(response_entropy)
        if self.edge_grpo_settings.eda.enabled:
            unbounded_ratio = entropy_ratio(response_entropy, group_index)
            ratio = entropy_ratio(response_entropy, group_index, self.edge_grpo_settings.eda.clip)
        with entropy_ratio_for_estimator(ratio):
            result = super()._compute_advantage(batch, metrics)
        metrics.update(self._diagnostics(batch, response_entropy, unbounded_ratio, ratio))
        return result

    def _diagnostics(
        self, batch: KVBatchMeta, response_entropy: Tensor, unbounded_ratio: Tensor, ratio: Tensor
    ) -> dict[str, float]:
        """All metrics under `edge_grpo/` of one batch, from what verl has stored."""
        is_real = torch.tensor([not tag.get("is_padding", False) for tag in batch.tags])
        fields = ["uid", "rm_scores", "extra_fields", "advantages", "response_mask"]
        data = tq.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=fields)
        group_index = group_numbers(np.array(data.pop("uid").tolist(), dtype=object)[is_real.numpy()])
        extra_fields = [
            extra for extra, real in zip(data.pop("extra_fields").tolist(), is_real.tolist(), strict=True) if real
        ]
        data = data.to_padded_tensor()[is_real]
        rewards = data["rm_scores"].sum(dim=1)
        accuracies = _accuracies(extra_fields, rewards, self.edge_grpo_settings.gec.accuracy_key)
        scaled_advantages = _advantage_of_each_response(data["advantages"], data["response_mask"])
        statuses = [diagnostics.verify_status_of(extra) for extra in extra_fields]
        records = [
            record
            or CorrectionRecord(
                first_pass_reward=rewards[row].item(),
                first_pass_accuracy=accuracies[row].item(),
                first_pass_verify_status=statuses[row],
            )
            for row, record in enumerate(_correction_records(extra_fields))
        ]
        first_pass_rewards = torch.tensor([record.first_pass_reward for record in records])
        first_pass_accuracies = torch.tensor([record.first_pass_accuracy for record in records])
        return {
            **diagnostics.group_metrics(first_pass_rewards, first_pass_accuracies, group_index, "before_gec"),
            **diagnostics.group_metrics(rewards, accuracies, group_index, "after_gec"),
            **diagnostics.accuracy_metrics(records, accuracies),
            **diagnostics.advantage_metrics(scaled_advantages * ratio[is_real], scaled_advantages, group_index),
            **diagnostics.entropy_metrics(response_entropy[is_real], accuracies),
            **diagnostics.ratio_metrics(unbounded_ratio[is_real], ratio[is_real]),
            **diagnostics.correction_metrics(records, accuracies),
            **diagnostics.verify_metrics(records, statuses),
        }


@register_trainer("edge_grpo_sync")
class EdgeGRPOTrainerSync(EdgeGRPOMixin, PPOTrainerSync):
    """Trainer and rollout share the devices and take turns."""


@register_trainer("edge_grpo_colocate_async")
class EdgeGRPOTrainerColocateAsync(EdgeGRPOMixin, PPOTrainerColocateAsync):
    """Trainer and rollout share the devices; unfinished responses go on in the next step."""


@register_trainer("edge_grpo_separate_async")
class EdgeGRPOTrainerSeparateAsync(EdgeGRPOMixin, PPOTrainerSeparateAsync):
    """Trainer and rollout have devices of their own."""


def _correction_records(
    extra_fields: list[Mapping[str, Any]], tags: list[Mapping[str, Any]] | None = None
) -> list[CorrectionRecord | None]:
    """The record of each row; None where error correction did not look at it, and for padding (which copies a row)."""
    records = []
    for row, extra in enumerate(extra_fields):
        record = None if tags is not None and tags[row].get("is_padding", False) else extra.get(RECORD_KEY)
        records.append(None if record is None else CorrectionRecord(**record))
    return records


def _accuracies(extra_fields: list[Mapping[str, Any]], rewards: Tensor, accuracy_key: str) -> Tensor:
    """(R,) the accuracy that the reward function reports, else the reward itself."""
    reported = [(extra.get("reward_extra_info") or {}).get(accuracy_key) for extra in extra_fields]
    return torch.tensor(
        [
            reward if accuracy is None else float(accuracy)
            for accuracy, reward in zip(reported, rewards.tolist(), strict=True)
        ]
    )


def _advantage_of_each_response(token_advantages: Tensor, response_mask: Tensor) -> Tensor:
    """(R,) the advantage that all tokens of a response share; 0 where the mask is empty."""
    first_token = response_mask.bool().int().argmax(dim=1, keepdim=True)
    return (token_advantages * response_mask).gather(1, first_token).squeeze(1)


def _refuse_several_outputs_per_session(keys: list[str]) -> None:
    """Keys are {uid}_{session}_{output}; verl keeps one output a session only for its own estimator named "grpo"."""
    for key in keys:
        if not key.endswith("_0"):
            raise ValueError(
                f"agent-loop output {key}: this agent loop returns several outputs a session, which would count as "
                "several members of the group; use one that returns a single output (single_turn_agent, tool_agent)"
            )
