"""Gives memory back that a very large report took.

What a program frees stays with the C library, for the next time. After a report of hundreds of
MiB there may be no next time, and glibc gives back only what lies at the end of its heap, unless
it is asked.
"""

from __future__ import annotations

import asyncio
import ctypes
from functools import cache

LARGE = 100_000
"""Points of a report after which it is worth it: some 40 MiB."""
_LATER = 0.2
"""Seconds; by then gRPC has let go of the message, too."""


def trim_after(points: int) -> None:
    """Give back what a report of so many points leaves behind, soon after it was answered."""
    if points >= LARGE:
        asyncio.get_running_loop().call_later(_LATER, _trim)


def _trim() -> None:
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> ctypes._NamedFuncPointer | None:
    """Return glibc's function; None where another C library keeps house."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except AttributeError:
        return None
