"""Refuses a Ray too small to start a run: verl would wait for ever for actors that Ray cannot place."""

import os

from omegaconf import DictConfig

DRIVER_ACTORS = 2
"""The task runner and TransferQueue's controller, one logical CPU each."""

CPUS_PER_TRAINING_PROCESS = 3
"""verl's placement bundle asks for as many CPUs as workers may be colocated in it (`max_colocate_count`)."""


def needed_ray_cpus(config: DictConfig) -> int:
    """Logical CPUs that the actors of a run ask Ray for."""
    training_processes = config.trainer.nnodes * config.trainer.n_gpus_per_node
    return (
        DRIVER_ACTORS
        + config.transfer_queue.backend.SimpleStorage.num_data_storage_units
        + CPUS_PER_TRAINING_PROCESS * training_processes
        + training_processes  # one vLLM server for each
        + config.actor_rollout_ref.rollout.agent.num_workers
        + config.reward.num_workers
    )


def check_capacity(config: DictConfig) -> None:
    """Refuse a local Ray with too few logical CPUs or devices. An existing cluster is left to its administrator.

    Raises:
        ValueError: naming the key, its value and the fix.
    """
    ray_init = config.ray_kwargs.get("ray_init", {})
    if ray_init.get("address") or os.environ.get("RAY_ADDRESS"):
        return
    num_cpus = ray_init.get("num_cpus")
    available_cpus = os.cpu_count() if num_cpus is None else num_cpus
    needed_cpus = needed_ray_cpus(config)
    if available_cpus < needed_cpus:
        raise ValueError(
            f"ray_kwargs.ray_init.num_cpus={num_cpus} gives Ray {available_cpus} logical CPUs, and the actors of this "
            f"run ask for {needed_cpus}; set ray_kwargs.ray_init.num_cpus={needed_cpus} (logical CPUs may exceed the "
            "machine's)"
        )
    needed_devices = config.trainer.nnodes * config.trainer.n_gpus_per_node
    available_devices = ray_init.get("num_gpus") or 0
    if available_devices < needed_devices:
        raise ValueError(
            f"ray_kwargs.ray_init.num_gpus={available_devices}: on the CPU platform it is the number of training "
            f"processes; set ray_kwargs.ray_init.num_gpus={needed_devices} (trainer.nnodes x trainer.n_gpus_per_node)"
        )
