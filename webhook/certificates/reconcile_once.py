"""One turn of a replica: a look at the bundles, at the Secret, and one step, if one is due.

    operations = turn(place, ...)
    operation = next(operations)              # Get, Put or Patch
    operation = operations.send(answer)       # a document; None: not there, or another was quicker
    ...                                       # StopIteration.value is a `ReconcileResult`

Nothing is read or written here, so the same turns run over a cluster, and over a model in which
replicas are interleaved and die between any two operations. An operation that fails for another
reason ends the turn, as the replica's death would; the next one begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from api.errors import SetupError
from api.types import JsonObject
from kube.cluster import Ref
from webhook.certificates import rotation
from webhook.certificates.bundles import bundles_of, own_authorities_in, trust_patch
from webhook.certificates.issued import Mint, Service
from webhook.certificates.rotation import ObservedBundles, RotationState, Step, Timing
from webhook.certificates.stored import read_state, with_state


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateTarget:
    """What the certificate is for, where it is kept, and who has to trust it."""

    service: Service
    secret: Ref
    configurations: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Get:
    """Read an object."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Put:
    """Write an object in the place of the version that it says; without one, create it."""

    document: JsonObject


@dataclass(frozen=True, slots=True)
class Patch:
    """Change an object by a merge patch, which says the version that it is for."""

    ref: Ref
    patch: JsonObject


Operation = Get | Put | Patch
Reconciliation = Generator[Operation, JsonObject | None, "ReconcileResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileResult:
    """What a replica knows after its turn."""

    state: RotationState | None
    """What the Secret says."""
    trusted: bool
    """Whether each bundle trusts what is to be served."""
    watched: int
    """How many bundles there are."""
    fault: str = ""
    """Why the Secret could not be read, where it could not."""
    step: Step | None
    """What was done, or tried; the next turn may have more to do."""


def reconcile_once(
    place: CertificateTarget,
    timing: Timing,
    held: RotationState | None,
    clock: Callable[[], float],
    mint: Mint,
) -> Reconciliation:
    """Look and step. Raises SetupError where a step would write what it could not read back."""
    configurations = yield from _read(place.configurations)
    # Read after the bundles: it knows whatever they have, unless that is dead.
    secret = yield Get(place.secret)
    fault = ""
    try:
        state = read_state(secret, place.service)
    except SetupError as error:
        state, fault = None, str(error)
    if state is None:
        # Somebody may have emptied it just now: who served by it is known by the bundles of now.
        configurations = yield from _read(place.configurations)
    observed = _observed([one for _, one in configurations], place.service)
    step = rotation.next_step(state, observed, clock(), timing, held)
    if isinstance(step, rotation.Trust):
        yield from _trust(configurations, step.authorities, place.service)
    elif step is not None:
        wanted = _wanted(step, mint, clock())
        yield Put(with_state(secret or _empty(place.secret), wanted, place.service))
    current = state.current if state else None
    return ReconcileResult(
        state=state,
        trusted=current is not None and observed.all_trust(current.ca),
        watched=len(observed.bundles),
        fault=fault,
        step=step,
    )


def _read(
    refs: Sequence[Ref],
) -> Generator[Operation, JsonObject | None, list[tuple[Ref, JsonObject]]]:
    configurations: list[tuple[Ref, JsonObject]] = []
    for ref in refs:
        found = yield Get(ref)
        if found is not None:
            configurations.append((ref, found))
    return configurations


def _observed(configurations: Sequence[JsonObject], service: Service) -> ObservedBundles:
    return ObservedBundles(
        bundles=tuple(
            own_authorities_in(bundle, service)
            for configuration in configurations
            for bundle in bundles_of(configuration, service)
        )
    )


def _trust(
    configurations: Sequence[tuple[Ref, JsonObject]], authorities: tuple[str, ...], service: Service
) -> Generator[Operation, JsonObject | None, None]:
    for ref, configuration in configurations:
        if not _observed([configuration], service).all_are(authorities):
            yield Patch(ref, trust_patch(configuration, authorities, service))


def _wanted(
    step: rotation.MintCurrent | rotation.MintNext | rotation.Write, mint: Mint, now: float
) -> RotationState:
    match step:
        case rotation.MintCurrent():
            return RotationState(current=mint(now))
        case rotation.MintNext(state):
            return replace(state, next=mint(now), since=None)
        case rotation.Write(state):
            return state


def _empty(ref: Ref) -> JsonObject:
    return {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "metadata": {"namespace": ref.namespace, "name": ref.name},
        "type": "Opaque",
    }
