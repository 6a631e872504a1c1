"""Decides what an evaluation is of: the model, how problems are put to it, and how its responses are graded."""

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_prep.sampling.templates import TEMPLATES
from recipe.edge_grpo.evaluate.policy.accepted import loadable_model
from recipe.edge_grpo.evaluate.policy.run_folder import LAST, RunFolder, find_run
from recipe.edge_grpo.evaluate.prompting import (
    Prompting,
    chosen_prompting,
    differences_from_training,
    trained_prompting,
)
from recipe.edge_grpo.evaluate.rewards import Reward, reward_of_run


@dataclass(frozen=True)
class Subject:
    """What is evaluated; `model` is a folder that vLLM loads, or a name on the hub.

    `run` is None for a model that is given by itself. `warnings` are for whoever reads the results.
    """

    model: str
    data: list[Path]
    prompting: Prompting
    reward: Reward = field(default_factory=Reward)
    run: RunFolder | None = None
    warnings: tuple[str, ...] = ()

    def settings(self) -> dict[str, Any]:
        """Return what the options of the command do not say by themselves, for settings.json."""
        return {
            "model": self.model,
            "data": self.data,
            **self.prompting.settings(),
            "step": self.run.step if self.run else None,
            "reward": self.reward.settings(),
        }


def find_subject(options: argparse.Namespace) -> Subject:
    """Return what the options name, with its checkpoint merged.

    Raises ValueError, in one line, for what cannot be evaluated; OSError for files that cannot be read or written.
    """
    given = _given_reward(options)
    if options.run is None:
        prompting = chosen_prompting(options, None)
        return Subject(loadable_model(options.model), options.data, prompting, given or Reward())
    run = find_run(options.run, options.step or LAST)
    reward = given or reward_of_run(run)
    trained, warnings = trained_prompting(run)
    prompting = chosen_prompting(options, trained)
    if run.config is None:
        warnings.append(
            f"{run.path} has no config.yaml: template, system prompt and reward of the training are not known; the "
            "model's own chat template and our reward are used where no option says otherwise"
        )
    else:
        warnings += differences_from_training(prompting, trained)
    data = options.data or _validation_files(run)
    return Subject(loadable_model(str(run.actor)), data, prompting, reward, run, tuple(warnings))


def _given_reward(options: argparse.Namespace) -> Reward | None:
    """Return the reward that does not come from a run: that of the option, or ours, which belongs to a protocol."""
    if options.reward is not None:
        return Reward(options.reward)
    return Reward() if options.protocol is not None else None


def _validation_files(run: RunFolder) -> list[Path]:
    files = run.files("data.val_files")
    missing = [str(file) for file in files if not file.exists()]
    if missing:
        raise ValueError(f"data.val_files of {run.path}: {missing[0]} is not there; give other files with --data")
    if not files:
        raise ValueError(f"{run.path} does not say what it was validated on; give files with --data")
    return files


def add_subject_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is evaluated, beside `--model` and `--template`."""
    group = parser.add_argument_group(
        "run, prompt and reward",
        f"With --run these are as in the training; --template is one of {', '.join(TEMPLATES)}.",
    )
    group.add_argument("--run", type=_folder, metavar="RUN_DIR", help="folder of a run, instead of --model")
    group.add_argument("--step", type=_step, help="N, last or best: of the highest validation accuracy (default: last)")
    group.add_argument("--system-prompt", metavar="TEXT", help="instead of those of the rows")
    group.add_argument("--template-file", type=_file, metavar="FILE", help="a Jinja chat template")
    group.add_argument("--reward", metavar="MODULE:FUNCTION", help="of verl's compute_score signature (default: ours)")


def _step(text: str) -> str:
    if text not in ("last", "best") and not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is neither last nor best nor the number of a step")
    return str(int(text)) if text.isdecimal() else text


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}")
    return Path(text)


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return Path(text)
