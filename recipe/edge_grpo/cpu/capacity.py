"""Refuses a Ray too small to start a run: verl would wait for ever for actors that Ray cannot place."""

import os

from omegaconf import DictConfig

from recipe.edge_grpo.names import TRAINER_MODES

NUM_DRIVER_ACTORS = 2
"""The task runner and TransferQueue's controller, one logical CPU each."""

CPUS_PER_TRAINING_PROCESS = 3
"""verl's placement bundle asks for as many CPUs as workers may be colocated in it (`max_colocate_count`)."""

CPUS_PER_ROLLOUT_PROCESS = 2
"""The same for a rollout process outside the training processes."""

SEPARATE_MODE = "separate_async"
"""verl's trainer mode with rollout processes outside the training processes; ours may extend it."""


def num_training_processes(config: DictConfig) -> int:
    """Return the number of training processes on all nodes together."""
    return int(config.trainer.nnodes * config.trainer.n_gpus_per_node)


def num_rollout_processes(config: DictConfig) -> int:
    """Return the number of rollout processes outside the training processes; 0 unless the trainer mode has them."""
    if not _is_separate(config):
        return 0
    return int(config.actor_rollout_ref.rollout.nnodes * config.actor_rollout_ref.rollout.n_gpus_per_node)


def needed_ray_cpus(config: DictConfig) -> int:
    """Return the number of logical CPUs that the actors of a run ask Ray for; tests/edge_grpo/cpu has it worked out."""
    training_processes, rollout_processes = num_training_processes(config), num_rollout_processes(config)
    has_servers_beside_training = rollout_processes == 0 or config.actor_rollout_ref.hybrid_engine
    num_servers = rollout_processes + (training_processes if has_servers_beside_training else 0)
    return int(
        NUM_DRIVER_ACTORS
        + config.transfer_queue.backend.SimpleStorage.num_data_storage_units
        + CPUS_PER_TRAINING_PROCESS * training_processes
        + CPUS_PER_ROLLOUT_PROCESS * rollout_processes
        + num_servers
        + config.actor_rollout_ref.rollout.agent.num_workers
        + config.reward.num_workers
    )


def needed_ray_devices(config: DictConfig) -> int:
    """Return the number of Ray devices: one for each training process and each rollout process outside of them."""
    return num_training_processes(config) + num_rollout_processes(config)


def check_capacity(config: DictConfig) -> None:
    """Refuse a local Ray with too few logical CPUs or devices. An existing cluster is left to its administrator.

    Raises ValueError, naming the key, its value and the fix.
    """
    ray_init = config.ray_kwargs.get("ray_init", {})
    if ray_init.get("address") or os.environ.get("RAY_ADDRESS"):
        return
    _check_rollout_processes(config)
    num_cpus = ray_init.get("num_cpus")
    available_cpus = (os.cpu_count() or 1) if num_cpus is None else num_cpus
    needed_cpus = needed_ray_cpus(config)
    if available_cpus < needed_cpus:
        raise ValueError(
            f"ray_kwargs.ray_init.num_cpus={num_cpus} gives Ray {available_cpus} logical CPUs, and the actors of this "
            f"run ask for {needed_cpus}; set ray_kwargs.ray_init.num_cpus={needed_cpus} (logical CPUs may exceed the "
            "machine's)"
        )
    needed_devices = needed_ray_devices(config)
    available_devices = ray_init.get("num_gpus") or 0
    if available_devices < needed_devices:
        raise ValueError(
            f"ray_kwargs.ray_init.num_gpus={available_devices}: on the CPU platform it is the number of training "
            f"processes, and of rollout processes outside of them; set ray_kwargs.ray_init.num_gpus={needed_devices}"
        )


def _check_rollout_processes(config: DictConfig) -> None:
    if _is_separate(config) and num_rollout_processes(config) == 0:
        raise ValueError(
            f"actor_rollout_ref.rollout.nnodes={config.actor_rollout_ref.rollout.nnodes} with "
            f"trainer.v1.trainer_mode={config.trainer.v1.trainer_mode}: there is no process for the rollout; on the "
            "CPU take +profile=cpu_separate in place of +profile=cpu"
        )


def _is_separate(config: DictConfig) -> bool:
    mode = config.trainer.v1.trainer_mode
    return bool(TRAINER_MODES.get(mode, mode) == SEPARATE_MODE)
