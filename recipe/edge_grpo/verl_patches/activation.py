"""Which processes get the patches: those of a run that has the block `edge_grpo:` and wants its reliability.

The plugin is loaded with verl in every process, and cannot see the configuration there. The driver sees it before it
starts Ray, and leaves word in the environment of the run's Ray processes, which load the plugin after that.
"""

from omegaconf import DictConfig, OmegaConf

RUN_VARIABLE = "EDGE_GRPO_RUN"
"""Of the environment of a run's Ray processes: "1" where the patches act."""


def activate_in_processes_of_run(config: DictConfig) -> None:
    """Make the patches act in the processes of the Ray job that the driver is about to begin.

    The driver's own environment stays as it is: another run that it starts later is not this one. Where Ray was started
    before, by an entry point that is not verl's, its processes are not told, and verl's own functions act there.
    """
    OmegaConf.update(config, f"ray_kwargs.ray_init.runtime_env.env_vars.{RUN_VARIABLE}", "1", force_add=True)
