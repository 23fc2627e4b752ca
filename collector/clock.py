"""The system's clocks."""

from __future__ import annotations

import time


class SystemClock:
    """`collector.core.ports.Clock`."""

    def micros(self) -> int:
        """Return microseconds since 1970 in UTC."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Return seconds since a fixed moment."""
        return time.monotonic()
