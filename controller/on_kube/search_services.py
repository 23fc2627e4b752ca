"""Deploys the services that katib-config lists with an image, and takes them away again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from api.errors import RemoteError
from api.installation.places import deployed_name
from api.types import JsonObject, Suggestion
from controller.driver.ports import Conflict
from controller.on_kube.pod_facts import listed
from controller.on_kube.read_your_writes_cache import AbsentError, with_port_errors
from kube.cluster import Cluster, Kind, Ref, ref_of, uid_of

_DEPLOYMENT: Final = Kind(api_version="apps/v1", kind="Deployment")
_SERVICE: Final = Kind(api_version="v1", kind="Service")
_VOLUME: Final = "PersistentVolume"


class ClusterSearchServices:
    """The services of search and early stopping that are deployed in a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def ensure(self, suggestion: Suggestion, documents: Iterable[JsonObject]) -> bool:
        """Create what is missing, the Deployment last; say whether it is available.

        What is there is never changed, as Katib does not: a change of katib-config is for the
        experiments that begin after it.

        Raises:
            RemoteError: the cluster refuses one, another's has its name, or it cannot come up.
        """
        deployment = await self._get(suggestion, _DEPLOYMENT)
        if deployment is None:
            for document in documents:
                await self._create(suggestion, document)
            return False
        return _is_available(deployment)

    async def remove(self, suggestion: Suggestion) -> None:
        """Delete Deployment and Service, where they are this suggestion's; all else stays.

        Raises:
            RemoteError: the cluster refuses.
        """
        for kind in (_DEPLOYMENT, _SERVICE):
            with suppress(AbsentError, Conflict):
                ref = _ref(suggestion, kind)
                found = await with_port_errors(self._cluster.get(ref))
                if _is_of(found, suggestion):
                    await with_port_errors(self._cluster.delete(ref, uid=uid_of(found)))

    async def _get(self, suggestion: Suggestion, kind: Kind) -> JsonObject | None:
        try:
            found = await with_port_errors(self._cluster.get(_ref(suggestion, kind)))
        except AbsentError:
            return None
        return _checked(found, suggestion)

    async def _create(self, suggestion: Suggestion, document: JsonObject) -> None:
        try:
            await with_port_errors(self._cluster.create(document))
        except AbsentError as error:
            raise Conflict(f"its namespace is gone: {error}") from None
        except Conflict:
            # One that was made before, or that outlived the last run: a claim, say.
            with suppress(AbsentError):
                _checked(await with_port_errors(self._cluster.get(ref_of(document))), suggestion)


def _ref(suggestion: Suggestion, kind: Kind) -> Ref:
    return Ref(
        api_version=kind.api_version,
        kind=kind.kind,
        namespace=suggestion.metadata.namespace,
        name=deployed_name(suggestion),
    )


def _checked(found: JsonObject, suggestion: Suggestion) -> JsonObject:
    """Return what was found, unless it is somebody else's."""
    if not _is_of(found, suggestion):
        raise RemoteError(
            f"there is another {ref_of(found)}, which is not of this experiment; delete it"
        )
    return found


def _is_of(found: JsonObject, suggestion: Suggestion) -> bool:
    if found.get("kind") == _VOLUME:
        return True  # it has no owner: its name says whose it is
    owners = listed(found, "metadata", "ownerReferences")
    return any(owner.get("uid") == suggestion.metadata.uid for owner in owners)


def _is_available(deployment: JsonObject) -> bool:
    """Say whether it serves; raises RemoteError where it never will by itself."""
    metadata = deployment.get("metadata")
    if isinstance(metadata, Mapping) and metadata.get("deletionTimestamp"):
        return False
    conditions = {str(one.get("type")): one for one in listed(deployment, "status", "conditions")}
    if conditions.get("Available", {}).get("status") == "True":
        return True
    failure, progress = conditions.get("ReplicaFailure", {}), conditions.get("Progressing", {})
    for condition, wrong in ((failure, "True"), (progress, "False")):
        if condition.get("status") == wrong:
            raise RemoteError(f"{ref_of(deployment)} does not come up: {condition.get('message')}")
    return False
