"""The runner's end of the line to the spawner: containers as objects that can be awaited."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from api.errors import SetupError
from runner.pods.spawner_protocol import (
    Ended,
    Gone,
    Launch,
    Lines,
    Order,
    Ready,
    Refused,
    Report,
    Signal,
    Started,
    report_from,
    to_line,
)

_PIECE = 1 << 16
_KILLED = 137


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a container ended, or why it never began."""

    status: int
    signal: int | None = None
    refusal: str = ""
    missing: bool = False
    """It was refused because its program is not on this machine."""


@dataclass(slots=True)
class Running:
    """A container that was ordered."""

    id: str
    started: asyncio.Future[int]
    """Its pid; cancelled where it never starts."""
    ended: asyncio.Future[Exit]
    """How it ended, once nothing of it is left."""
    _spawner: Spawner = field(repr=False)

    def signal(self, number: int) -> None:
        """Send its first process a signal; SIGKILL ends all of its processes."""
        if not self.ended.done():
            self._spawner.order(Signal(id=self.id, number=number))


class Spawner:
    """The line to one spawner. Made by `spawner`."""

    def __init__(self, process: asyncio.subprocess.Process, no_mounts: str | None) -> None:
        self._process = process
        self._running: dict[str, Running] = {}
        self._words: dict[str, Ended | Refused] = {}
        self._ending = False
        self.lost = False
        """The spawner has ended, and nobody had asked it to: of its containers nothing is known."""
        self.no_mounts = no_mounts
        """Why directories cannot be mounted at other paths; None where they can."""

    def start(self, launch: Launch) -> Running:
        """Start a container; what becomes of it is told by its futures."""
        loop = asyncio.get_running_loop()
        running = Running(launch.id, loop.create_future(), loop.create_future(), self)
        if self.lost:
            self._end(running, None)
            return running
        self._running[launch.id] = running
        self.order(launch)
        return running

    def order(self, order: Order) -> None:
        """Send an order; where the spawner is dead, its containers are too."""
        if self.lost or self._process.stdin is None or self._process.stdin.is_closing():
            return
        with contextlib.suppress(ConnectionError):  # it has just ended: `listen` will say so
            self._process.stdin.write(to_line(order))

    def end(self) -> None:
        """Let it end, and its containers with it."""
        self._ending = True
        _close(self._process)

    async def listen(self) -> None:
        """Take reports until the spawner ends."""
        lines = Lines()
        stdout = self._process.stdout
        while stdout is not None and (data := await stdout.read(_PIECE)):
            for line in lines.feed(data):
                self._hear(report_from(line))
        self.lost = not self._ending
        for name in list(self._running):
            self._hear(Gone(id=name))

    def _hear(self, report: Report) -> None:
        match report:
            case Started(id=name, pid=pid) if name in self._running:
                self._running[name].started.set_result(pid)
            case Ended() | Refused():
                self._words[report.id] = report
            case Gone(id=name) if name in self._running:
                self._end(self._running.pop(name), self._words.pop(name, None))
            case _:
                pass

    def _end(self, running: Running, word: Ended | Refused | None) -> None:
        running.started.cancel()
        match word:
            case Ended(status=status, signal=number):
                running.ended.set_result(Exit(status=status, signal=number))
            case Refused(why=why, missing=missing):
                running.ended.set_result(Exit(status=128, refusal=why, missing=missing))
            case None:  # the shim was killed, and with it the container
                running.ended.set_result(Exit(status=_KILLED, signal=9))


@asynccontextmanager
async def spawner(folder: str, hold: Sequence[int] = ()) -> AsyncIterator[Spawner]:
    """Start a spawner, and end it with all of its containers.

    Args:
        folder: an empty directory, to try out whether directories can be mounted.
        hold: descriptors that it keeps open until all is ended.

    Raises:
        SetupError: it does not start.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", "runner.pods.spawner", folder),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        pass_fds=hold,
        start_new_session=True,  # what a terminal sends to the runner is not for the trainers
    )
    try:
        made = Spawner(process, await _ready(process))
        listening = asyncio.create_task(made.listen())
        try:
            yield made
        finally:
            made.end()
            await listening
    finally:
        _close(process)
        await process.wait()


def _close(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()


async def _ready(process: asyncio.subprocess.Process) -> str | None:
    line = b""
    if process.stdout is not None:
        with contextlib.suppress(ValueError):
            line = await process.stdout.readline()
    if line:
        report = report_from(line)
        if isinstance(report, Ready):
            return report.no_mounts
    raise SetupError(
        "the process that starts the trials' containers ended at once; what it says stands above:"
        " mend the installation (pip install 'trialwatch[run]')"
    )
