"""The official client's connections, and the errors of the network."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.request import getproxies

import aiohttp
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from kubernetes.aio.config import ConfigException

from api.errors import SetupError, Unavailable


class Connections(RESTClientObject):
    """The official client's connections, with TCP keepalive: they notice a silent server."""

    def __init__(self, configuration: Configuration) -> None:
        settings: Any = configuration  # the package's types are not complete
        # aiohttp reads the environment for each request, in threads: a third of the request's cost.
        settings.client_session_kwargs = {"trust_env": bool(getproxies())}
        super().__init__(configuration)

    def _create_connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(
            limit=self.maxsize, ssl=self.ssl_context, socket_factory=_with_keepalive
        )


def _with_keepalive(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, _, _ = address
    connection = socket.socket(family=family, type=kind, proto=protocol)
    connection.settimeout(0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):  # not on every system
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
    return connection


@asynccontextmanager
async def explained(about: str) -> AsyncIterator[None]:
    """Turn an error of the network into one of `api.errors`."""
    try:
        yield
    except TimeoutError:
        raise Unavailable(f"{about}: the API server did not answer in time; ask again") from None
    except ConfigException as error:
        raise SetupError(f"{about}: cannot read the credentials: {error}") from None
    except (aiohttp.ClientError, OSError) as error:
        why = str(error) or type(error).__name__
        raise Unavailable(f"{about}: cannot reach the API server: {why}; ask again") from None


async def lines_of(content: aiohttp.StreamReader) -> AsyncGenerator[bytes, None]:
    """Cut a stream into lines of any length; leave out a last line without its end."""
    rest: list[bytes] = []
    async for piece in content.iter_any():
        *whole, last = piece.split(b"\n")
        for line in whole:
            yield b"".join([*rest, line])
            rest = []
        rest.append(last)
