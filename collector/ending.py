"""Being told to end: SIGTERM from the kubelet, SIGINT from a person."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


class Ending:
    """Waits for the signal in a thread: a handler would run in the middle of anything, a lock too.

    To be made first of all: from then on the signals are blocked in every thread. Our supervisor
    may have left one pending for us; it counts.
    """

    def __init__(self) -> None:
        """Block the signals, and wait for one."""
        self.told = threading.Event()
        self._act: Callable[[], None] = lambda: None
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        threading.Thread(target=self._wait, name="signals", daemon=True).start()

    def then(self, act: Callable[[], None]) -> None:
        """Do something, in that thread, when it comes; or now, where it has come already."""
        self._act = act
        if self.told.is_set():
            act()

    def _wait(self) -> None:
        signal.sigwait(_SIGNALS)
        self.told.set()
        self._act()
