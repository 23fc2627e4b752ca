"""Sends reviews over TLS as fast as possible, or at a fixed rate, with little overhead.

An HTTP client in Python takes longer for a request than the server does. So requests are written
beforehand, and of an answer no more is read than where it ends.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

HOST = "localhost"
_LENGTH = b"content-length: "


def request_of(body: bytes) -> bytes:
    """Return a request as bytes."""
    head = (
        f"POST /mutate-pod?timeout=10s HTTP/1.1\r\nHost: {HOST}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Caller:
    """One connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, request: bytes) -> bytes:
        """Send a request; return the body of the response, which must be a success."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if b" 200 " not in head[:16]:
            raise RuntimeError(head.decode(errors="replace"))
        start = head.index(_LENGTH) + len(_LENGTH)
        return await self._reader.readexactly(int(head[start : head.index(b"\r", start)]))

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()


@asynccontextmanager
async def callers(port: int, trust: ssl.SSLContext, count: int) -> AsyncIterator[list[Caller]]:
    """Yield the given number of connections."""
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(count):
            caller = Caller(*await asyncio.open_connection(HOST, port, ssl=trust))
            stack.push_async_callback(caller.close)
            made.append(caller)
        yield made


async def flood(connections: Sequence[Caller], requests: Sequence[bytes], count: int) -> float:
    """Send `count` requests; each connection sends the next one after its response.

    Returns the seconds that it took.
    """
    wanted = itertools.islice(itertools.cycle(requests), count)

    async def one(connection: Caller) -> None:
        for request in wanted:
            await connection.ask(request)

    started = time.perf_counter()
    await asyncio.gather(*(one(connection) for connection in connections))
    return time.perf_counter() - started


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds from the due time of a request to its response."""

    median: float
    p99: float
    most: float


async def steadily(
    connections: Sequence[Caller], requests: Sequence[bytes], rate: float, seconds: float
) -> Latency:
    """Send `rate` requests per second, independent of the responses."""
    free: asyncio.Queue[Caller] = asyncio.Queue()
    for connection in connections:
        free.put_nowait(connection)
    took: list[float] = []

    async def one(request: bytes, due: float) -> None:
        connection = await free.get()
        await connection.ask(request)
        took.append((time.perf_counter() - due) * 1000)
        free.put_nowait(connection)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, request in zip(range(int(rate * seconds)), itertools.cycle(requests)):
            due = started + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(request, due))
    took.sort()
    return Latency(median=took[len(took) // 2], p99=took[int(len(took) * 0.99)], most=took[-1])
