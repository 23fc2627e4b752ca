"""Deploys the services that katib-config lists with an image, and removes them."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from contextlib import suppress
from typing import Final, TypeVar

from api.documents import mappings_at, value_at
from api.errors import RemoteError
from api.installation.service_addresses import deployed_name
from api.types import JsonObject, Suggestion
from controller.driver.ports import Conflict
from controller.on_kube.read_your_writes_cache import AbsentError, with_port_errors
from kube.cluster import Cluster, Kind, Ref, ref_of, uid_of
from kube.errors import Forbidden

_DEPLOYMENT: Final = Kind(api_version="apps/v1", kind="Deployment")
_SERVICE: Final = Kind(api_version="v1", kind="Service")
_VOLUME: Final = "PersistentVolume"
_Result = TypeVar("_Result")


class ClusterSearchServices:
    """The deployed services of search and early stopping in a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def ensure(self, suggestion: Suggestion, documents: Iterable[JsonObject]) -> bool:
        """Create missing objects, the Deployment last; return whether it is available.

        Existing objects are never changed, as in Katib: a change of katib-config applies to the
        experiments that begin after it.

        Raises:
            RemoteError: the cluster refuses an object, another owner has its name, or the
                Deployment cannot start.
        """
        deployment = await self._get(suggestion, _DEPLOYMENT)
        if deployment is None:
            for document in documents:
                await self._create(suggestion, document)
            return False
        return _is_available(deployment)

    async def remove(self, suggestion: Suggestion) -> None:
        """Delete Deployment and Service if they belong to this suggestion; all else stays.

        Raises:
            RemoteError: the cluster refuses.
        """
        for kind in (_DEPLOYMENT, _SERVICE):
            with suppress(AbsentError, Conflict):
                ref = _ref(suggestion, kind)
                existing = await with_port_errors(self._cluster.get(ref))
                if _belongs_to(existing, suggestion):
                    await with_port_errors(self._cluster.delete(ref, uid=uid_of(existing)))

    async def _get(self, suggestion: Suggestion, kind: Kind) -> JsonObject | None:
        try:
            existing = await _allowed(self._cluster.get(_ref(suggestion, kind)))
        except AbsentError:
            return None
        return _checked(existing, suggestion)

    async def _create(self, suggestion: Suggestion, document: JsonObject) -> None:
        try:
            await _allowed(self._cluster.create(document))
        except AbsentError as error:
            raise Conflict(f"its namespace does not exist any more: {error}") from None
        except Conflict:
            # Created before, or left from an earlier run: a claim, for example.
            with suppress(AbsentError):
                _checked(await with_port_errors(self._cluster.get(ref_of(document))), suggestion)


async def _allowed(call: Awaitable[_Result]) -> _Result:
    """Await a call that needs rights which not each installation has; say where they are."""

    async def with_remedy() -> _Result:
        try:
            return await call
        except Forbidden as error:
            raise Forbidden(
                f"{error}; install the component manifests/components/searches, which has the"
                " rights of services that are deployed for an experiment"
            ) from None

    return await with_port_errors(with_remedy())


def _ref(suggestion: Suggestion, kind: Kind) -> Ref:
    return Ref(
        api_version=kind.api_version,
        kind=kind.kind,
        namespace=suggestion.metadata.namespace,
        name=deployed_name(suggestion),
    )


def _checked(existing: JsonObject, suggestion: Suggestion) -> JsonObject:
    """Return the object if it belongs to this suggestion."""
    if not _belongs_to(existing, suggestion):
        raise RemoteError(
            f"{ref_of(existing)} exists and does not belong to this experiment; delete it"
        )
    return existing


def _belongs_to(existing: JsonObject, suggestion: Suggestion) -> bool:
    if existing.get("kind") == _VOLUME:
        return True  # it has no owner: its name contains the namespace
    owners = mappings_at(existing, "metadata", "ownerReferences")
    return any(owner.get("uid") == suggestion.metadata.uid for owner in owners)


def _is_available(deployment: JsonObject) -> bool:
    """Return whether it serves; raises RemoteError if it cannot start by itself."""
    if value_at(deployment, "metadata", "deletionTimestamp"):
        return False
    conditions = {
        str(condition.get("type")): condition
        for condition in mappings_at(deployment, "status", "conditions")
    }
    if conditions.get("Available", {}).get("status") == "True":
        return True
    failure, progress = conditions.get("ReplicaFailure", {}), conditions.get("Progressing", {})
    for condition, wrong in ((failure, "True"), (progress, "False")):
        if condition.get("status") == wrong:
            raise RemoteError(
                f"{ref_of(deployment)} does not become available: {condition.get('message')}"
            )
    return False
