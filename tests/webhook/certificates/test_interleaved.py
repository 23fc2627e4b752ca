"""Replicas that rotate one certificate, interleaved at every call, and killed at any moment.

The model: time that passes, a Secret and configurations with versions, clients who hold a bundle
of at most `settle` seconds ago, and replicas whose clocks differ by `skew`. The turns are those of
the product; only who is next, and when, is chosen here. What must hold at every moment: a bundle
that some client may hold verifies what any replica serves that calls itself trusted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from api.types import JsonObject
from kube.cluster import Ref, ref_of
from tests.certificate_authority import Authority
from tests.webhook.certificates.certificate_objects import (
    EXPERIMENTS,
    MUTATING,
    NOW,
    PLACE,
    SERVICE,
    VALIDATING,
    bundle_of,
    configuration,
    webhook_entry,
)
from webhook.certificates.bundles import own_authorities_in, split_bundle
from webhook.certificates.issued import IssuedCertificate, mint
from webhook.certificates.reconcile_once import (
    Get,
    Operation,
    Patch,
    Put,
    ReconcileResult,
    Reconciliation,
    reconcile_once,
)
from webhook.certificates.rotation import RotationState, Timing, may_serve
from webhook.certificates.stored import read_state

TIMING = Timing(lifetime=400, renew=150, settle=20, skew=4, look=2)
REPLICAS = 3
WRITTEN = (PLACE.secret, *PLACE.configurations)
STRANGERS = Authority().cert.decode()


@cache
def _issued(number: int, second: int) -> IssuedCertificate:
    """Mint the nth certificate of a world; all worlds share them, because keys take time."""
    assert number >= 0
    return mint(SERVICE, float(second), TIMING.lifetime)


@dataclass
class World:
    """The cluster, with the history of its configurations."""

    now: float = NOW
    version: int = 0
    objects: dict[Ref, JsonObject] = field(default_factory=dict)
    bundles: dict[tuple[Ref, int], list[tuple[float, str]]] = field(default_factory=dict)
    minted: int = 0
    emptied: float = 0.0

    def get(self, ref: Ref) -> JsonObject | None:
        found = self.objects.get(ref)
        copied: JsonObject | None = json.loads(json.dumps(found))
        return copied

    def write(self, document: JsonObject) -> JsonObject | None:
        """Replace or create; None: another write came first."""
        ref = ref_of(document)
        there = self.objects.get(ref)
        said = _version(document)
        if (there is not None and said != _version(there)) or (there is None and said):
            return None
        return self._store(document)

    def patch(self, ref: Ref, patch: JsonObject) -> JsonObject | None:
        there = self.objects.get(ref)
        if there is None or _version(patch) != _version(there):
            return None
        return self._store({**there, "webhooks": patch["webhooks"]})

    def come_or_go(self, ref: Ref) -> None:
        """Apply a configuration, or delete it: then the API server uses it no more."""
        if self.objects.pop(ref, None) is None:
            self.write(configuration(webhook_entry(STRANGERS), ref=ref))
        else:
            self.bundles[ref, 0].append((self.now, STRANGERS))

    def _store(self, document: JsonObject) -> JsonObject:
        self.version += 1
        metadata = document["metadata"]
        assert isinstance(metadata, dict)
        stored: JsonObject = {
            **document,
            "metadata": {**metadata, "resourceVersion": str(self.version)},
        }
        ref = ref_of(document)
        self.objects[ref] = stored
        entries = stored.get("webhooks")
        for number in range(len(entries) if isinstance(entries, list) else 0):
            bundle = bundle_of(stored, number)
            self.bundles.setdefault((ref, number), []).append((self.now, bundle))
        return stored

    def held_by_clients(self) -> Iterator[str]:
        """Yield each bundle that was the newest at some moment of the last `settle` seconds."""
        for history in self.bundles.values():
            ends = [moment for moment, _ in history[1:]] + [float("inf")]
            for (_, bundle), end in zip(history, ends, strict=True):
                if end >= self.now - TIMING.settle:
                    yield bundle

    def mint(self, now: float) -> IssuedCertificate:
        self.minted += 1
        return _issued(self.minted, int(now))

    @property
    def state(self) -> RotationState | None:
        return read_state(self.objects.get(PLACE.secret), SERVICE)


def _version(document: JsonObject) -> str:
    metadata = document["metadata"]
    assert isinstance(metadata, dict)
    return str(metadata.get("resourceVersion") or "")


@dataclass
class Replica:
    """A replica: does what webhook/certificates/self_signed.py does, call by call."""

    world: World
    offset: float
    held: RotationState | None = None
    trusted: bool = False
    turning: Reconciliation | None = None
    operation: Operation | None = None
    began: float = NOW
    seen: float = NOW
    """When the last complete reconciliation began."""
    hung: bool = False
    """Whether it is stuck between two calls; it makes the next one later."""

    def clock(self) -> float:
        return self.world.now + self.offset

    def call(self) -> None:
        """Make one call to the cluster."""
        if self.turning is None:
            self.began = self.world.now
            self.turning = reconcile_once(PLACE, TIMING, self.held, self.clock, self.world.mint)
            self.operation = next(self.turning)
        assert self.operation is not None
        try:
            self.operation = self.turning.send(self._answer_to(self.operation))
        except StopIteration as end:
            self._end(end.value)

    def _answer_to(self, operation: Operation) -> JsonObject | None:
        match operation:
            case Get(ref):
                return self.world.get(ref)
            case Patch(ref, patch):
                return self.world.patch(ref, patch)
            case Put(document):
                return self.world.write(document)

    def _end(self, done: ReconcileResult) -> None:
        self.turning, self.hung = None, False
        self.seen = self.began
        if done.state is not None:
            self.held, self.trusted = done.state, done.trusted

    def whole_turn(self) -> None:
        """Finish the current reconciliation and do another, which reads the present state."""
        self._to_the_end()
        self.call()
        self._to_the_end()

    def _to_the_end(self) -> None:
        while self.turning is not None:
            self.call()

    def die(self) -> None:
        """Die, and start again with empty memory."""
        self.turning, self.held, self.trusted, self.hung = None, None, False, False
        self.seen = self.world.now

    @property
    def serves(self) -> IssuedCertificate | None:
        """The certificate that it serves; None: it is not ready and gets no calls."""
        if self.held is None or not self.trusted:
            return None
        seen = self.seen + self.offset
        return self.held.current if may_serve(self.held, seen, self.clock(), TIMING) else None


@cache
def authorities_in(bundle: str) -> tuple[str, ...]:
    return own_authorities_in(split_bundle(bundle), SERVICE)


def check(world: World, replicas: list[Replica]) -> None:
    """Check that every client accepts the certificate of every replica.

    A bundle without an authority of this webhook was emptied by another program, or never filled;
    the webhook cannot help a client that holds it.
    """
    served = [one.serves for one in replicas]
    for bundle in world.held_by_clients():
        trusted = authorities_in(bundle)
        assert STRANGERS in bundle
        for issued in served:
            assert issued is None or not trusted or issued.ca in trusted


@st.composite
def schedules(draw: st.DrawFn) -> list[tuple[float, str, int]]:
    """Which replica makes the next call, after how long, and what disturbance happens."""
    what = st.sampled_from(["call"] * 16 + ["die", "hang", "empty", "come or go"])
    # It selects the replica and the object.
    who = st.integers(0, REPLICAS * len(WRITTEN) - 1)
    step = st.tuples(st.sampled_from([0.0, 0.0, 0.1, 1.0, 5.0, 9.0]), what, who)
    return draw(st.lists(step, min_size=40, max_size=200))


offsets = st.tuples(*[st.floats(-TIMING.skew / 2, TIMING.skew / 2)] * REPLICAS)


def new_world() -> World:
    world = World()
    both = (webhook_entry(STRANGERS), webhook_entry(STRANGERS))
    world.write(configuration(*both))
    for ref in (EXPERIMENTS, VALIDATING):
        world.write(configuration(webhook_entry(STRANGERS), ref=ref))
    return world


def is_settled(world: World, replicas: list[Replica]) -> bool:
    """Return whether only one certificate is left, and all replicas and bundles have it."""
    state = world.state
    if state is None or state != RotationState(current=state.current) or state.current is None:
        return False
    newest = [history[-1][1] for (ref, _), history in world.bundles.items() if world.get(ref)]
    return newest == [STRANGERS + state.current.ca] * len(newest) and all(
        one.serves == state.current for one in replicas
    )


def befall(world: World, replicas: list[Replica], what: str, who: int) -> None:
    """Apply a disturbance. Secret and bundles are never emptied at once: all knowledge is lost then."""
    replica, ref = replicas[who % REPLICAS], WRITTEN[who % len(WRITTEN)]
    if what == "die":
        replica.die()
    elif what == "hang":
        replica.hung = replica.turning is not None
    elif what == "call":
        replica.call()
    elif world.now - world.emptied > 2 * TIMING.settle:
        there = world.get(ref)
        if what == "come or go" and ref in PLACE.configurations[1:]:
            world.emptied = world.now
            world.come_or_go(ref)
        elif there is not None:
            world.emptied = world.now
            entries = [webhook_entry(STRANGERS)] * (2 if ref == MUTATING else 1)
            empty: JsonObject = {"data": {}} if ref == PLACE.secret else {"webhooks": entries}
            world.write({**there, **empty})


# Shrinking a schedule takes minutes and does not make it easier to read.
interleaved = settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@interleaved
@given(schedules(), offsets)
def test_every_replica_serves_a_trusted_certificate_in_any_order_of_operations_and_deaths(
    schedule: list[tuple[float, str, int]], skews: tuple[float, ...]
) -> None:
    world = new_world()
    replicas = [Replica(world, skew) for skew in skews]
    for passed, what, who in schedule:
        world.now += passed
        for one in replicas:
            # The rotation assumes that a live replica reconciles this often.
            if not one.hung and world.now - one.seen > TIMING.settle / 2:
                one.whole_turn()
                check(world, replicas)
        befall(world, replicas, what, who)
        check(world, replicas)
    event(f"certificates: {world.minted}")


@interleaved
@given(schedules(), offsets)
def test_without_disturbances_all_replicas_end_with_one_certificate(
    schedule: list[tuple[float, str, int]], skews: tuple[float, ...]
) -> None:
    world = new_world()
    replicas = [Replica(world, skew) for skew in skews]
    for passed, what, who in schedule:
        world.now += passed
        befall(world, replicas, what, who)

    # A rotation takes two waits; one may have to end before the last begins.
    end = world.now + 6 * (TIMING.settle + TIMING.skew)
    while world.now < end and not is_settled(world, replicas):
        world.now += TIMING.look
        for one in replicas:
            one.whole_turn()

    assert is_settled(world, replicas)
