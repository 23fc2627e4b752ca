"""The beginning and the end of a program: its port, what runs beside, the signals that end it."""

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
    """Give an event that SIGTERM and SIGINT set, instead of ending the process."""
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
    """Write the port by a rename, so that who waits for the file finds all of it.

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
    """Run what never ends beside the body, and cancel it afterwards.

    What ends even so has a fault: then `ended` is set, and in the end the fault is raised.
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
