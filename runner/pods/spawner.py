"""`python -m runner.pods.spawner FOLDER`: starts containers, and ends them all when it is left.

Orders come on standard input, reports go to standard output (`orders`). A process of its own,
because a fork of one thread is safe, quick, and already has the collector in memory; and because
it outlives the runner: when its input ends, whatever the reason, all containers are killed. What
it was given beside its streams it holds until then, the lock on the runner's state.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import sys
from collections.abc import Iterator

import collector.app  # noqa: F401 - in memory for every fork
from launcher import linux
from launcher.processes import kill_others
from runner.pods import mounting
from runner.pods.shim import FORWARD, ORPHANED, guard
from runner.pods.spawner_protocol import (
    Gone,
    Launch,
    Lines,
    Order,
    Ready,
    Refused,
    order_from,
    to_line,
)

_INPUT, _OUTPUT = 0, 1
_PIECE = 1 << 16


class _Spawner:
    def __init__(self) -> None:
        self._signals = linux.open_signals()
        self._lines = Lines()
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
                    self._obey(order_from(line))

    def end(self) -> None:
        """Kill all containers, and wait until nothing of them is left."""
        for pid in self._shims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, ORPHANED)
        while self._shims:
            self._forget(os.waitpid(-1, 0)[0])
        kill_others()

    def _obey(self, order: Order) -> None:
        if isinstance(order, Launch):
            self._start(order)
            return
        for pid, name in self._shims.items():
            if name == order.id:
                with contextlib.suppress(ProcessLookupError):
                    linux.send_with_value(pid, FORWARD, order.number)

    def _start(self, launch: Launch) -> None:
        this = os.getpid()
        try:
            pid = os.fork()
        except OSError as fault:
            why = f"this machine can start no more processes ({fault.strerror})"
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
            with contextlib.suppress(ProcessLookupError):  # of a shim that somebody has killed
                os.kill(pid, signal.SIGKILL)

    def _forget(self, pid: int) -> None:
        """Tell of a shim's end; other processes end here, too."""
        name = self._shims.pop(pid, None)
        if name is not None:
            with contextlib.suppress(OSError):
                os.write(_OUTPUT, to_line(Gone(id=name)))


def _children() -> Iterator[int]:
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        yield from map(int, file.read().split())


def main(folder: str) -> int:
    """Serve until the input ends."""
    signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    linux.adopt_orphans(adopt=True)
    no_mounts = mounting.probe(folder)
    gc.collect()
    gc.freeze()  # the forks share what is never written to
    spawner = _Spawner()
    try:
        os.write(_OUTPUT, to_line(Ready(no_mounts=no_mounts)))
        spawner.run()
    except BrokenPipeError:
        return 0  # the runner is gone
    finally:
        spawner.end()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
