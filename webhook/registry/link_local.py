"""Refuse link-local addresses: at 169.254.169.254 clouds serve the credentials of a node.

The author of a pod chooses the registry, so they could make the webhook ask for them.
"""

from __future__ import annotations

import errno
import socket
from ipaddress import IPv6Address, ip_address

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult


class RefusingResolver(AbstractResolver):
    """Looks up names; refuses a name that has a link-local address."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a name.

        Raises:
            OSError: it has none, or a link-local one.
        """
        addresses = await self._inner.resolve(host, port, family)
        for address in addresses:
            refuse_link_local(address["host"])
        return addresses

    async def close(self) -> None:
        """Close the resolver that does the work."""
        await self._inner.close()


def refuse_link_local(host: str) -> None:
    """Check a host that may be an address; names pass.

    Raises:
        OSError: it is a link-local address.
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    if (mapped or address).is_link_local:
        why = f"{host} is a link-local address, which is never a registry"
        raise OSError(errno.EACCES, why)
