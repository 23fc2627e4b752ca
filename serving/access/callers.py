"""Who calls: sidecars, managers, persons and callers without a token. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from api import names
from serving.access.refusals import Reason, Unauthenticated
from serving.tokens.verifier import CLOCK_SKEW, Identity, check_time

REPORT_LEEWAY: Final = 3600.0
"""Seconds after its expiry in which a sidecar's token counts; the charter says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """The sidecar of a trial's pod."""

    namespace: str
    trial: str
    pod_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """A program of the installation, such as the controller."""

    namespace: str
    service_account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Perhaps a user: the API server can check the token."""

    token: str
    cause: str
    """Why the token is not that of a sidecar or a manager."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anonymous:
    """A caller without a token."""


Caller = Sidecar | Manager | Person | Anonymous


@dataclass(frozen=True, slots=True, kw_only=True)
class Managers:
    """Which tokens are those of managers."""

    audience: str = names.MANAGER_AUDIENCE
    accounts: frozenset[str] = frozenset()
    """NAMESPACE/NAME of their service accounts: any pod can get a token for the audience."""


def caller_of(identity: Identity, managers: Managers, *, now: float) -> Sidecar | Manager | None:
    """Return the caller of a token; None if none of the token's audiences is trialwatch's.

    Raises:
        Unauthenticated: the token is for a trial of another namespace, for two trials, not bound
            to a pod, or not that of a manager.
        Expired: its time is over.
    """
    own = [
        audience
        for audience in identity.audiences
        if audience == managers.audience or audience.startswith(names.TRIAL_AUDIENCE)
    ]
    if not own:
        return None
    if len(own) > 1:
        raise _bad("the token has several audiences of trialwatch: request one for each")
    if own[0] == managers.audience:
        check_time(identity, now=now, leeway=CLOCK_SKEW)
        return _manager(identity, managers)
    check_time(identity, now=now, leeway=REPORT_LEEWAY)
    return _sidecar(identity, own[0])


def _manager(identity: Identity, managers: Managers) -> Manager:
    account = f"{identity.namespace}/{identity.service_account}"
    if account not in managers.accounts:
        raise _bad(
            f"the service account {account} is not a manager: add it to --auth-managers, or"
            " request a token for a trial"
        )
    return Manager(namespace=identity.namespace, service_account=identity.service_account)


def _sidecar(identity: Identity, audience: str) -> Sidecar:
    namespace, slash, trial = audience.removeprefix(names.TRIAL_AUDIENCE).partition("/")
    if not slash or not namespace or not trial:
        raise _bad(f"the token's audience {audience} is not {names.TRIAL_AUDIENCE}NAMESPACE/TRIAL")
    if namespace != identity.namespace:
        raise _bad(
            f"the token's audience {audience} is for another namespace than its service account,"
            f" which is in {identity.namespace}"
        )
    if not identity.pod_uid:
        raise _bad("the token is not bound to a pod: mount a projected token")
    return Sidecar(namespace=namespace, trial=trial, pod_uid=identity.pod_uid)


def _bad(sentence: str) -> Unauthenticated:
    return Unauthenticated(Reason.BAD_TOKEN, sentence)
