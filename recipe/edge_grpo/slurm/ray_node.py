"""One node of Ray as a job step of Slurm; it ends with the step and leaves no process behind.

    python -m recipe.edge_grpo.slurm.ray_node --name NODE --cluster HOST:PORT --devices N --cpus N [--head] …

Each Ray node has a resource `slurm_node:NAME`, by which `wait_for_nodes` knows it. Every port is chosen anew, because
nodes of several jobs, or of one, can share a machine.

The folder of Ray's sessions is this user's alone, and removed when Slurm ends the step (scancel, time limit,
preemption): the batch script, which is then being ended as well, cannot start anything on this node any more.
"""

import argparse
import errno
import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from recipe.edge_grpo.slurm import process_tree
from recipe.edge_grpo.slurm.network import address_of_interface, address_towards, free_ports

NODE_RESOURCE = "slurm_node:"

ENDED_BY_SLURM = 128 + signal.SIGTERM
"""An exit code; the batch script asks with SIGUSR2 instead."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `ray start --block` for this node; returns its exit code."""
    options = parse_arguments(arguments)
    if os.environ.get("VERL_PLATFORM") == "cpu":
        # Ray's workers inherit the environment of their node, and not that of the driver.
        from recipe.edge_grpo.cpu import ENVIRONMENT

        os.environ.update({**ENVIRONMENT, **os.environ})
    try:
        own_folder(options.folder)
        command = ray_command(options)
    except OSError as error:
        print(f"EDGE-GRPO: {error.strerror}", file=sys.stderr)
        return 1
    print(f"EDGE-GRPO: {' '.join(command)}", flush=True)
    exit_code = process_tree.run(command)
    if exit_code == ENDED_BY_SLURM:
        shutil.rmtree(options.folder, ignore_errors=True)
    return exit_code


def own_folder(folder: Path) -> None:
    """Make the folder, for this user only.

    Raises:
        OSError: it cannot be made, or is there and somebody else's.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.lstat().st_uid != os.getuid():
        raise PermissionError(errno.EPERM, f"{folder} belongs to somebody else")


def ray_command(options: argparse.Namespace) -> list[str]:
    """Return `ray start` with this node's address, ports and resources.

    Raises:
        OSError: this node has no address towards the head.
    """
    head_host, _, head_port = options.cluster.rpartition(":")
    if options.head:
        client_port, agent_port = free_ports(2)
        role = ["--head", f"--port={head_port}", f"--ray-client-server-port={client_port}"]
        role += ["--include-dashboard=false", "--disable-usage-stats"]
        address = head_host
    else:
        (agent_port,) = free_ports(1)
        role = [f"--address={options.cluster}"]
        address = address_of_interface(options.interface) if options.interface else address_towards(head_host)
    return [
        *(sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *role),
        f"--node-ip-address={address}",
        f"--dashboard-agent-listen-port={agent_port}",
        f"--num-cpus={options.cpus}",
        f"--num-gpus={options.devices}",
        f"--resources={json.dumps({NODE_RESOURCE + options.name: 1})}",
    ]


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m recipe.edge_grpo.slurm.ray_node", description=__doc__)
    parser.add_argument("--name", required=True, help="the node's name in Slurm")
    parser.add_argument("--cluster", required=True, help="HOST:PORT of the head")
    parser.add_argument("--devices", required=True, type=int, help="training processes on this node, one for each GPU")
    parser.add_argument("--cpus", required=True, type=int, help="logical CPUs")
    parser.add_argument("--folder", required=True, type=Path, help="of Ray's sessions, which RAY_TMPDIR names as well")
    parser.add_argument("--interface", help="of the network to use; default: the one that leads to the head")
    parser.add_argument("--head", action="store_true", help="this node is the head, at the address in --cluster")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
