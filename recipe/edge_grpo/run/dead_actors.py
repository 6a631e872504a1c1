"""Finds actors of a run that have died, by reading Ray's own table of actors.

verl does not notice the death of an agent-loop worker, or of TransferQueue's storage: what they owed it never comes.

`ray.util.state.list_actors` would be the public way, and needs Ray's dashboard; the same table is read from Ray's GCS
with `ray._private.state.actors`, which is Ray's own way for debugging. Its names are those of Ray 2.41, the oldest that
verl takes, to 2.60; where a Ray has others, that is said once, and no death is found.
"""

import functools
import logging
from collections.abc import Iterable, Mapping
from typing import Any

logger = logging.getLogger(__name__)

ACTOR_CHECK_SECONDS = 1.0

TABLE_HAS_OTHER_NAMES = (ImportError, AttributeError, KeyError, TypeError, ValueError)
"""What reading a table raises that lacks a name; a GCS that does not answer for a moment raises an error of Ray's."""

UNEXPECTED_DEATHS = {
    "WORKER_DIED": "its process has ended (killed, out of memory, or crashed)",
    "NODE_DIED": "Ray has lost its node",
    "OUT_OF_MEMORY": "Ray has killed it, because its node was short of memory",
}
"""Ray's reasons for an actor's death that nobody in the program asked for, and what they mean."""

ROLES = {
    "WorkerDict": "training process",
    "RewardLoopWorker": "reward worker",
    "EdgeGRPOAgentLoopWorker": "agent-loop worker",
    "vLLMHttpServer": "vLLM server",
}
"""What verl's actors do, by their class."""


def find_dead_actor_of_this_process() -> str | None:
    """Return what is wrong with the first actor of this process that has died unexpectedly; None if none has.

    Actors that an actor of this process has made, such as the tools of an agent loop, are that one's own business.
    """
    import ray

    context = ray.get_runtime_context()
    try:
        from ray._private import state

        table = state.actors(job_id=ray.JobID.from_hex(context.get_job_id())).values()
        return find_dead_actor(table, own_actor_id=context.get_actor_id())
    except TABLE_HAS_OTHER_NAMES as error:
        _warn_of_other_names(ray.__version__, f"{type(error).__name__}: {error}")
        return None


@functools.cache
def _warn_of_other_names(ray_version: str, error: str) -> None:
    """Say it; once, because the table is looked at every second."""
    logger.warning(
        "EDGE-GRPO: Ray %s has another table of actors than Ray 2.41 to 2.60 (%s): a process of this run that dies is "
        "not noticed, only that the run hangs (edge_grpo.stall_seconds); install ray==2.60.0 to have it noticed",
        ray_version,
        error,
    )


def find_dead_actor(table: Iterable[Mapping[str, Any]], own_actor_id: str | None) -> str | None:
    """Return the message for the first unexpected death among the actors owned by one of them.

    Args:
        table: Ray's rows of actors.
        own_actor_id: the owner's; None for a process that is no actor: then all count.
    """
    rows = list(table)
    own_address = next((_address(row["Address"]) for row in rows if row["ActorID"] == own_actor_id), None)
    for row in rows:
        is_own = own_address is None or _address(row["OwnerAddress"]) == own_address
        cause = UNEXPECTED_DEATHS.get(_reason_of_death(row))
        if is_own and cause is not None:
            return _message(row, cause)
    return None


def _address(address: Mapping[str, Any]) -> tuple[str, int]:
    return address["IPAddress"], address["Port"]


def _reason_of_death(row: Mapping[str, Any]) -> str:
    """Return Ray's name for it; empty for an actor that lives or is being restarted."""
    if row["State"] != "DEAD" or row.get("DeathCause") is None:
        return ""
    if row["DeathCause"].HasField("oom_context"):  # of Ray's own memory monitor
        return "OUT_OF_MEMORY"
    context = row["DeathCause"].actor_died_error_context
    if "Worker exit type: INTENDED_" in context.error_message:  # `exit_actor` was called; the reason is as of a crash
        return ""
    return str(type(context).Reason.Name(context.reason))


def _message(row: Mapping[str, Any], cause: str) -> str:
    class_name = row["ActorClassName"].removeprefix("create_colocated_worker_cls.<locals>.")
    who = f"{ROLES[class_name]} ({class_name}" if class_name in ROLES else f"actor ({class_name}"
    return (
        f"the {who}, process {row['Pid']} on {row['Address']['IPAddress']}) is dead: {cause}; ending the run. The "
        "same command resumes from the last checkpoint"
    )
