"""The names of verl that the plugin patches, overrides, or calls as verl does not promise that they can be called.

`make verl-next` compares them between two installs. A method of a parent class of ours is listed where verl defines it;
a class that is listed stands for all of its methods. `test_verl_next.py` fails where a name is lacking or gone.
"""

PATCHED = {
    "verl.checkpoint_engine.base": ("CheckpointEngineRegistry",),
    "verl.checkpoint_engine.hccl_checkpoint_engine": ("HCCLCheckpointEngine",),
    "verl.experimental.reward_loop.reward_loop": ("RewardLoopWorker._init_reward_fn",),
    "verl.trainer.ppo.v1.trainer_separate_async": ("PPOTrainerSeparateAsync._rollout_server_managers",),
    "verl.utils.config": ("validate_config",),
    "verl.utils.distributed": ("initialize_global_process_group_ray",),
    "verl.utils.fsdp_utils": ("fsdp2_sharded_save_to_cpu",),
    "verl.utils.tracking": ("FileLogger",),
    "verl.workers.engine.fsdp.transformer_impl": ("FSDPEngineWithLMHead",),
    "verl.workers.rollout.vllm_rollout.bucketed_weight_transfer": ("BucketedWeightSender", "BucketedWeightReceiver"),
    "verl.workers.rollout.vllm_rollout.vllm_async_server": ("vLLMHttpServer",),
}

OVERRIDDEN = {
    "verl.checkpoint_engine.base": ("CheckpointEngine",),
    "verl.experimental.agent_loop.agent_loop": ("AgentLoopWorker._run_agent_loop",),
    "verl.plugin.platform.platform_base": ("PlatformBase",),
    "verl.trainer.ppo.v1.agent_loop_tq": (
        "AgentLoopManagerTQ.__init__",
        "AgentLoopWorkerTQ.__init__",
        "AgentLoopWorkerTQ._agent_loop_postprocess",
        "AgentLoopWorkerTQ._run_prompt",
    ),
    "verl.trainer.ppo.v1.trainer_base": (
        "PPOTrainer.__init__",
        "PPOTrainer._add_prompts_to_generate",
        "PPOTrainer._balance_batch",
        "PPOTrainer._compute_advantage",
        "PPOTrainer._compute_old_log_prob",
        "PPOTrainer._dump_generations",
        "PPOTrainer._init_dataloader",
        "PPOTrainer._load_checkpoint",
        "PPOTrainer._log_rollout_data",
        "PPOTrainer._save_checkpoint",
        "PPOTrainer._step_once",
        "PPOTrainer._validate",
        "PPOTrainer.fit",
        "PPOTrainer.init",
        "PPOTrainer.on_sample_begin",
        "PPOTrainer.step",
    ),
    "verl.trainer.ppo.v1.trainer_colocate_async": (
        "PPOTrainerColocateAsync.on_init_end",
        "PPOTrainerColocateAsync.on_sample_end",
        "PPOTrainerColocateAsync.on_step_end",
    ),
    "verl.trainer.ppo.v1.trainer_separate_async": (
        "PPOTrainerSeparateAsync.__init__",
        "PPOTrainerSeparateAsync._compute_old_log_prob",
        "PPOTrainerSeparateAsync.on_init_end",
        "PPOTrainerSeparateAsync.on_sample_begin",
        "PPOTrainerSeparateAsync.on_sample_end",
        "PPOTrainerSeparateAsync.on_step_end",
    ),
    "verl.trainer.ppo.v1.trainer_sync": (
        "PPOTrainerSync.on_init_end",
        "PPOTrainerSync.on_sample_end",
        "PPOTrainerSync.on_step_end",
    ),
    "verl.workers.rollout.vllm_rollout.utils": (
        "vLLMColocateWorkerExtension.__new__",
        "vLLMColocateWorkerExtension._update_weights",
    ),
}

CALLED = {
    "verl.experimental.agent_loop.agent_loop": (
        "AgentLoopManager._init_agent_loop_workers",
        "AgentLoopOutput",
        "AgentLoopWorker._compute_score",
    ),
    "verl.plugin.platform.platform_manager": ("PlatformRegistry",),
    "verl.trainer.main_ppo": ("main",),
    "verl.trainer.ppo.core_algos": (
        "compute_policy_loss_vanilla",
        "get_policy_loss_fn",
        "register_adv_est",
        "register_policy_loss",
    ),
    "verl.trainer.ppo.ray_trainer": ("compute_advantage",),  # calls our estimator
    "verl.trainer.ppo.v1.replay_buffer": ("ReplayBuffer",),  # its poll_interval
    "verl.trainer.ppo.v1.trainer_base": ("PPOTrainer._rollout_server_managers", "get_trainer_cls", "register_trainer"),
    "verl.trainer.ppo.v1.utils": ("compute_advantage_for_multi_trajectories",),  # calls our estimator
    "verl.utils.debug.metrics": ("calculate_debug_metrics",),
    "verl.utils.distributed": ("create_tcp_store",),
    "verl.workers.engine.base": ("EngineRegistry",),
    "verl.workers.rollout.llm_server": (
        "FullyAsyncLLMServerClient.generate",
        "LLMServerClient.generate",
        "LLMServerManager.get_replicas",
    ),
    "verl.workers.rollout.replica": ("TokenOutput",),
    "verl.workers.rollout.utils": ("ensure_async_iterator",),
    "verl.workers.utils.padding": ("response_to_nested",),
}

SEAMS = sorted(
    {f"{module}:{name}" for table in (PATCHED, OVERRIDDEN, CALLED) for module, names in table.items() for name in names}
)
