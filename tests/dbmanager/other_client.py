"""A client with an address of its own on this machine: it connects through a relay."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_PIECE = 64 * 1024


@asynccontextmanager
async def relay_from(
    source: str, address: str, sent: Counter[str] | None = None
) -> AsyncIterator[str]:
    """Yield an address whose connections reach the server at `address` from the host `source`.

    `sent` counts the bytes that the clients of that host send.
    """
    sent = Counter() if sent is None else sent

    def count(data: bytes) -> None:
        sent[source] += len(data)

    host, _, port = address.rpartition(":")
    pipes: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        other = await asyncio.open_connection(host, int(port), local_addr=(source, 0))
        for pipe in (_copy(reader, other[1], count), _copy(other[0], writer)):
            task = asyncio.create_task(pipe)
            pipes.add(task)
            task.add_done_callback(pipes.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(pipes):
            task.cancel()
        await asyncio.gather(*pipes, return_exceptions=True)
        await server.wait_closed()


async def _copy(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    count: Callable[[bytes], None] = lambda _: None,
) -> None:
    try:
        with contextlib.suppress(OSError):
            while data := await reader.read(_PIECE):
                count(data)
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()
