"""Says on an object what its users should know: Events, as `kubectl describe` shows them.

Many a cause comes again and again, so the same word about the same object is said again only after
some minutes, with a count; and all together are held to a rate that no cluster minds.
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

AGAIN_SECONDS: Final = 300.0
"""After which the same is said again."""
_WAITING: Final = 100
_REMEMBERED: Final = 4096
_LONGEST: Final = 1024
"""Characters of a message, as the API has it."""
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What is said, and about which object."""

    about: Ref
    uid: str
    reason: str
    """One word, in the manner of `PodRefused`."""
    message: str
    type: str = "Warning"
    """Or Normal."""

    @property
    def told(self) -> str:
        """The message, as long as an Event can have it."""
        return self.message[:_LONGEST]

    @property
    def key(self) -> str:
        """A name for this word about this object, the same in every replica."""
        words = (self.uid, self.reason, self.told)
        return hashlib.sha256("\0".join(words).encode(errors="surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Who speaks, and how much."""

    component: str
    """The program, as each Event names it."""
    burst: float = 20.0
    """How many Events may be posted at once."""
    per_second: float = 2.0
    """And after that."""


@dataclass(slots=True)
class _Said:
    first: str
    count: int
    again_at: float


@dataclass(slots=True)
class _Allowance:
    """A bucket that fills by `per_second` up to `burst`."""

    clock: Callable[[], float]
    speaker: Speaker
    left: float = field(init=False)
    filled_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.filled_at, self.left = self.clock(), self.speaker.burst

    def take(self) -> bool:
        now = self.clock()
        fresh = (now - self.filled_at) * self.speaker.per_second
        self.left = min(self.speaker.burst, self.left + fresh)
        self.filled_at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


def _now() -> datetime:
    return datetime.now(UTC)


class Events:
    """Posts Events in the background; nobody waits for them, and none is worth a failure."""

    def __init__(
        self,
        cluster: Cluster,
        speaker: Speaker,
        *,
        counted: Callable[[str], None],
        clock: Callable[[], float],
        now: Callable[[], datetime] = _now,
    ) -> None:
        """`counted` is told what became of each; `clock` counts seconds, `now` is the date."""
        self._cluster, self._component, self._counted = cluster, speaker.component, counted
        self._clock, self._now = clock, now
        self._said: LRUCache[str, _Said] = LRUCache(_REMEMBERED)
        self._waiting: asyncio.Queue[tuple[Word, _Said]] = asyncio.Queue(_WAITING)
        self._allowance = _Allowance(clock, speaker)

    def tell(self, word: Word) -> None:
        """Say it soon, unless it was said a moment ago, or too much is being said."""
        moment, now = self._now().strftime("%Y-%m-%dT%H:%M:%SZ"), self._clock()
        said = self._said.setdefault(word.key, _Said(moment, 0, now))
        said.count += 1
        if now < said.again_at or not self._allowance.take():
            self._counted("throttled")
            return
        try:
            self._waiting.put_nowait((word, said))
        except asyncio.QueueFull:
            self._counted("throttled")
        else:
            said.again_at = now + AGAIN_SECONDS

    async def run(self) -> None:
        """Post what is to be said until cancelled."""
        while True:
            word, said = await self._waiting.get()
            try:
                await self._post(word, said)
            except TrialwatchError as error:
                self._counted("failed")
                _log.warning("cannot post an Event", about=str(word.about), cause=str(error))
            else:
                self._counted("posted")
            self._waiting.task_done()

    async def drain(self, seconds: float) -> None:
        """Wait until all is posted, for at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._waiting.join()

    async def _post(self, word: Word, said: _Said) -> None:
        event = self._event(word, said)
        try:
            await self._cluster.create(event)
        except AlreadyExists:
            again: JsonObject = {"count": said.count, "lastTimestamp": event["lastTimestamp"]}
            await self._cluster.patch(_ref(word), again)

    def _event(self, word: Word, said: _Said) -> JsonObject:
        about, ref = word.about, _ref(word)
        return {
            "apiVersion": ref.api_version,
            "kind": ref.kind,
            "metadata": {"name": ref.name, "namespace": ref.namespace},
            "involvedObject": {
                "apiVersion": about.api_version,
                "kind": about.kind,
                "namespace": about.namespace,
                "name": about.name,
                "uid": word.uid,
            },
            "type": word.type,
            "reason": word.reason,
            "message": word.told,
            "source": {"component": self._component},
            "firstTimestamp": said.first,
            "lastTimestamp": self._now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "count": said.count,
        }


def _ref(word: Word) -> Ref:
    about = word.about
    name = f"{about.name[:200]}.{word.key}"
    return Ref(api_version="v1", kind="Event", namespace=about.namespace, name=name)
