"""Calls whose order means nothing, some at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from itertools import islice
from typing import Any

_AT_ONCE = 10


async def run_concurrently(calls: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Make some calls at a time, for most of each is waiting for an answer.

    Where one fails, those of its time are finished and the rest is left.
    """
    waiting = iter(calls)
    while some := list(islice(waiting, _AT_ONCE)):
        for outcome in await asyncio.gather(*some, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
