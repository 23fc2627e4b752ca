"""Writes the trainer's lines to stdout in a thread, so that a slow reader delays nothing else."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections import deque

MOST = 4 << 20
"""The most bytes that wait to be written."""
_LAST_SECONDS = 1.0
"""How long `close` waits for a slow reader."""


class StdoutWriter:
    """`collector.core.ports.EchoOutput`."""

    def __init__(self, descriptor: int = 1) -> None:
        """Write to a file descriptor, which stays open."""
        self._descriptor = descriptor
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._changed = threading.Condition()
        self._ending = False
        self._broken = False
        self._thread = threading.Thread(target=self._run, name="stdout", daemon=True)
        self._thread.start()

    def room(self) -> int:
        """Return how many bytes it accepts now; after a broken pipe, `MOST`."""
        return MOST if self._broken else max(0, MOST - self._size)

    def write(self, data: bytes) -> None:
        """Accept bytes; after a broken pipe they are dropped."""
        if self._broken or not data:
            return
        with self._changed:
            self._waiting.append(data)
            self._size += len(data)
            self._changed.notify_all()

    def close(self) -> None:
        """Write the rest, for at most one second; a reader that blocks loses it."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        self._thread.join(_LAST_SECONDS)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ending)
                if not self._waiting:
                    return
                data = self._waiting.popleft()
            self._write(data)
            with self._changed:
                self._size -= len(data)

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                select.select((), (self._descriptor,), ())
                with contextlib.suppress(BlockingIOError):
                    left = left[os.write(self._descriptor, left) :]
        except OSError:  # the reader is gone
            self._broken = True
            with self._changed:
                self._waiting.clear()
