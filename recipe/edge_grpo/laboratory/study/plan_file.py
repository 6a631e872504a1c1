"""Reads the plan of a study (study.yaml, study_quick.yaml), and refuses one that is wrong by its key."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from recipe.edge_grpo.laboratory.study.plan import Confirmation, Study
from recipe.edge_grpo.laboratory.supervised import SUPERVISED

RECIPES = Path(__file__).parents[2] / "config" / "recipe"

PLAN = Path(__file__).with_name("study.yaml")


def read_study(path: Path) -> Study:
    """Read a plan.

    Raises ValueError, naming the file and the key, for one that is missing, unknown or empty, a method that is no
    recipe, a number that is not positive, and seeds that serve two purposes; OSError for a file that is not there.
    """
    plan: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        _check_keys(plan, Study, "")
        _check_keys(plan["confirmation"], Confirmation, "confirmation.")
        plan = _with_tuples(plan)
        study = Study(**plan | {"confirmation": Confirmation(**plan["confirmation"])})
        _check(study)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return study


def _check_keys(block: Any, kind: type, prefix: str) -> None:
    names = {field.name for field in fields(kind)}
    if not isinstance(block, dict) or set(block) != names:
        has = ", ".join(map(str, block)) if isinstance(block, dict) else type(block).__name__
        raise ValueError(f"{prefix.removesuffix('.') or 'it'} needs the keys {', '.join(sorted(names))}; it has {has}")
    empty = [name for name in sorted(names) if not block[name]]
    if empty:
        raise ValueError(f"{prefix}{empty[0]} is empty")


def _with_tuples(value: Any) -> Any:
    """Return what YAML has read with tuples for its lists, which a plan that is frozen needs."""
    if isinstance(value, dict):
        return {name: _with_tuples(each) for name, each in value.items()}
    return tuple(value) if isinstance(value, list) else value


def _check(study: Study) -> None:
    recipes = {recipe.stem for recipe in RECIPES.glob("*.yaml")}
    for place, methods, known in (
        ("methods", study.methods, recipes | {SUPERVISED}),
        ("confirmation.methods", study.confirmation.methods, recipes),
    ):
        unknown = [method for method in methods if method not in known]
        if unknown:
            raise ValueError(f"{place}: {unknown[0]} is no recipe; there are {', '.join(sorted(known))}")
    numbers = {
        "tasks": study.tasks.values(),
        "learning_rates": study.learning_rates,
        "confirmation.tasks": study.confirmation.tasks.values(),
        "confirmation.learning_rate": [study.confirmation.learning_rate],
    }
    for name, values in numbers.items():
        if not all(isinstance(value, int | float) and value > 0 for value in values):
            raise ValueError(f"{name} must be numbers above 0, got {list(values)}")
    shared = sorted(set(study.seeds) & set(study.tuning_seeds))
    if shared:
        raise ValueError(f"seed {shared[0]} is in seeds and in tuning_seeds; learning rates need their own")
