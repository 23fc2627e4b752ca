"""`supervise`: restarts a worker after crashes; PID 1 of the sidecar does this."""

from __future__ import annotations

import math
import os
import select
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from api.backoff import Backoff
from launcher import linux
from launcher.processes import (
    NOT_FOUND,
    NOT_RUN,
    Inherited,
    exit_code,
    forward_signal,
    from_outside,
    note_inherited,
    start,
)

_PROGRAM = "launcher supervise"
_BACKOFF = Backoff(first=0.05, longest=10.0)
_STEADY = 10.0
"""Seconds; a worker that lived so long starts a new count of crashes."""
_QUICK_RESTARTS = 5
"""Number of crashes in a row after which each pause is twice the last one."""
_ENDINGS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})
_FINAL = frozenset({0, 2, NOT_RUN, NOT_FOUND})
"""Statuses after which a restart would end the same: done, bad usage, cannot be run."""


def supervise(command: Sequence[bytes]) -> int:
    """Run the command, and again after each crash; return its last exit status."""
    inherited = note_inherited()
    linux.adopt_orphans(adopt=True)
    return _Supervisor(command, inherited, linux.open_signals()).watch()


@dataclass(slots=True)
class _Supervisor:
    command: Sequence[bytes]
    inherited: Inherited
    signals: int
    worker: int | None = None
    started: float = 0.0
    start_at: float = 0.0
    crashes: int = 0
    end_signal: int = 0
    """The signal that announced the end, or 0."""

    def watch(self) -> int:
        poll = select.poll()
        poll.register(self.signals, select.POLLIN)
        while True:
            if self.worker is None and time.monotonic() >= self.start_at:
                self._start()
            wait = max(0.0, self.start_at - time.monotonic()) * 1000
            poll.poll(None if self.worker is not None else math.ceil(wait))
            self._read_signals()
            for status in self._ends_of_worker():
                if self._is_final(status):
                    return exit_code(status)
                self._crashed(status)

    def _start(self) -> None:
        """Start a worker with SIGTERM blocked; if the end was announced, it is pending too.

        On a busy node the end may come while the worker still starts, and must not end it before
        it can deliver. So it must unblock the signal, or wait for it.
        """
        inherited = replace(self.inherited, mask=self.inherited.mask | {signal.SIGTERM})
        self.started = time.monotonic()
        try:
            self.worker = start(_PROGRAM, self.command, inherited, session=False, streams={})
        except OSError:
            self.start_at = self.started + _BACKOFF.wait(2)
            return
        if self.end_signal:
            os.kill(self.worker, signal.SIGTERM)

    def _read_signals(self) -> None:
        for received in linux.read_signals(self.signals):
            if not from_outside(received):
                continue
            if received.number in _ENDINGS:
                self.end_signal = received.number
                self.start_at = 0.0
            if self.worker is not None:
                forward_signal(self.worker, received)

    def _ends_of_worker(self) -> Iterator[int]:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if pid == self.worker:
                self.worker = None
                yield status

    def _is_final(self, status: int) -> bool:
        if not self.end_signal:
            return exit_code(status) in _FINAL
        crashed = os.WIFSIGNALED(status) and os.WTERMSIG(status) != self.end_signal
        return not crashed or self.crashes > _QUICK_RESTARTS

    def _crashed(self, status: int) -> None:
        now = time.monotonic()
        self.crashes = 1 if now - self.started >= _STEADY else self.crashes + 1
        pause = _BACKOFF.wait(max(1, self.crashes - _QUICK_RESTARTS + 1))
        self.start_at = now + pause
        sys.stderr.write(
            f"{_PROGRAM}: {os.fsdecode(self.command[0])} ended with status {exit_code(status)}; "
            f"starting it again in {pause:.2f} s\n"
        )
