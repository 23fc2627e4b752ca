"""The official client's connections, and what a network may do to them."""

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
    """The official client's connections, with a pulse: it notices a server that fell silent."""

    def __init__(self, configuration: Configuration) -> None:
        settings: Any = configuration  # the package's types are not complete
        # aiohttp asks the environment for each request, in threads: a third of what one costs.
        settings.client_session_kwargs = {"trust_env": bool(getproxies())}
        super().__init__(configuration)

    def _create_connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(
            limit=self.maxsize, ssl=self.ssl_context, socket_factory=_with_pulse
        )


def _with_pulse(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, _, _ = address
    made = socket.socket(family=family, type=kind, proto=protocol)
    made.settimeout(0)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):  # not on every system
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
    return made


@asynccontextmanager
async def explained(about: str) -> AsyncIterator[None]:
    """Turn what the network does into one of our errors."""
    try:
        yield
    except TimeoutError:
        raise Unavailable(f"{about}: the API server did not answer in time; ask again") from None
    except ConfigException as error:
        raise SetupError(f"{about}: the credentials cannot be read: {error}") from None
    except (aiohttp.ClientError, OSError) as error:
        why = str(error) or type(error).__name__
        raise Unavailable(f"{about}: the API server cannot be reached: {why}; ask again") from None


async def lines_of(content: aiohttp.StreamReader) -> AsyncGenerator[bytes, None]:
    """Cut a stream into lines of any length; the last one, if it is not whole, is left out."""
    rest: list[bytes] = []
    async for piece in content.iter_any():
        *whole, last = piece.split(b"\n")
        for line in whole:
            yield b"".join([*rest, line])
            rest = []
        rest.append(last)
