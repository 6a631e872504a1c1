"""One batch in the trainer: entropy to advantage, injected tokens to the loss, everything to the metrics.

trainer.py             where verl calls us: one mixin, three trainers
estimator.py           `algorithm.adv_estimator=edge_grpo`
comparator_estimators.py   the estimators of rival methods, by name
policy_loss.py         `actor_rollout_ref.actor.policy_loss.loss_mode=edge_grpo_shaped`
transfer_queue.py      a batch fetched from verl's storage, and changed fields put back
batch.py               what is known of a batch, and its entropies; pure
injected_tokens.py     how the loss treats tokens that the policy did not write; pure
outcomes.py            what became of each response, and its columns in a dumped rollout; pure
metrics.py             the metrics of a batch; correction_metrics.py those of error correction; pure
sub_steps.py           the metrics of a step that makes several updates; pure
lost_sessions.py       responses that were lost, and when they end the run; pure

A new metric: a function in metrics.py or correction_metrics.py, its rule in sub_steps.py, its line in docs/metrics.md.
May import advantage, comparators, names, settings, correction, run and verl_patches; only trainer.py, policy_loss.py
and transfer_queue.py import verl.
"""
