"""`python -m runner.pods.spawner FOLDER`: starts containers, and kills them when the runner ends.

Commands arrive on standard input, and reports go to standard output (`spawner_protocol`). It is a
separate process, because a fork of a process with one thread is safe and fast, and already has the
collector in memory. It outlives the runner: when its input ends for any reason, it kills all
containers. Until then it keeps inherited descriptors open, which hold the lock on the state.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import sys
from collections.abc import Iterator

from collector.preload import compile_patterns
from launcher import linux
from launcher.processes import kill_others
from runner.pods import mounting
from runner.pods.shim import FORWARD, ORPHANED, guard
from runner.pods.spawner_protocol import (
    Command,
    Gone,
    Launch,
    LineBuffer,
    Ready,
    Refused,
    command_from,
    to_line,
)

_INPUT, _OUTPUT = 0, 1
_PIECE = 1 << 16


class _Spawner:
    def __init__(self) -> None:
        self._signals = linux.open_signals()
        self._lines = LineBuffer()
        self._shims: dict[int, str] = {}

    def run(self) -> None:
        poll = select.poll()
        poll.register(_INPUT, select.POLLIN)
        poll.register(self._signals, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if self._signals in ready:
                numbers = {got.number for got in linux.read_signals(self._signals)}
                self._reap()
                if numbers & {signal.SIGTERM, signal.SIGHUP, signal.SIGINT}:
                    return
            if _INPUT in ready:
                data = os.read(_INPUT, _PIECE)
                if not data:
                    return
                for line in self._lines.feed(data):
                    self._execute(command_from(line))

    def end(self) -> None:
        """Kill all containers, and wait until all their processes have ended."""
        for pid in self._shims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, ORPHANED)
        while self._shims:
            self._forget(os.waitpid(-1, 0)[0])
        kill_others()

    def _execute(self, command: Command) -> None:
        if isinstance(command, Launch):
            self._start(command)
            return
        for pid, name in self._shims.items():
            if name == command.id:
                with contextlib.suppress(ProcessLookupError):
                    linux.send_with_value(pid, FORWARD, command.number)

    def _start(self, launch: Launch) -> None:
        this = os.getpid()
        if launch.collector:
            compile_patterns(launch.argv[1:])
        try:
            pid = os.fork()
        except OSError as fault:
            why = f"this machine cannot start more processes ({fault.strerror})"
            os.write(_OUTPUT, to_line(Refused(id=launch.id, why=why)))
            os.write(_OUTPUT, to_line(Gone(id=launch.id)))
            return
        if pid == 0:
            reports = os.dup(_OUTPUT)
            os.set_inheritable(reports, False)  # noqa: FBT003 - its one form
            os.close(self._signals)
            guard(launch, reports, this)
        self._shims[pid] = launch.id

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, _ = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    break
                self._forget(pid)
        for pid in set(_children()) - self._shims.keys():
            with contextlib.suppress(ProcessLookupError):  # the rest of a killed shim
                os.kill(pid, signal.SIGKILL)

    def _forget(self, pid: int) -> None:
        """Report a shim's end; other processes are reaped here too."""
        name = self._shims.pop(pid, None)
        if name is not None:
            with contextlib.suppress(OSError):
                os.write(_OUTPUT, to_line(Gone(id=name)))


def _children() -> Iterator[int]:
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        yield from map(int, file.read().split())


def main(folder: str) -> int:
    """Start containers until the input ends."""
    signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    linux.adopt_orphans(adopt=True)
    no_mounts = mounting.probe(folder)
    gc.collect()
    gc.freeze()  # so that the forks share memory that does not change
    spawner = _Spawner()
    try:
        os.write(_OUTPUT, to_line(Ready(no_mounts=no_mounts)))
        spawner.run()
    except BrokenPipeError:
        return 0  # the runner has ended
    finally:
        spawner.end()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
