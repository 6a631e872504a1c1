"""Reads the plan of a study (study.yaml, study_quick.yaml), and refuses one that is wrong by its key."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from recipe.edge_grpo.laboratory.study.plan import STUDYS_POLICY, Confirmation, OtherPolicies, Study
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
        blocks = {"other_policies": OtherPolicies, "confirmation": Confirmation}
        for name, kind in blocks.items():
            _check_keys(plan[name], kind, f"{name}.")
        study = Study(**_with_tuples(plan) | {name: kind(**_with_tuples(plan[name])) for name, kind in blocks.items()})
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
        "other_policies.verl_tasks": study.other_policies.verl_tasks.values(),
        "confirmation.tasks": study.confirmation.tasks.values(),
        "confirmation.learning_rate": [study.confirmation.learning_rate],
    }
    for name, values in numbers.items():
        if not all(isinstance(value, int | float) and value > 0 for value in values):
            raise ValueError(f"{name} must be numbers above 0, got {list(values)}")
    shared = sorted(set(study.seeds) & set(study.tuning_seeds))
    if shared:
        raise ValueError(f"seed {shared[0]} is in seeds and in tuning_seeds; learning rates need their own")
    if set(study.confirmation.seeds) != set(study.confirmation.tasks):
        raise ValueError("confirmation.seeds needs seeds for each of confirmation.tasks and for no other")
    _check_other_policies(study, study.other_policies)


def _check_other_policies(study: Study, others: OtherPolicies) -> None:
    known = {
        "methods": (others.methods, study.methods),
        "verl_tasks": (others.verl_tasks, study.tasks),
        "verl_seeds": (others.verl_seeds, others.seeds),
    }
    for name, (given, of_study) in known.items():
        unknown = [each for each in given if each not in of_study]
        if unknown:
            raise ValueError(f"other_policies.{name}: {unknown[0]} is not in {', '.join(map(str, of_study))}")
    without_rate = [method for method in study.confirmation.methods if method not in study.methods]
    if without_rate:
        raise ValueError(f"confirmation.methods: {without_rate[0]} is none of methods, so no rate is chosen for it")
    if STUDYS_POLICY in others.seeds:
        raise ValueError(f"other_policies.seeds: {STUDYS_POLICY} is the policy of the study")
