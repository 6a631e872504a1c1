"""Grades responses with another reward than ours: any function with the signature of verl's `compute_score`."""

import asyncio
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_prep.sampling.grading import Grade, Job, grade_with_own_reward
from recipe.edge_grpo.evaluate.policy.run_folder import RunFolder
from recipe.edge_grpo.evaluate.responses import ResponseKey

OWN_REWARD_NAME = "reward_fns.math_reward:compute_score"
VERLS_REWARD_NAME = "verl.utils.reward_score:default_compute_score"
"""What verl calls where no function is named."""

_NOT_REPORTED = "not_reported"


@dataclass(frozen=True)
class Reward:
    """A reward function by name (`module:function`, or `file.py:function`), and how it is called.

    `accuracy_key` is the key of its result that is 1 for a correct response and 0 for a wrong one.
    """

    name: str = OWN_REWARD_NAME
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    accuracy_key: str = "acc"

    def settings(self) -> list[Any] | None:
        """Return what a grade depends on; None for our own reward as it is."""
        return None if self == Reward() else [self.name, dict(self.kwargs), self.accuracy_key]

    def grade(self) -> Grade:
        """Return what grades a response. Raises ValueError, naming the function, if it does not load."""
        return grade_with_own_reward if self == Reward() else _grader(self, load_function(self.name))


def reward_of_run(run: RunFolder) -> Reward:
    """Return the reward with which a run was trained. Raises ValueError for one that is a model."""
    if run.setting("reward.reward_model.enable", False):
        raise ValueError(
            "reward.reward_model.enable=true: the run was graded by a model, which is not started here; give a "
            f"function, such as --reward {OWN_REWARD_NAME}"
        )
    if run.config is None:
        return Reward()
    function = run.setting("reward.custom_reward_function", {})
    kwargs = function.get("reward_kwargs") or {}
    accuracy_key = run.setting("edge_grpo.gec.accuracy_key", "acc")
    path = function.get("path")
    if not path:
        return Reward(VERLS_REWARD_NAME, kwargs, accuracy_key)
    return Reward(function_name(path, function.get("name") or "compute_score"), kwargs, accuracy_key)


def function_name(path: str, name: str) -> str:
    """Return the name for `--reward` of what verl finds by path and name.

    >>> function_name("pkg://reward_fns/math_reward", "compute_score")
    'reward_fns.math_reward:compute_score'
    """
    module = (
        path.removeprefix("pkg://").replace("/", ".") if path.startswith("pkg://") else path.removeprefix("file://")
    )
    return f"{module}:{name}"


def load_function(name: str) -> Callable[..., Any]:
    """Load `module:function` or `file.py:function`. Raises ValueError, naming it, if that fails."""
    place, _, function = name.rpartition(":")
    if not place:
        raise ValueError(f"--reward {name} is not of the form module:function, such as {OWN_REWARD_NAME}")
    try:
        loaded = getattr(_load_module(place), function)
    except Exception as error:  # Whatever a module of the user's raises when it is imported.
        raise ValueError(f"--reward {name} does not load: {_describe(error)}") from error
    if not callable(loaded):
        raise ValueError(f"--reward {name} is no function")
    return loaded  # type: ignore[no-any-return]


def _load_module(place: str) -> Any:
    if not place.endswith(".py"):
        return importlib.import_module(place)
    spec = importlib.util.spec_from_file_location("evaluated_reward", place)
    if spec is None or spec.loader is None or not Path(place).is_file():
        raise FileNotFoundError(f"there is no file {place}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Dataclasses look their module up there.
    spec.loader.exec_module(module)
    return module


def _grader(reward: Reward, function: Callable[..., Any]) -> Grade:
    async def grade(job: Job[ResponseKey], text: str) -> Mapping[str, Any]:
        answers = list(job.ground_truth)
        call = {
            "data_source": job.key.benchmark,
            "solution_str": text,
            "ground_truth": answers[0] if len(answers) == 1 else answers,
            "extra_info": {"index": job.key.problem_index, "num_turns": 1, "rollout_reward_scores": {}},
            **reward.kwargs,
        }
        try:
            if inspect.iscoroutinefunction(function):
                result = await function(**call)
            else:
                result = await asyncio.to_thread(function, **call)  # as verl does
        except Exception as error:  # The function is the user's.
            raise ValueError(f"--reward {reward.name} raised {_describe(error)} ({_problem(job)})") from error
        return _as_grade(result, reward, job, text)

    return grade


def _as_grade(result: Any, reward: Reward, job: Job[ResponseKey], text: str) -> Mapping[str, Any]:
    fields = result if isinstance(result, Mapping) else {"score": result}
    accuracy = fields.get(reward.accuracy_key, fields.get("score"))
    if accuracy not in (0, 1):  # True and 1.0 are.
        raise ValueError(
            f"--reward {reward.name} gave {accuracy!r} ({_problem(job)}); an evaluation counts correct responses: its "
            f"result must have {reward.accuracy_key!r}, 0 or 1"
        )
    return {
        "acc": float(accuracy),
        "format": bool(fields.get("format", r"\boxed" in text)),
        "verify_status": str(fields.get("verify_status", _NOT_REPORTED)),
    }


def _problem(job: Job[ResponseKey]) -> str:
    return f"problem {job.key.problem_index} of {job.key.benchmark!r}"


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}".rstrip(": ")
