"""Leaves the composed configuration of a run in its folder, for whoever evaluates or compares it later."""

from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from recipe.edge_grpo.names import CONFIG_FILE


def leave_configuration(config: DictConfig, run_folder: str) -> None:
    """Write `config.yaml`, whole or not at all; that of an earlier start of the run is replaced.

    verl has resolved the configuration by the time that its trainer is made.
    """
    unfinished = Path(run_folder) / f"{CONFIG_FILE}.unfinished"
    unfinished.write_text(OmegaConf.to_yaml(config), encoding="utf-8")
    unfinished.replace(Path(run_folder) / CONFIG_FILE)
