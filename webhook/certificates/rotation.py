"""The rotation of certificates: a pure function from what is known to the next step.

    steady     [1]                 1 is served, and trusted
    trusting   [1] next 2          both are trusted, since T in every bundle; no replica serves 2
    serving    [2] old 1           replicas that read the Secret after T serve 2; both are trusted
    dropping   [2] old 1, going    1 is removed from every bundle
    steady     [2]

The state is in the Secret only. Every replica may take every step; the Secret's version decides
whose step counts. Two assumptions (`Timing`): `settle` seconds after a write all API servers know
the bundle and all live replicas have read the Secret; and two clocks differ by `skew` at the most.
A time is written only after the fact that it belongs to was read back, so a slow write cannot make
the time too early.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from webhook.certificates.issued import IssuedCertificate

_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Durations, in seconds."""

    lifetime: float = 90 * _DAY
    renew: float = 30 * _DAY
    """How long before a certificate expires its successor is made."""
    settle: float = 60.0
    skew: float = 15.0
    look: float = 5.0
    """The interval of reconciliations; it must be much less than `settle`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationState:
    """What the Secret says."""

    current: IssuedCertificate | None = None
    """The certificate to serve; None while the first one is not trusted yet."""
    next: IssuedCertificate | None = None
    """The certificate to serve once every bundle trusts it."""
    old: tuple[str, ...] = ()
    """Authorities, in PEM, whose certificates may still be served somewhere."""
    dropping: bool = False
    """Whether `old` is being removed: no replica serves their certificates any more."""
    since: float | None = None
    """When every bundle was seen to trust `next`, or `current` was seen in the Secret."""

    @property
    def phase(self) -> str:
        """The phase of the rotation, for the log."""
        if self.next is not None:
            return "trusting"
        if self.dropping:
            return "dropping"
        return "serving" if self.old else "steady"

    @property
    def trusted(self) -> tuple[str, ...]:
        """The authorities that belong in every bundle."""
        issued = (one.ca for one in (self.current, self.next) if one is not None)
        return _unique((*([] if self.dropping else self.old), *issued))


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedBundles:
    """For each bundle, the webhook's own authorities in it."""

    bundles: tuple[tuple[str, ...], ...] = ()

    @property
    def authorities(self) -> tuple[str, ...]:
        """All own authorities, without repetition."""
        return _unique(ca for bundle in self.bundles for ca in bundle)

    def all_trust(self, *authorities: str) -> bool:
        """Return whether each bundle has all of these."""
        return all(set(authorities) <= set(bundle) for bundle in self.bundles)

    def all_are(self, authorities: tuple[str, ...]) -> bool:
        """Return whether each bundle has these and no other own authorities."""
        return all(set(authorities) == set(bundle) for bundle in self.bundles)


@dataclass(frozen=True, slots=True)
class MintCurrent:
    """Make a certificate and serve it at once: no bundle trusts another one."""


@dataclass(frozen=True, slots=True)
class MintNext:
    """Make a certificate, and write it as `next` of this state."""

    state: RotationState


@dataclass(frozen=True, slots=True)
class Write:
    """Write this state."""

    state: RotationState


@dataclass(frozen=True, slots=True)
class Trust:
    """Make every bundle have these authorities, and no other own ones."""

    authorities: tuple[str, ...]


Step = MintCurrent | MintNext | Write | Trust


def next_step(
    state: RotationState | None,
    observed: ObservedBundles,
    now: float,
    timing: Timing,
    last_state: RotationState | None = None,
) -> Step | None:
    """Return the next step; None: nothing to do now.

    `state` is what the Secret says; None: nothing. It must be read after the bundles, so that it
    knows all own authorities in them that are in use. `last_state` is what this replica read
    before. `now` is in seconds since 1970.
    """
    if state is None:
        return _beginning(observed, last_state)
    if state.next is not None and state.since is not None and not observed.all_trust(state.next.ca):
        # A bundle was emptied, so `next` is no longer trusted everywhere.
        return Write(replace(state, since=None))
    if not observed.all_are(state.trusted):
        return Trust(state.trusted)
    return _in_time(state, now, timing)


def _in_time(state: RotationState, now: float, timing: Timing) -> Step | None:
    """Return the next step from a state that agrees with the bundles."""
    current = state.current
    if state.next is not None:
        old = _unique((*state.old, *([current.ca] if current else [])))
        return _after_a_while(state, RotationState(current=state.next, old=old), now, timing)
    if state.dropping:
        return Write(replace(state, old=(), dropping=False, since=None))
    if state.old:
        return _after_a_while(state, replace(state, dropping=True), now, timing)
    if current is None or is_due(current, now, timing):
        return MintNext(state)
    return None


def is_due(issued: IssuedCertificate, now: float, timing: Timing) -> bool:
    """Return whether it is time to make a certificate's successor."""
    return now >= issued.expires - timing.renew


def may_serve(state: RotationState, read_at: float, now: float, timing: Timing) -> bool:
    """Return whether API servers still trust the certificate that was read at the time `read_at`.

    They trust it for `settle` seconds in any case, and longer if no replica can have started a
    rotation since.
    """
    if state.current is None:
        return False
    # A replica whose clock is ahead starts a rotation earlier by up to `skew`.
    untouched = state.trusted == (state.current.ca,) and not is_due(
        state.current, now + timing.skew, timing
    )
    return untouched or now - read_at <= timing.settle


def _beginning(observed: ObservedBundles, last_state: RotationState | None) -> Step:
    """Return the first step if the Secret says nothing: it is new, or it was emptied.

    | this replica has a last state | a bundle has own authorities | what is done |
    |---|---|---|
    | yes | any | write it back; other own authorities stay trusted for now |
    | no | no | make a certificate and serve it at once: no caller trusts another one |
    | no | yes | keep them, since replicas may use them; trust the new one before it is served |
    """
    if last_state is not None:
        unknown = (ca for ca in observed.authorities if ca not in last_state.trusted)
        old = _unique((*last_state.old, *unknown))
        return Write(replace(last_state, old=old, dropping=False, since=None))
    if observed.authorities:
        return MintNext(RotationState(old=observed.authorities))
    return MintCurrent()


def _after_a_while(
    state: RotationState, then: RotationState, now: float, timing: Timing
) -> Step | None:
    """Write the time down; once all replicas and API servers must know, go to the state `then`."""
    if state.since is None or state.since > now + timing.skew:
        return Write(replace(state, since=now))
    return Write(then) if now >= state.since + timing.settle + timing.skew else None


def _unique(authorities: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(authorities))
