"""A program's life: its port file, its background tasks, and the signals that end it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from api.errors import SetupError


@contextmanager
def until_signal() -> Iterator[asyncio.Event]:
    """Give an event that SIGTERM and SIGINT set instead of ending the process."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, ended.set)
    try:
        yield ended
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def write_port(path: Path, port: int) -> None:
    """Write the port by a rename, so that a reader of the file never sees half of it.

    Raises:
        SetupError: the file cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(f"{port}\n", encoding="ascii")
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise SetupError(f"--port-file: cannot write {path} ({error.strerror})") from None


@asynccontextmanager
async def beside(
    endless: Iterable[Callable[[], Coroutine[object, object, object]]], ended: asyncio.Event
) -> AsyncIterator[None]:
    """Run endless tasks beside the body, and cancel them afterwards.

    A task that ends has failed: then `ended` is set, and its error is raised after the body.
    """
    tasks = [asyncio.create_task(start()) for start in endless]
    for task in tasks:
        task.add_done_callback(lambda _: ended.set())
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
