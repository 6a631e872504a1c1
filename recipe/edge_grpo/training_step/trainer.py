"""The three EDGE-GRPO trainers: verl's V1 trainers with the policy entropy handed to the advantage estimator.

One mixin serves all three. It fetches what verl has already computed and stored in TransferQueue (entropy, masks,
rewards, correction records), calls the pure functions, and leaves the advantage itself to verl and the estimator.
"""

from typing import Any

from omegaconf import DictConfig, open_dict
from torch import Tensor
from transfer_queue import KVBatchMeta
from verl import DataProto
from verl.trainer.ppo.v1 import PPOTrainerColocateAsync, PPOTrainerSeparateAsync, PPOTrainerSync, register_trainer
from verl.utils.debug import marked_timer
from verl.utils.debug.metrics import calculate_debug_metrics

from recipe.edge_grpo.names import METRIC_PREFIX, TRAINER_MODES
from recipe.edge_grpo.run.config_checks import check_config
from recipe.edge_grpo.run.correction_checks import bypasses_old_log_prob
from recipe.edge_grpo.run.lifecycle import RunLifecycleMixin
from recipe.edge_grpo.settings.block import read_settings
from recipe.edge_grpo.settings.choices import InjectedLoss
from recipe.edge_grpo.settings.comparators import read_constants
from recipe.edge_grpo.training_step.batch import BatchEntropy, StoredBatch, batch_entropy, batch_order
from recipe.edge_grpo.training_step.comparator_estimators import (
    ON_OLD_LOG_PROBS,
    ComparatorInputs,
    inputs_for_comparator,
)
from recipe.edge_grpo.training_step.estimator import entropy_ratio_for_estimator
from recipe.edge_grpo.training_step.injected_tokens import mark_injected, weight_corrected
from recipe.edge_grpo.training_step.lost_sessions import SessionWatch, session_metrics
from recipe.edge_grpo.training_step.metrics import response_advantages, step_metrics
from recipe.edge_grpo.training_step.outcomes import (
    DumpedAdvantages,
    as_lists,
    group_column,
    response_outcomes,
    rollout_columns,
)
from recipe.edge_grpo.training_step.sub_steps import SubStep, combine_sub_steps, sizes_of
from recipe.edge_grpo.training_step.transfer_queue import (
    fetch_batch,
    fetch_dataset_index,
    fetch_injected_tokens,
    fetch_tokens,
    fill_injected_log_probs,
    put_tokens,
    without_padding,
)


