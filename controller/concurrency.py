"""Makes calls whose order does not matter, several at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from itertools import islice
from typing import Any

_AT_ONCE = 10
"""Calls at a time."""


async def run_concurrently(calls: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Make the calls in groups; most of the time a call waits for an answer.

    If a call fails, the calls of its group are finished, the rest is skipped, and its error is
    raised.
    """
    waiting = iter(calls)
    while group := list(islice(waiting, _AT_ONCE)):
        for result in await asyncio.gather(*group, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
