"""The collector's own messages: one line of JSON each, on stderr.

`{"time": "2026-11-24T03:00:00.123Z", "program": "collector", "message": "following attempt 1"}`
"""

from __future__ import annotations

import contextlib
import json
import sys
from datetime import UTC, datetime


class Log:
    """`collector.core.ports.Reporter`."""

    def tell(self, text: str) -> None:
        """Write a sentence; a log that nobody takes is no reason to fail."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"time": now, "program": "collector", "message": text})
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
