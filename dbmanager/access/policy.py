"""Who may do what with a trial's metrics: calls as values, and a decision about each. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from api import names
from api.faults import quoted
from serving.access.callers import Anonymous, Caller, Manager, Person, Sidecar
from serving.access.refusals import PermissionDenied, Reason, Unauthenticated

MOST_JUMP: Final = 10_000_000
"""The most numbers that a source may skip: those of a month, with four reports a second."""


class Act(StrEnum):
    """What a call does with a trial."""

    REPORT = "report"
    READ = "read"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a caller asks for."""

    act: Act
    trial: str
    namespace: str | None = None
    """Of the metadata; None if it has none."""
    source: str = ""
    """Of a report; "" if it has none."""
    sequence: int = 0


def namespace_for(caller: Caller, call: Call) -> str | None:
    """Return the namespace of the call: that of a sidecar's token, else that of the metadata.

    For a person and for a caller without a token, more must be checked: `check_person`,
    `check_anonymous`.

    Raises:
        PermissionDenied: the caller may never do this.
        Unauthenticated: this needs a token of another kind.
    """
    match caller:
        case Sidecar():
            _check_sidecar(caller, call)
            return caller.namespace
        case Person():
            _check_person(caller, call)
        case Anonymous():
            _check_anonymous(call)
        case Manager():
            pass
    return call.namespace


def check_stored(caller: Caller, call: Call, sources: Mapping[str, int]) -> None:
    """Check what depends on the store.

    Args:
        caller: who calls.
        call: what is asked for.
        sources: the last number of each source of the trial.

    Raises:
        PermissionDenied: the trial has reported with a token, and the caller has none.
        PermissionDenied: the number of the report is too far from the last one.
    """
    if isinstance(caller, Anonymous) and any(map(_is_bound, sources)):
        raise PermissionDenied(
            Reason.HAS_TOKENS,
            f"trial {quoted(call.trial)} has reported with a token: send one to {call.act} it",
        )
    last = sources.get(call.source, 0)
    if call.sequence - last > MOST_JUMP:
        raise PermissionDenied(
            Reason.JUMP,
            f"metadata {names.SEQUENCE_METADATA}: {call.sequence} skips more than {MOST_JUMP}"
            f" numbers after {last}; number the source's reports 1, 2, 3 and so on",
        )


def needs_sources(caller: Caller, call: Call) -> bool:
    """Return whether `check_stored` must be called: honest calls with a token seldom need it."""
    return isinstance(caller, Anonymous) or call.sequence > MOST_JUMP


def pod_source(pod_uid: str, rest: str = "") -> str:
    """Return the source of a pod, or how all its sources begin."""
    return f"{names.POD_SOURCE_PREFIX}{pod_uid}:{rest}"


def _is_bound(source: str) -> bool:
    return source.startswith(names.POD_SOURCE_PREFIX)


def _check_sidecar(caller: Sidecar, call: Call) -> None:
    own = f"{caller.namespace}/{caller.trial}"
    if call.act is not Act.REPORT:
        raise PermissionDenied(
            Reason.ACT, f"a sidecar's token is for reports alone: it cannot {call.act} a trial"
        )
    if call.namespace not in {None, caller.namespace}:
        raise PermissionDenied(
            Reason.NAMESPACE,
            f"metadata {names.NAMESPACE_METADATA}: {quoted(call.namespace or '')} is not the"
            f" namespace of the token, which is for trial {own}",
        )
    if call.trial != caller.trial:
        raise PermissionDenied(
            Reason.TRIAL, f"trial_name: {quoted(call.trial)} is not the trial of the token, {own}"
        )
    if not call.source.startswith(pod_source(caller.pod_uid)):
        raise PermissionDenied(
            Reason.SOURCE,
            f"metadata {names.SOURCE_METADATA}: {quoted(call.source)} is not a source of the"
            f" token's pod; its sources begin with {pod_source(caller.pod_uid)}",
        )


def _check_person(caller: Person, call: Call) -> None:
    if call.act is not Act.READ:
        raise Unauthenticated(Reason.BAD_TOKEN, f"{caller.cause}; users can only read metrics")
    if not call.namespace:
        raise PermissionDenied(
            Reason.NAMESPACE, f"send the trial's namespace in metadata {names.NAMESPACE_METADATA}"
        )


def _check_anonymous(call: Call) -> None:
    if _is_bound(call.source):
        raise PermissionDenied(
            Reason.SOURCE,
            f"metadata {names.SOURCE_METADATA}: {quoted(call.source)} is a source of a pod with"
            " a token; send the token",
        )
