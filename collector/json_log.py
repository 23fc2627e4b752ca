"""The collector's log: each message is one line of JSON on stderr.

`{"time": "2026-11-24T03:00:00.123Z", "program": "collector", "message": "following attempt 1"}`
"""

from __future__ import annotations

import contextlib
import json
import sys
from datetime import UTC, datetime


class JsonLog:
    """`collector.core.ports.MessageLog`."""

    def write(self, text: str) -> None:
        """Write one sentence; ignore faults, because a lost message must not end the collection."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"time": now, "program": "collector", "message": text})
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
