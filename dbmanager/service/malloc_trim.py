"""Returns the memory of a very large report to the operating system.

The C library keeps freed memory for later. After several of the largest reports at a time, the
program may never need so much again. But glibc returns only memory at the end of its heap, unless
the program calls `malloc_trim`.
"""

from __future__ import annotations

import asyncio
import ctypes
from functools import cache

LARGE = 50_000
"""Points of a report; they take about 20 MiB."""
_LATER = 0.2
"""Seconds; by then gRPC has freed the message, too."""


def trim_after(points: int) -> None:
    """Return unused memory soon, if a report has very many points."""
    if points >= LARGE:
        asyncio.get_running_loop().call_later(_LATER, _trim)


def _trim() -> None:
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> ctypes._NamedFuncPointer | None:
    """Return the function; None unless the C library is glibc."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except AttributeError:
        return None
