"""Finds what a test leaves behind: descriptors, threads, processes, tasks.

A `Holding` is what this process holds at one moment: open file descriptors, Python threads and
child processes. The fixture `nothing_left_behind` compares the moment before a test's own fixtures
with the moment after them. What a fixture of wider scope opens while it is set up is its own, and
no test answers for it; so such a fixture should open all it needs at once (a gRPC channel:
`await channel.channel_ready()`), not at first use inside of some test.

What is excused stands below, with its reason. Some things end a moment after they were told to
(gRPC's poller, an accepted socket whose other end was closed, a thread about to return), so what
is new has a minute to go. gRPC's descriptors go with its last object, which is why the garbage
is collected before the test is blamed; its own threads, in C++, are not seen. The traceback of a
failed test keeps its objects alive, so its frames are cleared first.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import re
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What stays is a leak however long it is given; what goes is awaited on a busy machine too.
PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.01

# Dummy-N: a thread that a library started in C and that once called Python; Python never learns of
# its end. asyncio_N: the executor of an event loop; it goes with its loop, and a loop that was left
# open shows by its descriptors.
_EXCUSED_THREADS = re.compile(r"Dummy-\d+|asyncio_\d+")

# A gRPC server waits for the next call in a task which it makes anew at each call, so the task of a
# shared server is never that of before. It ends with its server, and a server that was not stopped
# shows by its descriptors.
_EXCUSED_COROUTINES = {"AioServer._request_call"}

KINDS = ("descriptor", "thread", "process", "task")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What this process holds: each thing as (kind, identity, words for a person).

    The words may change while the thing stays the same: a process ends, a thread is joined.
    """

    things: frozenset[tuple[str, str, str]] = field(default_factory=frozenset)

    def beyond(self, earlier: Holding, *, excused: frozenset[str] = frozenset()) -> Holding:
        """Return what is held here and was not `earlier`, save the `excused` kinds."""
        known = {(kind, identity) for kind, identity, _ in earlier.things}
        return Holding(
            things=frozenset(
                thing for thing in self.things if thing[:2] not in known and thing[0] not in excused
            )
        )

    def __or__(self, other: Holding) -> Holding:
        return Holding(things=self.things | other.things)

    def __bool__(self) -> bool:
        return bool(self.things)

    def __str__(self) -> str:
        return "\n".join(f"  {kind} {words}" for kind, _, words in sorted(self.things))


def held_now() -> Holding:
    """Take stock of this process."""
    return Holding(things=frozenset((*_descriptors(), *_threads(), *_children())))


def _descriptors() -> Iterator[tuple[str, str, str]]:
    for link in Path("/proc/self/fd").iterdir():
        # The descriptor with which the folder itself is read is gone by now.
        with contextlib.suppress(FileNotFoundError):
            target = str(link.readlink())
            if not target.startswith("/proc/"):
                yield "descriptor", f"{link.name} {target}", f"{link.name} -> {target}"


def _threads() -> Iterator[tuple[str, str, str]]:
    for thread in threading.enumerate():
        if not _EXCUSED_THREADS.fullmatch(thread.name):
            yield "thread", str(id(thread)), repr(thread)


def _children() -> Iterator[tuple[str, str, str]]:
    for children in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for pid in children.read_text().split():
                yield "process", pid, f"{pid} {_command_of(pid)}"


def _command_of(pid: str) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except (FileNotFoundError, ProcessLookupError):
        return "(gone)"
    return words or "(ended, and never waited for)"


def new_since(earlier: Callable[[], Holding], *, excused: frozenset[str]) -> Holding:
    """Return what is new once patience has run out, or nothing as soon as nothing is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    left = held_now().beyond(earlier(), excused=excused)
    while left and time.monotonic() < deadline:
        gc.collect()
        time.sleep(_PAUSE_SECONDS)
        left = held_now().beyond(earlier(), excused=excused)
    return left


async def tasks_since(before: set[asyncio.Task[object]]) -> Holding:
    """Return the tasks of this loop that are new once patience has run out, or nothing."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    left = _tasks_beyond(before)
    while left and time.monotonic() < deadline:
        await asyncio.sleep(_PAUSE_SECONDS)
        left = _tasks_beyond(before)
    return left


def clear_frames(failure: BaseException) -> None:
    """Clear the local variables in the tracebacks of an error, of its causes and of its parts."""
    errors: list[BaseException | None] = [failure]
    known: set[int] = set()
    while errors:
        error = errors.pop()
        if error is None or id(error) in known:
            continue
        known.add(id(error))
        traceback.clear_frames(error.__traceback__)
        for frame, _ in traceback.walk_tb(error.__traceback__):
            # Python up to 3.12 keeps a copy of variables that were shown, and renews it only here.
            len(frame.f_locals)
        errors += [error.__cause__, error.__context__]
        if isinstance(error, BaseExceptionGroup):
            errors += error.exceptions


def _tasks_beyond(before: set[asyncio.Task[object]]) -> Holding:
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    things = [
        ("task", str(id(task)), repr(task))
        for task in left
        if getattr(task.get_coro(), "__qualname__", "") not in _EXCUSED_COROUTINES
    ]
    return Holding(things=frozenset(things))
