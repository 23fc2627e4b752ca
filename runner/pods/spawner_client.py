"""The runner's side of the connection to the spawner: containers as awaitable objects."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from api.errors import SetupError
from runner.pods.own_programs import own_program
from runner.pods.spawner_protocol import (
    Command,
    Ended,
    Gone,
    Launch,
    LineBuffer,
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
    """How a container ended, or why it did not start."""

    status: int
    signal: int | None = None
    refusal: str = ""
    missing: bool = False
    """Whether it was refused because its program is not on this machine."""


@dataclass(slots=True)
class Running:
    """A container whose start was requested."""

    id: str
    started: asyncio.Future[int]
    """The pid; cancelled if the container never starts."""
    ended: asyncio.Future[Exit]
    """How the container ended; set after all its processes have ended."""
    _spawner: SpawnerClient = field(repr=False)

    def signal(self, number: int) -> None:
        """Send a signal to the container's first process; SIGKILL ends all its processes."""
        if not self.ended.done():
            self._spawner.send(Signal(id=self.id, number=number))


class SpawnerClient:
    """The connection to one spawner; created by `start_spawner`."""

    def __init__(self, process: asyncio.subprocess.Process, no_mounts: str | None) -> None:
        self._process = process
        self._running: dict[str, Running] = {}
        self._results: dict[str, Ended | Refused] = {}
        self._ending = False
        self.lost = False
        """Whether the spawner ended unexpectedly; the state of its containers is then unknown."""
        self.no_mounts = no_mounts
        """Why directories cannot be mounted at other paths; None if they can."""

    def start(self, launch: Launch) -> Running:
        """Start a container; the futures of the result have its state."""
        loop = asyncio.get_running_loop()
        running = Running(launch.id, loop.create_future(), loop.create_future(), self)
        if self.lost:
            self._end(running, None)
            return running
        self._running[launch.id] = running
        self.send(launch)
        return running

    def send(self, command: Command) -> None:
        """Send a command; without effect if the spawner is dead, because its containers are too."""
        if self.lost or self._process.stdin is None or self._process.stdin.is_closing():
            return
        with contextlib.suppress(ConnectionError):  # it has just ended: `listen` handles that
            self._process.stdin.write(to_line(command))

    def end(self) -> None:
        """End the spawner and its containers."""
        self._ending = True
        _close(self._process)

    async def listen(self) -> None:
        """Process reports until the spawner ends."""
        lines = LineBuffer()
        stdout = self._process.stdout
        while stdout is not None and (data := await stdout.read(_PIECE)):
            for line in lines.feed(data):
                self._process_report(report_from(line))
        self.lost = not self._ending
        for name in list(self._running):
            self._process_report(Gone(id=name))

    def _process_report(self, report: Report) -> None:
        match report:
            case Started(id=name, pid=pid) if name in self._running:
                self._running[name].started.set_result(pid)
            case Ended() | Refused():
                self._results[report.id] = report
            case Gone(id=name) if name in self._running:
                self._end(self._running.pop(name), self._results.pop(name, None))
            case _:
                pass

    def _end(self, running: Running, result: Ended | Refused | None) -> None:
        running.started.cancel()
        match result:
            case Ended(status=status, signal=number):
                running.ended.set_result(Exit(status=status, signal=number))
            case Refused(why=why, missing=missing):
                running.ended.set_result(Exit(status=128, refusal=why, missing=missing))
            case None:  # the shim was killed, and the container with it
                running.ended.set_result(Exit(status=_KILLED, signal=9))


@asynccontextmanager
async def start_spawner(folder: str, hold: Sequence[int] = ()) -> AsyncIterator[SpawnerClient]:
    """Start a spawner, and end it with all of its containers.

    Args:
        folder: an empty directory, to test whether directories can be mounted.
        hold: descriptors that the spawner keeps open until all containers have ended.

    Raises:
        SetupError: the spawner does not start.
    """
    process = await asyncio.create_subprocess_exec(
        *own_program("runner.pods.spawner"),
        folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        pass_fds=hold,
        start_new_session=True,  # signals of the terminal must not reach the trainers
    )
    try:
        made = SpawnerClient(process, await _ready(process))
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
        "the process that starts the trials' containers ended at once; its error is above:"
        " repair the installation (pip install --force-reinstall trialwatch)"
    )
