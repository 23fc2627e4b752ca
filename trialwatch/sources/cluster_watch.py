"""Follow the objects of a cluster for a user."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

from api.errors import Unavailable
from api.types import JsonObject
from kube.cluster import ChangeType, Cluster, Scope
from kube.errors import Gone
from trialwatch.sources.documents import oldest_first

_PAUSE = 2.0
"""Seconds before the next attempt while the API server does not answer."""


async def follow(
    cluster: Cluster,
    scope: Scope,
    show: Callable[[Sequence[JsonObject]], None],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Call `show` with all objects of a scope, and then with each changed one, until cancelled.

    Raises:
        Forbidden: the account may not list or watch these objects.
    """
    version, lost = "", False
    while True:
        try:
            if not version:
                listing = await cluster.list(scope)
                show(oldest_first(listing.items))
                version = listing.version
            async with aclosing(cluster.watch(scope, since=version)) as changes:
                async for change in changes:
                    version, lost = change.version, False
                    if change.type in (ChangeType.ADDED, ChangeType.MODIFIED):
                        show([change.document])
        except Gone:
            version = ""
        except Unavailable as error:
            if not lost:
                print(f"trialwatch get: {error}; trying again", file=sys.stderr, flush=True)
            lost = True
            await sleep(_PAUSE)
