"""Records Events on objects: what `kubectl describe` shows.

The caller never waits for an Event, and a failed Event never fails the caller. An Event that is
recorded again within AGAIN_SECONDS is only counted. Its name is a digest of object, reason and
message, so all replicas count in one Event.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cachetools import LRUCache

from api.errors import TrialwatchError
from api.types import JsonObject
from kube.cluster import Cluster, Ref
from kube.errors import AlreadyExists
from serving.logs import get_logger

OUTCOMES: Final = ("posted", "throttled", "failed")
"""What becomes of a recorded Event: a label of the programs' metrics."""
AGAIN_SECONDS: Final = 300.0
"""How long an Event that is recorded again is only counted."""
_MOST_WAITING: Final = 100
"""Events that wait to be posted."""
_MOST_REMEMBERED: Final = 4096
"""Events whose counts are kept."""
_LONGEST: Final = 1024
"""Characters of a message, as the API has it."""
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A message about an object."""

    about: Ref
    uid: str
    reason: str
    """One word, such as `PodRefused`."""
    message: str
    type: str = "Warning"
    """Or Normal."""

    @property
    def posted_message(self) -> str:
        """The message, cut to the length that the API allows."""
        return self.message[:_LONGEST]

    @property
    def key(self) -> str:
        """A digest of object, reason and message; equal in all replicas."""
        parts = (self.uid, self.reason, self.posted_message)
        return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSource:
    """The program that records, and how many Events it may post."""

    component: str
    """The name of the program, as each Event shows it."""
    burst: float = 20.0
    """Events that may be posted at once."""
    per_second: float = 2.0
    """Events a second after that."""


@dataclass(slots=True)
class _Count:
    """How often an Event was recorded, and when it may be posted again."""

    first: str
    times: int
    again_at: float


@dataclass(slots=True)
class _TokenBucket:
    """Tokens for Events: `per_second` new ones, at most `burst`."""

    clock: Callable[[], float]
    source: EventSource
    left: float = field(init=False)
    filled_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.filled_at, self.left = self.clock(), self.source.burst

    def take(self) -> bool:
        now = self.clock()
        fresh = (now - self.filled_at) * self.source.per_second
        self.left = min(self.source.burst, self.left + fresh)
        self.filled_at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


def _now() -> datetime:
    return datetime.now(UTC)


class EventRecorder:
    """Posts Events in the background."""

    def __init__(
        self,
        cluster: Cluster,
        source: EventSource,
        *,
        counted: Callable[[str], None],
        clock: Callable[[], float],
        now: Callable[[], datetime] = _now,
    ) -> None:
        """Make it.

        Args:
            cluster: where Events are posted.
            source: the program that records.
            counted: called for each Event with `posted`, `throttled` or `failed`.
            clock: seconds; never goes back.
            now: the date.
        """
        self._cluster, self._component, self._counted = cluster, source.component, counted
        self._clock, self._now = clock, now
        self._counts: LRUCache[str, _Count] = LRUCache(_MOST_REMEMBERED)
        self._waiting: asyncio.Queue[tuple[Event, _Count]] = asyncio.Queue(_MOST_WAITING)
        self._tokens = _TokenBucket(clock, source)

    def record(self, event: Event) -> None:
        """Post an Event soon; only count it if it was posted recently or no token is left."""
        moment, now = self._now().strftime("%Y-%m-%dT%H:%M:%SZ"), self._clock()
        count = self._counts.setdefault(event.key, _Count(moment, 0, now))
        count.times += 1
        if now < count.again_at or not self._tokens.take():
            self._counted("throttled")
            return
        try:
            self._waiting.put_nowait((event, count))
        except asyncio.QueueFull:
            self._counted("throttled")
        else:
            count.again_at = now + AGAIN_SECONDS

    async def run(self) -> None:
        """Post recorded Events until cancelled."""
        while True:
            event, count = await self._waiting.get()
            try:
                await self._post(event, count)
            except TrialwatchError as error:
                self._counted("failed")
                _log.warning("cannot post an Event", about=str(event.about), cause=str(error))
            else:
                self._counted("posted")
            self._waiting.task_done()

    async def drain(self, seconds: float) -> None:
        """Wait until all recorded Events are posted, for at most `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._waiting.join()

    async def _post(self, event: Event, count: _Count) -> None:
        document = self._document(event, count)
        try:
            await self._cluster.create(document)
        except AlreadyExists:
            again: JsonObject = {
                "count": count.times,
                "lastTimestamp": document["lastTimestamp"],
            }
            await self._cluster.patch(_ref(event), again)

    def _document(self, event: Event, count: _Count) -> JsonObject:
        about, ref = event.about, _ref(event)
        return {
            "apiVersion": ref.api_version,
            "kind": ref.kind,
            "metadata": {"name": ref.name, "namespace": ref.namespace},
            "involvedObject": {
                "apiVersion": about.api_version,
                "kind": about.kind,
                "namespace": about.namespace,
                "name": about.name,
                "uid": event.uid,
            },
            "type": event.type,
            "reason": event.reason,
            "message": event.posted_message,
            "source": {"component": self._component},
            "firstTimestamp": count.first,
            "lastTimestamp": self._now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "count": count.times,
        }


def _ref(event: Event) -> Ref:
    about = event.about
    name = f"{about.name[:200]}.{event.key}"
    return Ref(api_version="v1", kind="Event", namespace=about.namespace, name=name)
