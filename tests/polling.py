"""Waiting for what others bring about, without knowing how long they take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

SECONDS = 60.0


async def eventually(holds: Callable[[], bool], *, seconds: float = SECONDS) -> None:
    """Return as soon as it holds; fail where it never does."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - nobody tells when it comes to hold
            await asyncio.sleep(0.002)
