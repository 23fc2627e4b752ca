"""Decides about each call of the DB manager, by the policy, the store and the API server."""

from __future__ import annotations

from typing import Any, Final

from api.faults import quoted
from dbmanager.access.people import People
from dbmanager.access.policy import Act, Call, check_stored, namespace_for, needs_sources
from dbmanager.service.connection import Connection
from dbmanager.service.requests import read_metadata, read_trial_name
from dbmanager.store.contract import Store, TrialKey
from serving.access.authentication import Pairs
from serving.access.callers import Caller, Person
from serving.access.interceptor import with_namespace
from serving.access.refusals import PermissionDenied, Reason

_MANAGER, _OBSERVATIONS = "/api.v1.beta1.DBManager/", "/trialwatch.v1.Observations/"
ACTS: Final = {
    f"{_MANAGER}ReportObservationLog": Act.REPORT,
    f"{_MANAGER}GetObservationLog": Act.READ,
    f"{_MANAGER}DeleteObservationLog": Act.DELETE,
    f"{_OBSERVATIONS}Summary": Act.READ,
    f"{_OBSERVATIONS}Read": Act.READ,
    f"{_OBSERVATIONS}Watch": Act.READ,
}
"""What each call does."""


class TrialAccess:
    """`serving.access.interceptor.Policy` of the DB manager."""

    def __init__(self, connection: Connection, people: People | None = None) -> None:
        """Make it.

        Args:
            connection: to the store, which knows the sources of a trial.
            people: answers for tokens that are not trialwatch's.
        """
        self._connection, self._people = connection, people

    async def check(self, caller: Caller, method: str, request: Any, pairs: Pairs) -> Pairs:  # noqa: ANN401 - any message
        """Return the metadata with the namespace of the call; the port says what is raised."""
        metadata = read_metadata(pairs)
        delivery = metadata.delivery
        call = Call(
            act=ACTS[method],
            trial=read_trial_name(request.trial_name),
            namespace=metadata.namespace,
            source=delivery.source if delivery else "",
            sequence=delivery.sequence if delivery else 0,
        )
        namespace = namespace_for(caller, call)
        if isinstance(caller, Person):
            await self._check_person(caller, call)
        if needs_sources(caller, call):
            store = self._connection.store
            for key in await _keys_of(store, call, namespace):
                check_stored(caller, call, await store.sources(key))
        if namespace is None or namespace == metadata.namespace:
            return pairs
        return with_namespace(pairs, namespace)

    async def _check_person(self, caller: Person, call: Call) -> None:
        people, namespace = self._people, call.namespace or ""
        if people is None or not await people.may_read(caller.token, namespace):
            raise PermissionDenied(
                Reason.NAMESPACE,
                f"{caller.cause}; and the API server does not let the token get trials in namespace"
                f" {quoted(namespace)}",
            )
        stored = await self._connection.store.namespaces(call.trial)
        if "" in stored and namespace not in stored:
            raise PermissionDenied(
                Reason.NAMESPACE,
                "the trial's metrics were stored without a namespace, so they may belong to"
                " another one: ask the operator",
            )


async def _keys_of(store: Store, call: Call, namespace: str | None) -> list[TrialKey]:
    """Return each trial that the call could mean, by the table of `resolve`."""
    stored = await store.namespaces(call.trial)
    namespaces = stored if namespace is None else {namespace, *(stored & {""})}
    return [TrialKey(namespace=each, trial=call.trial) for each in sorted(namespaces)]
