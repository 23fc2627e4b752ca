"""One reconciliation: reads the bundles and the Secret, and takes a step if one is due.

    reconciliation = reconcile_once(target, ...)
    operation = next(reconciliation)            # Get, Put or Patch
    operation = reconciliation.send(document)   # None: absent, or another write came first
    ...                                         # StopIteration.value is a `ReconcileResult`

The caller reads and writes. So the tests run the same code over a model in which replicas
interleave, and die between any two operations. An operation that fails for another reason ends the
reconciliation, as if the replica had died; the next reconciliation starts from the beginning.
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
    """The service of the certificate, its Secret, and the configurations that must trust it."""

    service: Service
    secret: Ref
    configurations: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Get:
    """Read an object."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Put:
    """Replace an object of the document's version; create it if the document has no version."""

    document: JsonObject


@dataclass(frozen=True, slots=True)
class Patch:
    """Change an object by a merge patch that names the version it is for."""

    ref: Ref
    patch: JsonObject


Operation = Get | Put | Patch
Reconciliation = Generator[Operation, JsonObject | None, "ReconcileResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileResult:
    """What a replica knows after a reconciliation."""

    state: RotationState | None
    """What the Secret says."""
    trusted: bool
    """Whether each bundle trusts the current certificate."""
    watched: int
    """How many bundles there are."""
    fault: str = ""
    """Why the content of the Secret is not valid; empty: it is valid."""
    step: Step | None
    """The step that was tried; the next reconciliation may have more to do."""


def reconcile_once(
    target: CertificateTarget,
    timing: Timing,
    last_state: RotationState | None,
    clock: Callable[[], float],
    mint: Mint,
) -> Reconciliation:
    """Read, then take the step that is due.

    `last_state` is the state that this replica read before; `clock` gives seconds since 1970.

    Raises:
        SetupError: a step would write a state that could not be read back.
    """
    configurations = yield from _read(target.configurations)
    # Read after the bundles, so that it knows all own authorities in them that are in use.
    secret = yield Get(target.secret)
    fault = ""
    try:
        state = read_state(secret, target.service)
    except SetupError as error:
        state, fault = None, str(error)
    if state is None:
        # It may just have been emptied: read the bundles again for the authorities still in use.
        configurations = yield from _read(target.configurations)
    observed = _observed([document for _, document in configurations], target.service)
    step = rotation.next_step(state, observed, clock(), timing, last_state)
    if isinstance(step, rotation.Trust):
        yield from _trust(configurations, step.authorities, target.service)
    elif step is not None:
        new = _new_state(step, mint, clock())
        yield Put(with_state(secret or _empty(target.secret), new, target.service))
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
        document = yield Get(ref)
        if document is not None:
            configurations.append((ref, document))
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


def _new_state(
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
