"""The signal to end: SIGTERM from the kubelet, SIGINT from a person."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable

_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


class EndSignal:
    """Waits for the signal in a thread. A handler would interrupt other code, even under a lock.

    Make it before all other threads: it blocks the signals in this thread, and later threads
    inherit that. A signal that is already pending counts too; the supervisor may have sent one.
    """

    def __init__(self) -> None:
        """Block the signals, and start to wait for one."""
        self.received = threading.Event()
        self.at: float | None = None
        """When it came, in seconds of `time.monotonic`."""
        self._act: Callable[[], None] = lambda: None
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        threading.Thread(target=self._wait, name="signals", daemon=True).start()

    def then(self, act: Callable[[], None]) -> None:
        """Call `act` in that thread when the signal comes; at once if it has come already."""
        self._act = act
        if self.received.is_set():
            act()

    def _wait(self) -> None:
        signal.sigwait(_SIGNALS)
        self.at = time.monotonic()
        self.received.set()
        self._act()
