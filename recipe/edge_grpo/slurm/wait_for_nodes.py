"""Waits until the Ray cluster has a live node for every name, or watches that it keeps them.

    python -m recipe.edge_grpo.slurm.wait_for_nodes --cluster HOST:PORT --seconds N [--watch] NAME…

Exit code 1, with the names of those that are missing, where that takes longer than so many seconds. With `--watch` it
goes on until a node is lost, and then has exit code 1 as well: verl can wait for ever for a node that is gone.
"""

import argparse
import logging
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

from recipe.edge_grpo.slurm.ray_node import NODE_RESOURCE

NODES_POLL_SECONDS = 1.0

WATCH_SECONDS = 3.0
"""Ray itself takes 10 to 20 s to notice that a machine is gone, and less than one for a process."""


def missing_nodes(expected: Iterable[str], ray_nodes: Iterable[dict[str, Any]]) -> list[str]:
    """Return names without a live node among those that `ray.nodes()` lists, in the order given."""
    joined = {resource for node in ray_nodes if node["Alive"] for resource in node["Resources"]}
    return [name for name in expected if NODE_RESOURCE + name not in joined]


def wait(cluster: str, names: Sequence[str], seconds: float) -> list[str]:
    """Wait for all nodes, or for so many seconds; returns the names that are missing then."""
    import ray

    deadline, missing = time.monotonic() + seconds, list(names)
    host = cluster.rpartition(":")[0]
    while time.monotonic() < deadline:
        try:
            ray.init(cluster, _node_ip_address=host, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as error:  # the head is not up yet
            last_error = error
            time.sleep(NODES_POLL_SECONDS)
            continue
        while (missing := missing_nodes(names, _ray_nodes())) and time.monotonic() < deadline:
            time.sleep(NODES_POLL_SECONDS)
        return missing
    print(f"EDGE-GRPO: Ray's head does not answer at {cluster}: {last_error}", file=sys.stderr)
    return missing


def _ray_nodes() -> list[dict[str, Any]]:
    import ray

    return ray.nodes()  # type: ignore[no-any-return]


def watch(names: Sequence[str]) -> list[str]:
    """Wait until a node that had joined is lost; returns the names of the lost."""
    while not (lost := missing_nodes(names, _ray_nodes())):
        time.sleep(WATCH_SECONDS)
    return lost


def main(arguments: Sequence[str] | None = None) -> int:
    """Wait, and watch, as the arguments say; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m recipe.edge_grpo.slurm.wait_for_nodes")
    parser.add_argument("--cluster", required=True)
    parser.add_argument("--seconds", required=True, type=float)
    parser.add_argument("--watch", action="store_true")
    parser.add_argument("names", nargs="+")
    options = parser.parse_args(arguments)
    begin = time.monotonic()
    missing = wait(options.cluster, options.names, options.seconds)
    if missing:
        print(
            f"EDGE-GRPO: not joined within {options.seconds:.0f} s: {', '.join(missing)} "
            f"({len(options.names) - len(missing)} of {len(options.names)} nodes are there)",
            file=sys.stderr,
        )
        return 1
    if options.watch:
        print(f"EDGE-GRPO: Ray has lost {', '.join(watch(options.names))}", file=sys.stderr)
        return 1
    print(f"EDGE-GRPO: all {len(options.names)} nodes have joined after {time.monotonic() - begin:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
