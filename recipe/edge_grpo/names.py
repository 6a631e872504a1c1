"""The names under which verl finds this package; imports nothing, so that a check can name what it does not load.

And the names that a run and its report agree on.
"""

ESTIMATOR = "edge_grpo"
"""`algorithm.adv_estimator`."""

POLICY_LOSS = "edge_grpo_shaped"
"""`actor_rollout_ref.actor.policy_loss.loss_mode`."""

TRAINER_MODES = {
    "edge_grpo_sync": "sync",
    "edge_grpo_colocate_async": "colocate_async",
    "edge_grpo_separate_async": "separate_async",
}
"""`trainer.v1.trainer_mode`: our trainers, and verl's mode that each extends."""

METRICS_FILE = "metrics.jsonl"
"""Below the folder of a run."""

FAILURE_FILE = "failure.txt"
"""Below the folder of a run: why it failed."""

CONFIG_FILE = "config.yaml"
"""Below the folder of a run: its whole configuration, as verl got it."""

METRIC_PREFIX = "edge_grpo"
"""Of every metric of ours."""

AGENT_LOOP_MANAGER = "recipe.edge_grpo.correction.rollout.EdgeGRPOAgentLoopManager"
"""`actor_rollout_ref.rollout.agent.agent_loop_manager_class`."""
