"""How large a report to the store may be: the DB manager refuses more, the collector sends less.

Honest reports are far below: a batch of the collector closes at 1,000 points, and Katib's DB
manager cannot store more than 16,383 points of one report.
"""

from __future__ import annotations

from typing import Final

LARGEST_MESSAGE: Final = 4 * 1024 * 1024
"""Bytes of one request, after decompression. It is gRPC's own default."""
MOST_POINTS: Final = 100_000
"""Points of one report; 4 MiB have room for fewer points of usual length."""
LONGEST_NAME: Final = 255
"""Characters of the name of a trial, namespace, source or metric: the length of Katib's columns."""
LONGEST_VALUE: Final = 4_096
"""Characters of a point's value; a number has some dozens."""
LARGEST_STEP: Final = 2**63 - 1
"""A point's step is a whole number from 0 to this: databases store it in 64 bits."""
