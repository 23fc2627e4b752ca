"""Our stdout: the trainer's lines, written by a thread, so that no slow reader delays anything."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections import deque

MOST = 4 << 20
"""Bytes that wait to be written."""
_LAST_SECONDS = 1.0


class Stdout:
    """`collector.core.ports.Echo`."""

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
        """Return how many bytes it can take now; as many as you like where nobody reads."""
        return MOST if self._broken else max(0, MOST - self._size)

    def write(self, data: bytes) -> None:
        """Take bytes."""
        if self._broken or not data:
            return
        with self._changed:
            self._waiting.append(data)
            self._size += len(data)
            self._changed.notify_all()

    def close(self) -> None:
        """Write what waits, for a moment; a reader that blocks is left behind."""
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
        except OSError:  # nobody reads any more
            self._broken = True
            with self._changed:
                self._waiting.clear()
