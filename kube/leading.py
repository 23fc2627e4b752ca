"""Who of several replicas works: the one that holds a Lease, as client-go's leader election has it.

The holder renews the Lease every `retry` seconds. Others take it when it has not changed for its
`duration`, by their own clock from when they saw the change: clocks are never compared. A holder
that could not renew for `renew_deadline` no longer holds it, and knows so before others take it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from api.documents import mapping_at, text_at, value_at
from api.errors import TrialwatchError
from api.types import JsonObject
from kube.cluster import Cluster, Ref, version_of
from kube.errors import AlreadyExists, Conflict, NotFound
from serving.logs import get_logger

LEASE_API: Final = "coordination.k8s.io/v1"
_RELEASE_SECONDS: Final = 3.0
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """client-go's own, in seconds."""

    duration: float = 15.0
    """How long a Lease that is not renewed is respected."""
    renew_deadline: float = 10.0
    """How long its holder tries to renew it before he gives up; less than `duration`."""
    retry: float = 2.0
    """How often it is tried to get, or to renew it."""

    @property
    def are_sound(self) -> bool:
        """Whether a holder has several tries, and gives up before others take over."""
        return 0 < 2 * self.retry < self.renew_deadline < self.duration and self.duration >= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Clocks and dice. `clock` counts seconds and never goes back; `now` is the date."""

    clock: Callable[[], float]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Random = field(default_factory=Random)


class Leadership:
    """One replica's part in the election."""

    def __init__(
        self,
        cluster: Cluster,
        lease: Ref,
        identity: str,
        around: Surroundings,
        times: Times | None = None,
    ) -> None:
        """`identity` is this replica's, and nobody else's at any time."""
        self.identity, self.holder, self.trouble = identity, "", ""
        """Who holds it, as far as is known; and why that is not known."""
        self._cluster, self._lease, self._around = cluster, lease, around
        self._times = times or Times()
        self._until = float("-inf")
        self._document: JsonObject = {}
        self._seen: tuple[str, float] = ("", 0.0)

    @property
    def holds(self) -> bool:
        """Whether the Lease is ours at this moment, by our own clock."""
        return self._around.clock() < self._until

    async def gain(self) -> None:
        """Return when the Lease is ours."""
        around, times = self._around, self._times
        while not await self._tried(self._take(), times.renew_deadline):
            await around.sleep(times.retry * around.random.uniform(1.0, 1.5))
        _log.info("acquired the Lease", lease=str(self._lease), identity=self.identity)

    async def keep(self) -> None:
        """Renew it; return when it is lost. From then on `holds` is false."""
        around = self._around
        while self.holds and self.holder == self.identity:
            await around.sleep(min(self._times.retry, max(0.0, self._until - around.clock())))
            await self._tried(self._renew(), self._until - around.clock())
        self._until = float("-inf")
        _log.error("lost the Lease", lease=str(self._lease), holder=self.holder, cause=self.trouble)

    async def release(self) -> None:
        """Give it back, so that the next one takes it at once; only when all work has ended."""
        if not self.holds:
            return
        await self._tried(self._write(holder="", seconds=1), _RELEASE_SECONDS)
        self._until = float("-inf")

    async def _tried(self, attempt: Awaitable[bool], seconds: float) -> bool:
        """Try once; what went wrong is logged where it is new."""
        trouble = ""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                return await attempt
        except TimeoutError:
            trouble = f"{self._lease}: the API server did not answer in time"
        except TrialwatchError as error:
            trouble = str(error)
        finally:
            if trouble and trouble != self.trouble:
                _log.warning(
                    "cannot acquire or renew the Lease", lease=str(self._lease), cause=trouble
                )
            self.trouble = trouble
        return False

    async def _take(self) -> bool:
        """Take the Lease where it is nobody's, or was not renewed for as long as it lasts."""
        try:
            await self._look()
        except NotFound:
            return await self._write(holder=self.identity, seconds=self._times.duration)
        respected = self._seen[1] + _seconds_of(self._document)
        if self.holder not in {"", self.identity} and self._around.clock() < respected:
            return False
        return await self._write(holder=self.identity, seconds=self._times.duration)

    async def _renew(self) -> bool:
        """Renew it; where it has changed, see by whom, and where it is gone, make it anew."""
        if await self._write(holder=self.identity, seconds=self._times.duration):
            return True
        with suppress(NotFound):
            await self._look()
        if self.holder != self.identity:
            return False
        return await self._write(holder=self.identity, seconds=self._times.duration)

    async def _look(self) -> None:
        self._document = {}
        document = await self._cluster.get(self._lease)
        self._document, self.holder = document, text_at(document, "spec", "holderIdentity")
        if version_of(document) != self._seen[0]:
            self._seen = (version_of(document), self._around.clock())

    async def _write(self, *, holder: str, seconds: float) -> bool:
        """Write the Lease in the place of what was last seen; False: somebody was quicker."""
        started = self._around.clock()
        wanted = self._wanted(holder, seconds)
        call = self._cluster.replace if version_of(wanted) else self._cluster.create
        try:
            self._document = await call(wanted)
        except (AlreadyExists, Conflict, NotFound):
            return False
        self.holder = holder
        self._seen = (version_of(self._document), started)
        self._until = started + self._times.renew_deadline
        return True

    def _wanted(self, holder: str, seconds: float) -> JsonObject:
        before: Mapping[str, Any] = mapping_at(self._document, "spec")
        lease = self._lease
        moment = self._around.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        taken = bool(holder) and before.get("holderIdentity") != holder
        spec: dict[str, Any] = {
            **before,
            "holderIdentity": holder,
            "leaseDurationSeconds": max(1, round(seconds)),
            "renewTime": moment,
        }
        if taken:
            spec["acquireTime"] = moment
            spec["leaseTransitions"] = int(before.get("leaseTransitions") or 0) + bool(before)
        metadata: JsonObject = {"name": lease.name, "namespace": lease.namespace}
        whole: dict[str, Any] = {"metadata": metadata, **self._document, "spec": spec}
        return {**whole, "apiVersion": lease.api_version, "kind": lease.kind}


def _seconds_of(document: JsonObject) -> float:
    seconds = value_at(document, "spec", "leaseDurationSeconds")
    return float(seconds) if isinstance(seconds, int) else 0.0
