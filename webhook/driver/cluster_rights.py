"""Asks the API server what the authors of experiments and trials may create and read."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Final, Protocol

from api.backoff import Backoff
from api.errors import TrialwatchError, Unavailable
from kube.access import Access, Authorizer
from kube.cluster import Cluster, Kind, Resource
from kube.errors import UnknownKind
from webhook.experiments.authors import (
    NotNamespaced,
    RightAnswer,
    RightDenied,
    RightGranted,
    RightLookup,
)
from webhook.model.lookups import LookupFailed

_BACKOFF: Final = Backoff(first=0.05, longest=1.0, spread=0.5)
"""Seconds between two tries of a look-up."""


class ClusterWithRights(Cluster, Authorizer, Protocol):
    """A cluster that also answers which user may do what."""


class ClusterRights:
    """Answers whether a user may do something with objects of a kind. Nothing is cached."""

    def __init__(self, cluster: ClusterWithRights, random: Random | None = None) -> None:
        self._cluster = cluster
        self._random = random or Random()  # noqa: S311 - spreads load, keeps no secret

    async def answer(self, lookup: RightLookup, deadline: float) -> RightAnswer:
        """Answer before the event loop's clock reaches the deadline. Never raises."""
        if not lookup.author.name:
            return RightDenied("the API server named no user")
        cause = "the API server did not answer in time"
        waits = _BACKOFF.waits(self._random.random)
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    try:
                        return await self._ask(lookup)
                    except Unavailable as error:
                        cause = str(error)
                    await asyncio.sleep(next(waits))
        except TrialwatchError as error:
            return LookupFailed(str(error))
        except TimeoutError:
            return LookupFailed(cause)

    async def _ask(self, lookup: RightLookup) -> RightAnswer:
        try:
            resource = await self._cluster.resource_of(lookup.kind)
        except UnknownKind:
            resource = usual_resource(lookup.kind)
        if not resource.namespaced:
            return NotNamespaced()
        access = Access(
            requester=lookup.author,
            verb=lookup.verb,
            group=resource.group,
            version=resource.api_version.rpartition("/")[2],
            resource=resource.plural,
            namespace=lookup.namespace,
            name=lookup.name,
        )
        decision = await self._cluster.decide(access)
        return RightGranted() if decision.allowed else RightDenied(decision.reason)


def usual_resource(kind: Kind) -> Resource:
    """Return the resource that a kind has by convention.

    For a kind that the cluster does not serve yet: its rights can be granted before, so they can be
    looked up before too.
    """
    word = kind.kind.lower()
    if word.endswith("y"):
        plural = f"{word[:-1]}ies"
    else:
        plural = f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"
    return Resource(api_version=kind.api_version, kind=kind.kind, plural=plural, namespaced=True)
