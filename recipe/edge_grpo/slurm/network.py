"""This node's address as the other nodes reach it, and ports that are free.

python -m recipe.edge_grpo.slurm.network address HOST [--interface NAME]
python -m recipe.edge_grpo.slurm.network ports NUMBER
"""

import argparse
import fcntl
import socket
import struct
import sys
from collections.abc import Sequence

_SIOCGIFADDR = 0x8915


def address_towards(host: str) -> str:
    """Return the local address that the routing table uses for packets to `host`; nothing is sent.

    Raises:
        OSError: `host` has no address, or there is no way to it.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.connect(address)
        return str(probe.getsockname()[0])


def address_of_interface(name: str) -> str:
    """Return the IPv4 address of a network interface.

    Raises:
        OSError: there is no such interface, or it has no IPv4 address; the message names those that there are.
    """
    request = struct.pack("256s", name.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            reply = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
        except OSError as error:
            present = ", ".join(interface for _, interface in socket.if_nameindex())
            raise OSError(
                error.errno, f"no IPv4 address at EDGE_GRPO_INTERFACE={name} on this node, which has {present}"
            ) from error
    return socket.inet_ntoa(reply[20:24])


def free_ports(number: int) -> list[int]:
    """Return ports that nothing listens on at this moment, all different."""
    sockets = [socket.socket() for _ in range(number)]
    try:
        for each in sockets:
            each.bind(("", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m recipe.edge_grpo.slurm.network", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    address = commands.add_parser("address")
    address.add_argument("host")
    address.add_argument("--interface")
    commands.add_parser("ports").add_argument("number", type=int)
    options = parser.parse_args(arguments)
    if options.command == "ports":
        print(*free_ports(options.number))
        return
    try:
        print(address_of_interface(options.interface) if options.interface else address_towards(options.host))
    except OSError as error:
        sys.exit(f"EDGE-GRPO: {options.host}: {error.strerror}")


if __name__ == "__main__":
    main()
