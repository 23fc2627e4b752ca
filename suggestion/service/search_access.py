"""Decides who may call the suggestion service, and for which trial.

| caller | suggestions, stop rules, validation | `SetTrialStatus` |
|---|---|---|
| a manager | yes | no |
| the sidecar of a trial | no | its own trial |
| no token, `--auth permissive` | yes | a trial that has not reported with a token |
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from api import names
from api.faults import quoted
from serving.access.authentication import Pairs
from serving.access.callers import Anonymous, Caller, Manager, Person, Sidecar
from serving.access.interceptor import with_namespace
from serving.access.refusals import PermissionDenied, Reason, Unauthenticated
from suggestion.service.request_names import check_name, namespace_in

STOP: Final = "/api.v1.beta1.EarlyStopping/SetTrialStatus"


class TokenReports(Protocol):
    """Knows which trials have reported with a token."""

    async def has_reported(self, namespace: str, trial: str) -> bool:
        """Return whether a trial has; `namespace` is empty if the caller named none.

        Raises:
            Unavailable: no answer in time.
        """


class SearchAccess:
    """`serving.access.interceptor.Policy` of the suggestion service."""

    def __init__(self, reports: TokenReports) -> None:
        self._reports = reports

    async def check(self, caller: Caller, method: str, request: Any, pairs: Pairs) -> Pairs:  # noqa: ANN401 - any message
        """Return the metadata with the namespace of the call; the port says what is raised."""
        if method != STOP:
            check_manager(caller)
            return pairs
        namespace = namespace_in(pairs)
        trial = check_name("trial_name", request.trial_name) if request.trial_name else ""
        check_stop(caller, namespace, trial)
        if isinstance(caller, Sidecar):
            return with_namespace(pairs, caller.namespace)
        if trial and await self._reports.has_reported(namespace, trial):
            raise PermissionDenied(
                Reason.HAS_TOKENS,
                f"trial {quoted(trial)} has reported with a token: send one to stop it",
            )
        return pairs


def check_manager(caller: Caller) -> None:
    """Check that a caller may ask for suggestions and stop rules.

    Raises:
        PermissionDenied: the token is that of a sidecar.
        Unauthenticated: the token proves nothing here.
    """
    match caller:
        case Sidecar():
            raise PermissionDenied(
                Reason.ACT,
                "a sidecar's token can stop its own trial, and nothing else: suggestions are for"
                " the controller",
            )
        case Person():
            raise Unauthenticated(Reason.BAD_TOKEN, caller.cause)
        case Manager() | Anonymous():
            pass


def check_stop(caller: Caller, namespace: str, trial: str) -> None:
    """Check that a caller may report the early stop of a trial.

    Args:
        caller: who calls.
        namespace: of the trial; empty if the caller named none.
        trial: its name.

    Raises:
        PermissionDenied: the token is for another trial, or that of a manager.
        Unauthenticated: the token proves nothing here.
    """
    match caller:
        case Manager():
            raise PermissionDenied(
                Reason.ACT, "only the sidecar of a trial reports its early stop: send its token"
            )
        case Person():
            raise Unauthenticated(Reason.BAD_TOKEN, caller.cause)
        case Sidecar():
            _check_own(caller, namespace, trial)
        case Anonymous():
            pass


def _check_own(caller: Sidecar, namespace: str, trial: str) -> None:
    own = f"{caller.namespace}/{caller.trial}"
    if namespace not in {"", caller.namespace}:
        raise PermissionDenied(
            Reason.NAMESPACE,
            f"metadata {names.NAMESPACE_METADATA}: {quoted(namespace)} is not the namespace of the"
            f" token, which is for trial {own}",
        )
    if trial != caller.trial:
        raise PermissionDenied(
            Reason.TRIAL, f"trial_name: {quoted(trial)} is not the trial of the token, {own}"
        )
