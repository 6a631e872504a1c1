"""Finds vLLM servers of a run that have died: each is asked for `/health`.

Only vLLM's answer is about its engine alone. SGLang's `/health` samples a token, and does not come while verl pauses
sampling; TensorRT-LLM's has not been looked at. A server of theirs that dies is found by dead_actors.py, an engine of
theirs that hangs by stall.py.
"""

import http.client
import urllib.request
from collections.abc import Iterable
from typing import Any

SERVER_CHECK_SECONDS = 5.0
HEALTH_TIMEOUT_SECONDS = 60.0
"""A dead engine answers at once that it is dead, and a dead server refuses; only a busy one needs this long."""

FAILURES_OF_A_DEAD_SERVER = 3
"""Consecutive failed answers of one server: one may be a server that is busy for longer than the time-out."""

# A proxy of the environment is for the outside world; it does not know the servers of this run.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def addresses_of_vllm(server_managers: Iterable[Any]) -> list[str]:
    """Return `host:port` of each vLLM server among the replicas of verl's server managers; other engines have none."""
    replicas = (replica for manager in server_managers for replica in manager.get_replicas())
    return [replica.server_address for replica in replicas if replica.config.name == "vllm"]


def is_healthy(address: str, timeout: float = HEALTH_TIMEOUT_SECONDS) -> bool:
    """Return True if the vLLM server at `host:port` answers that its engine is alive."""
    try:
        with _DIRECT.open(f"http://{address}/health", timeout=timeout) as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException):
        return False


class VLLMHealth:
    """Finds a server that has failed to answer several times in a row. Each call asks every server once."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self.num_failures = {address: 0 for address in addresses}

    def __call__(self) -> str | None:
        for address, num_failures in self.num_failures.items():
            self.num_failures[address] = 0 if is_healthy(address) else num_failures + 1
            if self.num_failures[address] >= FAILURES_OF_A_DEAD_SERVER:
                return dead_server_message(address)
        return None


def find_unhealthy_server(addresses: Iterable[str]) -> str | None:
    """Return what is wrong with the first server that does not answer now; None if all do."""
    return next((dead_server_message(address) for address in addresses if not is_healthy(address)), None)


def dead_server_message(address: str) -> str:
    """Return what the user is told of a dead server."""
    return (
        f"the vLLM server at {address} is dead (its health checks fail); ending the run. Its last words are above, "
        "or in the Ray session's logs/worker-*.err"
    )
