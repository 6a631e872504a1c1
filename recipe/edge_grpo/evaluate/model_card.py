"""Writes MODEL_CARD.md beside the results: what the policy was made of, how it was trained, and what it can do."""

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data_prep.writing.card import CARD_NAME
from data_prep.writing.files import replacing_files
from data_prep.writing.markdown import aligned_table
from recipe.edge_grpo.evaluate.policy.run_folder import RunFolder
from recipe.edge_grpo.evaluate.subject import Subject

MODEL_CARD = "MODEL_CARD.md"
_NOT_RECORDED = "not known: the run left no config.yaml"

_TRAINING_KEYS = (
    *("algorithm.adv_estimator", "trainer.v1.trainer_mode", "edge_grpo.eda.enabled", "edge_grpo.gec.enabled"),
    *("edge_grpo.gec.scope", "edge_grpo.gec.probabilities", "edge_grpo.comparator", "actor_rollout_ref.rollout.n"),
    *("actor_rollout_ref.rollout.temperature", "data.train_batch_size", "actor_rollout_ref.actor.ppo_mini_batch_size"),
    *("data.max_prompt_length", "data.max_response_length", "actor_rollout_ref.actor.optim.lr"),
    *("edge_grpo.seed", "data.seed"),
)
"""What makes a recipe, and the seeds; the whole of it is in the run's config.yaml."""


def write_model_card(
    folder: Path, subject: Subject, tables: str, versions: Mapping[str, str], command: Sequence[str]
) -> Path:
    """Write the card of a subject that has a run; `command` are the words after the name of the module."""
    assert subject.run is not None
    with replacing_files(folder) as unfinished:
        text = card_text(subject, subject.run, tables, {**versions, "commit": project_commit()}, command)
        (unfinished / MODEL_CARD).write_text(text, encoding="utf-8")
    return folder / MODEL_CARD


def card_text(
    subject: Subject, run: RunFolder, tables: str, versions: Mapping[str, str], command: Sequence[str]
) -> str:
    """Return the text of the card; `tables` are those of results.md."""
    base = run.setting("actor_rollout_ref.model.path", _NOT_RECORDED)
    training = [[f"`{key}`", str(value)] for key in _TRAINING_KEYS if (value := run.setting(key)) is not None]
    data = [*_data_rows("trained on", run.files("data.train_files")), *_data_rows("evaluated on", subject.data)]
    prompt = [[f"`{name}`", "not set" if value is None else str(value)]
              for name, value in subject.prompting.settings().items()]  # fmt: skip
    sections = [
        f"# {run.path.resolve().name}, step {run.step}",
        f"Base model: `{base}`",
        f"Weights: `{subject.model}`",
        "\n".join(f"- Warning: {warning}" for warning in subject.warnings),
        f"## Training\n\n{aligned_table([['setting', 'value'], *training]) if training else _NOT_RECORDED}",
        f"## Data\n\n{aligned_table([['use', 'file', 'data card'], *data])}",
        f"## Results\n\n{aligned_table([['prompt', 'value'], *prompt])}\n\nReward: `{subject.reward.name}`",
        f"\n{tables}".replace("\n## ", "\n### ").strip(),
        f"## Made with\n\n{aligned_table([['what', 'version'], *map(list, versions.items())])}",
        f"    python -m recipe.edge_grpo.evaluate {shlex.join(command)}",
    ]  # fmt: skip
    return "\n\n".join(filter(None, sections)) + "\n"


def project_commit() -> str:
    """Return the commit of the checkout that this package is run from, "-dirty" if it was changed since."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return "not known: the package is not run from a checkout"
    return done.stdout.strip()


def _data_rows(use: str, files: Sequence[Path]) -> list[list[Any]]:
    return [[use, f"`{file}`", _data_card(file)] for file in files]


def _data_card(file: Path) -> str:
    card = file.parent / CARD_NAME
    return f"`{card}`" if card.is_file() else "none"