class EdgeGRPOMixin(RunLifecycleMixin):
    """Hands the entropy ratio to the estimator, and reports what the method did."""

    def __init__(self, config: DictConfig) -> None:
        check_config(config)
        self.edge_grpo_settings = read_settings(config)
        self.rollout_columns: dict[str, dict[str, Any]] = {}
        max_lost_fraction = self.edge_grpo_settings.max_lost_fraction
        self.training_sessions = SessionWatch("training", max_lost_fraction)
        self.validation_sessions = SessionWatch("validation", max_lost_fraction)
        self.is_sampling = False
        self.sub_steps: list[SubStep] = []
        with open_dict(config):
            # verl compares this string with the names of its own modes, to choose the replay buffer for example.
            config.trainer.v1.trainer_mode = TRAINER_MODES.get(
                config.trainer.v1.trainer_mode, config.trainer.v1.trainer_mode
            )
        super().__init__(config)
        # A constructor default of verl's without a configuration key.
        self.replay_buffer.poll_interval = self.edge_grpo_settings.replay_poll_seconds

    def step(self, metrics: dict[str, Any], timing_raw: dict[str, Any]) -> KVBatchMeta:
        self.sub_steps.clear()
        batch = super().step(metrics, timing_raw)
        metrics.update(combine_sub_steps(self.sub_steps))  # in the place of verl's means of them
        metrics.update(session_metrics(self.training_sessions.take_counts()))
        return batch

    def _step_once(self, metrics: dict[str, Any], timing_raw: dict[str, Any], sample_batch_size: int) -> KVBatchMeta:
        try:
            return super()._step_once(metrics, timing_raw, sample_batch_size)
        except RuntimeError:
            if self.is_sampling:
                self._look_at_sessions()  # says why, where verl finds that a whole batch is lost
            raise

    def on_sample_begin(self) -> None:
        super().on_sample_begin()
        self.is_sampling = True

    def on_sample_end(self) -> None:
        self.is_sampling = False
        super().on_sample_end()
        self._look_at_sessions()

    def _add_prompts_to_generate(self, num_prompts: int) -> int:
        # verl's asynchronous trainers sample others for a group that lost one, as long as it takes.
        self._look_at_sessions()
        return super()._add_prompts_to_generate(num_prompts)  # type: ignore[no-any-return]

    def _validate(self) -> dict[str, float]:
        metrics = super()._validate()
        self._look_at_sessions()
        lost = self.validation_sessions.take_counts().total_lost
        return {**metrics, f"{METRIC_PREFIX}/validation/sessions_lost": lost}

    def _look_at_sessions(self) -> None:
        """Ask the agent-loop workers which sessions were lost; raises where they are too many."""
        if hasattr(self.agent_loop_manager, "take_session_counts"):  # not where the user has a manager of another kind
            training, validation = self.agent_loop_manager.take_session_counts()
            self.training_sessions.look(training)
            self.validation_sessions.look(validation)

    def _balance_batch(self, batch: KVBatchMeta, *args: Any, **kwargs: Any) -> KVBatchMeta:
        # verl has the rows in the order in which they were finished; sums of floating-point numbers depend on it
        batch.reorder(batch_order(batch.keys, fetch_dataset_index(batch)))
        return super()._balance_batch(batch, *args, **kwargs)

    def _compute_old_log_prob(self, batch: KVBatchMeta, metrics: dict[str, Any]) -> KVBatchMeta:
        result = super()._compute_old_log_prob(batch, metrics)
        has_log_probs = self.config.actor_rollout_ref.rollout.calculate_log_probs
        if self.edge_grpo_settings.gec.enabled and has_log_probs and not bypasses_old_log_prob(self.config):
            # verl's comparison of rollout and training then compares only what was sampled
            metrics.update(calculate_debug_metrics(DataProto(batch=fill_injected_log_probs(batch))))
        return result

    def _compute_advantage(self, batch: KVBatchMeta, metrics: dict[str, Any]) -> KVBatchMeta:
        _refuse_several_outputs_per_session(batch.keys)
        settings = self.edge_grpo_settings
        with marked_timer("edge_grpo_entropy", self.timing_raw):
            stored = fetch_batch(batch, settings.eda.entropy)
            entropy = batch_entropy(stored, settings.eda)
        with entropy_ratio_for_estimator(entropy.ratio), inputs_for_comparator(self._comparator_inputs(batch, stored)):
            result = super()._compute_advantage(batch, metrics)
        given = fetch_tokens(result, "advantages") if self.config.trainer.get("rollout_data_dir") else None
        self._treat_corrected_tokens(result, stored)
        with marked_timer("edge_grpo_metrics", self.timing_raw):
            self._report(batch, stored, entropy, metrics, given)
        return result

    def _comparator_inputs(self, batch: KVBatchMeta, stored: StoredBatch) -> ComparatorInputs | None:
        """Fetch what rival estimators need besides what verl hands to an estimator; None where the run has none."""
        estimator = self.config.algorithm.adv_estimator
        constants = read_constants(estimator, self.edge_grpo_settings.comparator)
        if constants is None:
            return None
        old_log_probs = fetch_tokens(batch, "old_log_probs") if estimator in ON_OLD_LOG_PROBS else None
        return ComparatorInputs(constants, stored.token_entropy, old_log_probs, stored.is_padding)

    def _treat_corrected_tokens(self, batch: KVBatchMeta, stored: StoredBatch) -> None:
        """Change what the loss of some tokens is made of; `train` needs nothing, `mask` was done while sampling."""
        settings = self.edge_grpo_settings.gec
        if settings.injected_weight is not None or settings.failed_prefix_weight is not None:
            advantages = fetch_tokens(batch, "advantages")
            put_tokens(batch, "advantages", weight_corrected(advantages, stored, settings))  # type: ignore[arg-type]
        if settings.injected_loss is InjectedLoss.SHAPED:
            importance_weights = fetch_tokens(batch, "rollout_is_weights")
            put_tokens(batch, "rollout_is_weights", mark_injected(stored.is_injected, importance_weights))

    def _report(
        self,
        batch: KVBatchMeta,
        stored: StoredBatch,
        entropy: BatchEntropy,
        metrics: dict[str, Any],
        given_advantages: Tensor | None,
    ) -> None:
        """Add the metrics under `edge_grpo/`, and keep what a dumped rollout will say; without advantages none is."""
        algorithm = self.config.algorithm
        outcomes = response_outcomes(stored, self.edge_grpo_settings.gec)
        penalised = fetch_tokens(batch, "token_level_rewards") if algorithm.use_kl_in_reward else None
        scale_by_std = algorithm.get("norm_adv_by_std_in_grpo", True)
        sub_step = SubStep(
            step_metrics(stored, entropy, outcomes, penalised, scale_by_std), sizes_of(stored, entropy, outcomes)
        )
        self.sub_steps.append(sub_step)
        metrics.update(sub_step.metrics)
        if given_advantages is not None:
            ratio = entropy.ratio[~stored.is_padding]
            before_eda, _ = response_advantages(stored, ratio, penalised, scale_by_std)
            advantages = DumpedAdvantages(before_eda, given_advantages)
            self.rollout_columns.update(rollout_columns(stored, entropy, outcomes, advantages))

    def _log_rollout_data(self, batch: KVBatchMeta, timing_raw: dict[str, Any], rollout_data_dir: str) -> None:
        batch = without_padding(batch)
        for key, pieces in fetch_injected_tokens(batch).items():
            texts = [self.tokenizer.decode(ids, skip_special_tokens=True) for ids in pieces]
            self.rollout_columns.get(key, {})["injected_texts"] = texts
        super()._log_rollout_data(batch, timing_raw, rollout_data_dir)
        self.rollout_columns.clear()

    def _dump_generations(
        self,
        inputs: list[str],
        outputs: list[str],
        gts: list[Any],
        scores: list[float],
        reward_extra_infos_dict: dict[str, list[Any]],
        dump_path: str,
    ) -> None:
        if dump_path == self.config.trainer.get("rollout_data_dir"):
            # verl calls the keys of the rows "uid" here. It passes validation's generations through as well.
            keys = reward_extra_infos_dict["uid"]
            columns = {"group": group_column(keys), **as_lists(self.rollout_columns, keys)}
            reward_extra_infos_dict = {**reward_extra_infos_dict, **columns}
        super()._dump_generations(inputs, outputs, gts, scores, reward_extra_infos_dict, dump_path)


@register_trainer("edge_grpo_sync")
class EdgeGRPOTrainerSync(EdgeGRPOMixin, PPOTrainerSync):
    """Trainer and rollout share the devices and take turns."""


@register_trainer("edge_grpo_colocate_async")
class EdgeGRPOTrainerColocateAsync(EdgeGRPOMixin, PPOTrainerColocateAsync):
    """Trainer and rollout share the devices; unfinished responses go on in the next step."""


@register_trainer("edge_grpo_separate_async")
class EdgeGRPOTrainerSeparateAsync(EdgeGRPOMixin, PPOTrainerSeparateAsync):
    """Trainer and rollout have devices of their own."""


def _refuse_several_outputs_per_session(keys: list[str]) -> None:
    """Refuse a batch with keys {uid}_{session}_{output} of a second output.

    verl keeps one output a session only for its own estimator named "grpo".
    """
    for key in keys:
        if not key.endswith("_0"):
            raise ValueError(
                f"agent-loop output {key}: this agent loop returns several outputs a session, which would count as "
                "several members of the group; use one that returns a single output (single_turn_agent, tool_agent)"
            )
