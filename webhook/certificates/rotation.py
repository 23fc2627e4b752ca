"""How one certificate follows another: a pure function from what is known to the next step.

    steady     [1]                 1 is served, and trusted
    trusting   [1] next 2          both are trusted, since T in every bundle; nobody serves 2
    serving    [2] old 1           who has read the Secret since T serves 2; both are trusted
    dropping   [2] old 1, going    1 is taken out of every bundle
    steady     [2]

The state is in the Secret, and only there; every replica may take every step, and the Secret's
version decides who does. Two things are assumed (`Timing`): all whom a write concerns know of it
`settle` seconds later (API servers know the bundle, live replicas have read the Secret), and two
clocks differ by `skew` at most. A moment is noted only after what it speaks of was read back, so no
slow write can make it too early.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from webhook.certificates.issued import IssuedCertificate

_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """All in seconds."""

    lifetime: float = 90 * _DAY
    renew: float = 30 * _DAY
    """So long before its end a certificate's successor is begun."""
    settle: float = 60.0
    skew: float = 15.0
    look: float = 5.0
    """How often a replica looks at Secret and bundles; much less than `settle`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationState:
    """What the Secret says."""

    current: IssuedCertificate | None = None
    """The one to serve; None while the first is not trusted yet."""
    next: IssuedCertificate | None = None
    """The one that will be served when everybody trusts it."""
    old: tuple[str, ...] = ()
    """Authorities, in PEM, whose certificates may still be served somewhere."""
    dropping: bool = False
    """Whether they go: nobody serves their certificates any more."""
    since: float | None = None
    """When it was known that `next` is trusted everywhere, or that `current` is to be served."""

    @property
    def phase(self) -> str:
        """Where the rotation stands, in a word."""
        if self.next is not None:
            return "trusting"
        if self.dropping:
            return "dropping"
        return "serving" if self.old else "steady"

    @property
    def trusted(self) -> tuple[str, ...]:
        """The authorities that belong in every bundle."""
        issued = (one.ca for one in (self.current, self.next) if one is not None)
        return _once((*([] if self.dropping else self.old), *issued))


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedBundles:
    """What the bundles say: for each, the authorities of ours in it."""

    bundles: tuple[tuple[str, ...], ...] = ()

    @property
    def ours(self) -> tuple[str, ...]:
        """All of them, each once."""
        return _once(ca for bundle in self.bundles for ca in bundle)

    def all_trust(self, *authorities: str) -> bool:
        """Say whether each bundle has all of these."""
        return all(set(authorities) <= set(bundle) for bundle in self.bundles)

    def all_are(self, authorities: tuple[str, ...]) -> bool:
        """Say whether each bundle has these and no others of ours."""
        return all(set(authorities) == set(bundle) for bundle in self.bundles)


@dataclass(frozen=True, slots=True)
class MintCurrent:
    """Make a certificate, to be served at once: nobody trusts another."""


@dataclass(frozen=True, slots=True)
class MintNext:
    """Make a certificate, and write it as the next of this state."""

    state: RotationState


@dataclass(frozen=True, slots=True)
class Write:
    """Write this state."""

    state: RotationState


@dataclass(frozen=True, slots=True)
class Trust:
    """Let every bundle have these authorities, and no others of ours."""

    authorities: tuple[str, ...]


Step = MintCurrent | MintNext | Write | Trust


def next_step(
    state: RotationState | None,
    observed: ObservedBundles,
    now: float,
    timing: Timing,
    held: RotationState | None = None,
) -> Step | None:
    """Say what is to be done next; None: nothing, for now.

    `state` is what the Secret says, None where it says nothing; it must have been read after the
    bundles, so that it knows each authority that they have, unless that one is dead. `held` is what
    this replica has read last before.
    """
    if state is None:
        return _beginning(observed, held)
    if state.next is not None and state.since is not None and not observed.all_trust(state.next.ca):
        # Somebody has emptied a bundle: what was known is not true any more.
        return Write(replace(state, since=None))
    if not observed.all_are(state.trusted):
        return Trust(state.trusted)
    return _in_time(state, now, timing)


def _in_time(state: RotationState, now: float, timing: Timing) -> Step | None:
    """Go on from a state that the bundles agree with."""
    current = state.current
    if state.next is not None:
        old = _once((*state.old, *([current.ca] if current else [])))
        return _after_a_while(state, RotationState(current=state.next, old=old), now, timing)
    if state.dropping:
        return Write(replace(state, old=(), dropping=False, since=None))
    if state.old:
        return _after_a_while(state, replace(state, dropping=True), now, timing)
    if current is None or is_due(current, now, timing):
        return MintNext(state)
    return None


def is_due(issued: IssuedCertificate, now: float, timing: Timing) -> bool:
    """Say whether a certificate's successor is to be begun, by a clock that may be behind."""
    return now >= issued.expires - timing.renew


def may_serve(held: RotationState, seen: float, now: float, timing: Timing) -> bool:
    """Say whether callers trust what was read from the Secret when the clock said `seen`.

    They do for a while, whatever happens; and longer, where nobody can have begun a rotation since.
    """
    if held.current is None:
        return False
    # A clock that is ahead of ours begins so much earlier.
    untouched = held.trusted == (held.current.ca,) and not is_due(
        held.current, now + timing.skew, timing
    )
    return untouched or now - seen <= timing.settle


def _beginning(observed: ObservedBundles, held: RotationState | None) -> Step:
    """Begin where the Secret says nothing: it is new, or somebody has emptied it.

    | this replica holds a state | a bundle has authorities of ours | what is done |
    |---|---|---|
    | yes | any | it is written back; what is trusted beyond it stays so for now |
    | no | none | a certificate is made and served: there is nobody to disappoint |
    | no | some | others may serve by them still: they stay, and the new one waits for its trust |
    """
    if held is not None:
        unknown = (ca for ca in observed.ours if ca not in held.trusted)
        old = _once((*held.old, *unknown))
        return Write(replace(held, old=old, dropping=False, since=None))
    if observed.ours:
        return MintNext(RotationState(old=observed.ours))
    return MintCurrent()


def _after_a_while(
    state: RotationState, then: RotationState, now: float, timing: Timing
) -> Step | None:
    """Note the time; later, when all must know, go on."""
    if state.since is None or state.since > now + timing.skew:
        return Write(replace(state, since=now))
    return Write(then) if now >= state.since + timing.settle + timing.skew else None


def _once(authorities: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(authorities))
