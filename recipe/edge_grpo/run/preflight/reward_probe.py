"""Calls a reward function in a process of its own, so that one that hangs, prints or crashes does no harm.

`python -m recipe.edge_grpo.run.preflight.reward_probe` reads a question as JSON and prints its answer after a mark.
"""

import asyncio
import importlib
import importlib.util
import inspect
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data_prep.quality.answer_forms import WAYS, wrong_answer
from recipe.edge_grpo.run.preflight.reward import Probe

PROBE_SECONDS = 10.0
"""A reward that has not answered by then is not tried."""

PROBE_MARK = "EDGE-GRPO reward probe: "


def probe_reward(reward: dict[str, Any], row: dict[str, Any], gold: str, seconds: float = PROBE_SECONDS) -> Probe:
    """Grade the reference answer of a row, and a wrong one, in each way of giving it.

    Args:
        reward: path, name and reward_kwargs, as in `reward.custom_reward_function`.
        row: data_source and reward_model of a training row.
        gold: its reference answer, or the first of several.
        seconds: how long the reward may take, its import included.
    """
    question = json.dumps({"reward": reward, "row": row, "gold": gold}, default=str)
    command = [sys.executable, "-m", "recipe.edge_grpo.run.preflight.reward_probe"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace",
        start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = process.communicate(question, timeout=seconds)
    except subprocess.TimeoutExpired:
        return Probe({}, f"it had not answered after {seconds:.0f} s")
    finally:
        _end_group(process)
    answers = [line.removeprefix(PROBE_MARK) for line in output.splitlines() if line.startswith(PROBE_MARK)]
    if not answers:
        return Probe({}, f"its process ended with exit code {process.returncode}")
    answer = json.loads(answers[-1])
    return Probe({way: tuple(pair) for way, pair in answer["grades"].items()}, answer["error"], answer["is_certain"])


def load_reward(path: str, name: str) -> Callable[..., Any]:
    """Load a function as verl does: from `pkg://module`, or from a file."""
    if path.startswith("pkg://"):
        module = importlib.import_module(path.removeprefix("pkg://").replace("/", "."))
    else:
        file = path.removeprefix("file://")
        if not Path(file).exists():
            raise FileNotFoundError(f"there is no file {file}")
        spec = importlib.util.spec_from_file_location("custom_reward", file)
        if spec is None or spec.loader is None:
            raise ImportError(f"{file} is no Python file")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return getattr(module, name)  # type: ignore[no-any-return]


def grade_all_ways(function: Callable[..., Any], question: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Return {way: (accuracy of the reference answer, of a wrong one)}."""
    gold, golds = question["gold"], question["row"]["reward_model"]["ground_truth"]
    wrong = wrong_answer(golds if isinstance(golds, list) else [gold])
    return {
        way: (_grade(function, question, form % gold), _grade(function, question, form % wrong))
        for way, form in WAYS.items()
    }


def _grade(function: Callable[..., Any], question: dict[str, Any], response: str) -> float:
    row, reward = question["row"], question["reward"]
    result = function(
        data_source=row.get("data_source"),
        solution_str=response,
        ground_truth=row["reward_model"]["ground_truth"],
        extra_info={**(row.get("extra_info") or {}), "num_turns": 1, "rollout_reward_scores": {}},
        **(reward.get("reward_kwargs") or {}),
    )
    if inspect.isawaitable(result):
        result = asyncio.run(_wait_for(result))
    if isinstance(result, dict):
        result = result.get(reward.get("accuracy_key"), result.get("acc", result.get("score")))
    return float(result[0] if isinstance(result, tuple | list) else result)


async def _wait_for(result: Any) -> Any:
    return await result


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    reward = question["reward"]
    try:
        function = load_reward(reward["path"], reward["name"])
    except Exception as error:  # whatever a module of the user's raises when it is imported
        is_certain = isinstance(error, FileNotFoundError | ImportError | SyntaxError | AttributeError)
        return {"grades": {}, "error": f"does not load ({_describe(error)})", "is_certain": is_certain}
    try:
        return {"grades": grade_all_ways(function, question), "error": None, "is_certain": False}
    except Exception as error:  # it may need a server, a device or another row
        is_certain = isinstance(error, NotImplementedError)  # as verl's own, for a data source that it does not know
        return {"grades": {}, "error": f"raised {_describe(error)}", "is_certain": is_certain}


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}".rstrip(": ")


def _end_group(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
    process.wait()


if __name__ == "__main__":
    print("\n" + PROBE_MARK + json.dumps(_answer(json.load(sys.stdin))), flush=True)
    os._exit(0)  # threads and children that the reward has started do not keep this process
