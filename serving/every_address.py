"""Listens on each address of the machine: what `:PORT`, without a host, means."""

from __future__ import annotations

import socket
from typing import Final

EVERY_ADDRESS: Final = "::"
"""The host of such an address."""
_EVERY_IPV4_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - the user has asked for each address


def host_of_all() -> str:
    """Return the host that stands for each address: without IPv6, that of IPv4."""
    return EVERY_ADDRESS if socket.has_dualstack_ipv6() else _EVERY_IPV4_ADDRESS


def socket_of_all(port: int) -> socket.socket:
    """Return a socket that takes connections to each address, of IPv4 and of IPv6.

    asyncio's own would take those of IPv6 alone.

    Raises:
        OSError: the port is taken.
    """
    host = host_of_all()
    if host == EVERY_ADDRESS:
        return socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server((host, port))
