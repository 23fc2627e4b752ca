"""Asks the API server what the authors of experiments and trials may create."""

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
"""Seconds before a question is asked again."""


class ClusterWithRights(Cluster, Authorizer, Protocol):
    """A cluster that also says who may do what."""


class ClusterRights:
    """Answers whether somebody may create objects of a kind. Nothing is remembered."""

    def __init__(self, cluster: ClusterWithRights, random: Random | None = None) -> None:
        self._cluster = cluster
        self._random = random or Random()  # noqa: S311 - spreads load, keeps no secret

    async def answer(self, wanted: RightLookup, deadline: float) -> RightAnswer:
        """ObjectAnswer before the event loop's clock is at the deadline. Never raises."""
        if not wanted.author.name:
            return RightDenied("the API server named no user")
        cause = "the API server did not answer in time"
        waits = _BACKOFF.waits(self._random.random)
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    try:
                        return await self._asked(wanted)
                    except Unavailable as error:
                        cause = str(error)
                    await asyncio.sleep(next(waits))
        except TrialwatchError as error:
            return LookupFailed(str(error))
        except TimeoutError:
            return LookupFailed(cause)

    async def _asked(self, wanted: RightLookup) -> RightAnswer:
        try:
            resource = await self._cluster.resource_of(wanted.kind)
        except UnknownKind:
            resource = usual_resource(wanted.kind)
        if not resource.namespaced:
            return NotNamespaced()
        access = Access(
            requester=wanted.author,
            verb="create",
            group=resource.group,
            version=resource.api_version.rpartition("/")[2],
            resource=resource.plural,
            namespace=wanted.namespace,
        )
        decision = await self._cluster.decide(access)
        return RightGranted() if decision.allowed else RightDenied(decision.reason)


def usual_resource(kind: Kind) -> Resource:
    """Return what a kind's resource is by convention, for one that the cluster does not serve yet.

    Rights can be given for it before that, so they can be asked for, too.
    """
    word = kind.kind.lower()
    if word.endswith("y"):
        plural = f"{word[:-1]}ies"
    else:
        plural = f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"
    return Resource(api_version=kind.api_version, kind=kind.kind, plural=plural, namespaced=True)
