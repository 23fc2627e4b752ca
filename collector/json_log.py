"""The collector's log: each message is one line on stderr, a prefix and one JSON object.

`[trialwatch] {"time": "2026-11-24T03:00:00.123Z", "level": "info", "message": "following …"}`

In a pod the container's log has both outputs, so these lines stand among those of the trainer,
which may be JSON too. The prefix tells them apart.
"""

from __future__ import annotations

import contextlib
import json
import sys
from datetime import UTC, datetime
from typing import Final

from api.sidecar_values import LogLevel

PREFIX: Final = "[trialwatch] "
_ORDER: Final = tuple(LogLevel)


class JsonLog:
    """`collector.core.ports.MessageLog`."""

    def __init__(self, level: LogLevel = LogLevel.WARNING) -> None:
        """Write messages of this level and above."""
        self._least = _ORDER.index(level)

    def note(self, text: str) -> None:
        """Write a sentence about something usual."""
        self._write(LogLevel.INFO, text)

    def write(self, text: str) -> None:
        """Write a sentence about something that a person should look at."""
        self._write(LogLevel.WARNING, text)

    def fail(self, text: str) -> None:
        """Write why nothing is collected."""
        self._write(LogLevel.ERROR, text)

    def _write(self, level: LogLevel, text: str) -> None:
        """Write one sentence; ignore faults, because a lost message must not end the collection."""
        if _ORDER.index(level) < self._least:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"time": now, "level": level.value, "message": text})
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{PREFIX}{line}\n")
            sys.stderr.flush()
