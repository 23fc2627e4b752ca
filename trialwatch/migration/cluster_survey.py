"""Reads what a migration needs to see of a cluster."""

from __future__ import annotations

from api import names as shared
from api.errors import SetupError
from api.types import JsonObject
from kube.cluster import Cluster, Kind, Ref, Scope
from kube.errors import Forbidden, NotFound, UnknownKind
from trialwatch.migration import installed_names as names
from trialwatch.migration.survey import Seen

_KATIB = "kubeflow.org/v1beta1"


async def look(cluster: Cluster, namespace: str) -> Seen:
    """Read the objects of Katib's installation and of trialwatch's, and all experiments.

    Raises:
        SetupError: the user may not read one of them, or the cluster cannot be accessed.
    """
    wanted = [
        *(names.deployment(namespace, name) for name in names.DEPLOYMENTS),
        *(names.config_map(namespace, name) for name in (shared.CONFIG_MAP, names.SAVED)),
        *(names.crd(name) for name in names.CRDS),
        names.service(namespace),
        names.MUTATING,
        names.VALIDATING,
        names.OWN_MUTATING,
    ]
    found = {ref: document for ref in wanted if (document := await found_at(cluster, ref))}
    experiments = await all_of(cluster, "Experiment")
    return Seen(namespace=namespace, objects=found, experiments=experiments)


async def found_at(cluster: Cluster, ref: Ref) -> JsonObject | None:
    """Return an object, or None if it does not exist. Raises SetupError: it may not be read."""
    try:
        return await cluster.get(ref)
    except NotFound:
        return None
    except Forbidden as error:
        raise _not_allowed(error) from None


async def all_of(cluster: Cluster, kind: str) -> tuple[JsonObject, ...]:
    """Return all objects of a kind of Katib, in all namespaces."""
    try:
        listing = await cluster.list(Scope(Kind(api_version=_KATIB, kind=kind)))
    except UnknownKind:
        return ()
    except Forbidden as error:
        raise _not_allowed(error) from None
    return listing.items


def _not_allowed(error: Forbidden) -> SetupError:
    return SetupError(f"{error}; a migration needs an administrator of the cluster")
