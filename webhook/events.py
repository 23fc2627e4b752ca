"""Says on a trial, or on a job, that its pod was refused: the pod itself never comes to be.

A job tries again and again, so the same word about the same object is said again only after some
minutes, with a count; and all together are held to a rate that no cluster minds.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from api.errors import TrialwatchError
from api.types import JsonObject
from kube.cluster import Cluster, Ref
from kube.errors import AlreadyExists
from webhook.verdicts import Refuse

AGAIN_SECONDS: Final = 300.0
"""After which the same is said again."""
PER_SECOND: Final = 2.0
BURST: Final = 20.0
"""Events that may be posted at once, and then in each second."""
_WAITING: Final = 100
_REMEMBERED: Final = 4096
_LONGEST: Final = 1024
"""Characters of a message, as the API has it."""
_REASON: Final = "PodRefused"
_COMPONENT: Final = "trialwatch-webhook"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A pod that was refused, and the object to tell about it."""

    about: Ref
    uid: str
    refuse: Refuse

    @property
    def message(self) -> str:
        """What is said."""
        return f"a pod was refused ({self.refuse.reason}): {self.refuse}"[:_LONGEST]

    @property
    def key(self) -> str:
        """A name for this word about this object, the same in every replica."""
        words = (self.uid, self.message)
        return hashlib.sha256("\0".join(words).encode(errors="surrogatepass")).hexdigest()[:16]


@dataclass(slots=True)
class _Said:
    first: str
    count: int
    again_at: float


@dataclass(slots=True)
class _Allowance:
    """A bucket that fills by `PER_SECOND` up to `BURST`."""

    clock: Callable[[], float]
    left: float = BURST
    filled_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.filled_at = self.clock()

    def take(self) -> bool:
        now = self.clock()
        self.left = min(BURST, self.left + (now - self.filled_at) * PER_SECOND)
        self.filled_at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


def _now() -> datetime:
    return datetime.now(UTC)


class Events:
    """Posts Events in the background; nobody waits for them, and none is worth a pod."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        counted: Callable[[str], None],
        clock: Callable[[], float],
        now: Callable[[], datetime] = _now,
    ) -> None:
        """`counted` is told what became of each; `clock` counts seconds, `now` is the date."""
        self._cluster, self._counted, self._clock, self._now = cluster, counted, clock, now
        self._said: OrderedDict[str, _Said] = OrderedDict()
        self._waiting: asyncio.Queue[tuple[Refusal, _Said]] = asyncio.Queue(_WAITING)
        self._allowance = _Allowance(clock)

    def tell(self, refusal: Refusal) -> None:
        """Say it soon, unless it was said a moment ago, or too much is being said."""
        moment, now = self._now().strftime("%Y-%m-%dT%H:%M:%SZ"), self._clock()
        said = self._said.setdefault(refusal.key, _Said(moment, 0, now))
        self._said.move_to_end(refusal.key)
        if len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)
        said.count += 1
        if now < said.again_at or not self._allowance.take():
            self._counted("throttled")
            return
        try:
            self._waiting.put_nowait((refusal, said))
        except asyncio.QueueFull:
            self._counted("throttled")
        else:
            said.again_at = now + AGAIN_SECONDS

    async def run(self) -> None:
        """Post what is to be said until cancelled."""
        while True:
            refusal, said = await self._waiting.get()
            try:
                await self._post(refusal, said)
            except TrialwatchError as error:
                self._counted("failed")
                fields = {"about": str(refusal.about), "cause": str(error)}
                _log.warning("an Event could not be posted", extra={"fields": fields})
            else:
                self._counted("posted")
            self._waiting.task_done()

    async def drain(self, seconds: float) -> None:
        """Wait until all is posted, for at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._waiting.join()

    async def _post(self, refusal: Refusal, said: _Said) -> None:
        event = self._event(refusal, said)
        try:
            await self._cluster.create(event)
        except AlreadyExists:
            again: JsonObject = {"count": said.count, "lastTimestamp": event["lastTimestamp"]}
            await self._cluster.patch(_ref(refusal), again)

    def _event(self, refusal: Refusal, said: _Said) -> JsonObject:
        about, ref = refusal.about, _ref(refusal)
        return {
            "apiVersion": ref.api_version,
            "kind": ref.kind,
            "metadata": {"name": ref.name, "namespace": ref.namespace},
            "involvedObject": {
                "apiVersion": about.api_version,
                "kind": about.kind,
                "namespace": about.namespace,
                "name": about.name,
                "uid": refusal.uid,
            },
            "type": "Warning",
            "reason": _REASON,
            "message": refusal.message,
            "source": {"component": _COMPONENT},
            "firstTimestamp": said.first,
            "lastTimestamp": self._now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "count": said.count,
        }


def _ref(refusal: Refusal) -> Ref:
    about = refusal.about
    name = f"{about.name[:200]}.{refusal.key}"
    return Ref(api_version="v1", kind="Event", namespace=about.namespace, name=name)
