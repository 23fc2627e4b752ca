"""Leader election: of several replicas, the one that holds a Lease works (client-go's algorithm).

The holder renews the Lease every `retry` seconds. Another replica takes it when it has not changed
for its `duration`, measured by the replica's own clock from the moment at which it saw the change:
clocks are never compared. A holder that could not renew for `renew_deadline` knows that it no
longer holds the Lease, before another replica takes it.
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
class LeaseTimes:
    """The defaults of client-go, in seconds."""

    duration: float = 15.0
    """How long other replicas respect a Lease without renewal."""
    renew_deadline: float = 10.0
    """How long the holder tries to renew the Lease; less than `duration`."""
    retry: float = 2.0
    """How often a replica tries to acquire or to renew the Lease."""

    @property
    def are_sound(self) -> bool:
        """Whether a holder has several attempts, and gives up before others take over."""
        return 0 < 2 * self.retry < self.renew_deadline < self.duration and self.duration >= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectionRuntime:
    """Clocks and randomness. `clock` is in seconds and never goes back; `now` is the date."""

    clock: Callable[[], float]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Random = field(default_factory=Random)


class LeaderElection:
    """One replica's part in the election."""

    def __init__(
        self,
        cluster: Cluster,
        lease: Ref,
        identity: str,
        runtime: ElectionRuntime,
        times: LeaseTimes | None = None,
    ) -> None:
        """`identity` names this replica; no other replica ever has the same."""
        self.identity, self.holder, self.trouble = identity, "", ""
        """The last known holder; and why the Lease cannot be read or written."""
        self._cluster, self._lease, self._runtime = cluster, lease, runtime
        self._times = times or LeaseTimes()
        self._until = float("-inf")
        self._document: JsonObject = {}
        self._seen: tuple[str, float] = ("", 0.0)

    @property
    def holds(self) -> bool:
        """Whether this replica holds the Lease now, by its own clock."""
        return self._runtime.clock() < self._until

    async def acquire(self) -> None:
        """Return when this replica holds the Lease."""
        runtime, times = self._runtime, self._times
        while not await self._attempt(self._take(), times.renew_deadline):
            await runtime.sleep(times.retry * runtime.random.uniform(1.0, 1.5))
        _log.info("acquired the Lease", lease=str(self._lease), identity=self.identity)

    async def renew(self) -> None:
        """Renew the Lease until it is lost; then `holds` is false."""
        runtime = self._runtime
        while self.holds and self.holder == self.identity:
            await runtime.sleep(min(self._times.retry, max(0.0, self._until - runtime.clock())))
            await self._attempt(self._renew_once(), self._until - runtime.clock())
        self._until = float("-inf")
        _log.error("lost the Lease", lease=str(self._lease), holder=self.holder, cause=self.trouble)

    async def release(self) -> None:
        """Give the Lease back, so that another replica takes it at once; call it after all work."""
        if not self.holds:
            return
        await self._attempt(self._write(holder="", seconds=1), _RELEASE_SECONDS)
        self._until = float("-inf")

    async def _attempt(self, attempt: Awaitable[bool], seconds: float) -> bool:
        """Try once; log an error unless it is the same as before."""
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
        """Take the Lease if it has no holder, or was not renewed for its duration."""
        try:
            await self._read()
        except NotFound:
            return await self._write(holder=self.identity, seconds=self._times.duration)
        respected = self._seen[1] + _seconds_of(self._document)
        if self.holder not in {"", self.identity} and self._runtime.clock() < respected:
            return False
        return await self._write(holder=self.identity, seconds=self._times.duration)

    async def _renew_once(self) -> bool:
        """Renew the Lease; after a conflict read who holds it; create it if it was deleted."""
        if await self._write(holder=self.identity, seconds=self._times.duration):
            return True
        with suppress(NotFound):
            await self._read()
        if self.holder != self.identity:
            return False
        return await self._write(holder=self.identity, seconds=self._times.duration)

    async def _read(self) -> None:
        self._document = {}
        document = await self._cluster.get(self._lease)
        self._document, self.holder = document, text_at(document, "spec", "holderIdentity")
        if version_of(document) != self._seen[0]:
            self._seen = (version_of(document), self._runtime.clock())

    async def _write(self, *, holder: str, seconds: float) -> bool:
        """Replace the Lease that was last read; return False if another replica was faster."""
        started = self._runtime.clock()
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
        moment = self._runtime.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
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
