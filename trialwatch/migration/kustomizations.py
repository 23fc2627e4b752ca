"""The kustomizations of a migration: one for each step, and one for all of them.

trialwatch's programs are installed without tokens and without TLS, because Katib's collectors,
controller and UI have neither, and because a sidecar must be able to report after a way back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from api.objects.yamlout import dump_objects
from api.types import Json, JsonObject
from trialwatch.migration import installed_names as names
from trialwatch.migration.katib_config import Images

_HEAD: Final[JsonObject] = {
    "apiVersion": "kustomize.config.k8s.io/v1beta1",
    "kind": "Kustomization",
}
_ALL: Final = """\
# All of trialwatch on a cluster that Katib had, for upgrades and for a repository of manifests:
#   kubectl apply --server-side --force-conflicts -k .
# `trialwatch migrate --apply` applies the folders one after the other, and changes what Katib owns:
# the selector of the Service katib-db-manager, katib-config, the replicas of Katib's Deployments,
# and the selectors in Katib's webhook configurations.
"""
_TAKEN: Final = {"$patch": "delete"}


def kustomizations(
    *, manifests: str, namespace: str, container: JsonObject, images: Images
) -> dict[str, str]:
    """Return the text of each file, by its path in the folder.

    Args:
        manifests: the folder `manifests`, absolute or as seen from a folder below the written one.
        namespace: Katib's.
        container: that of Katib's DB manager; its variables lead to the database.
        images: those of trialwatch.
    """

    def one(*bases: str, program: str = "", **more: Json) -> str:
        named = f"trialwatch/{program}"
        image = {"name": named, "newName": f"{images.prefix}/{program}", "newTag": images.tag}
        document: dict[str, Json] = {**_HEAD, "namespace": namespace}
        document["resources"] = [f"{manifests}/{base}" for base in bases]
        document.update(more)
        if program:
            document["images"] = [image]
        return dump_objects([document])

    folders = {
        "store": one("base/dbmanager", program="dbmanager", patches=_store(container)),
        "webhook-beside": one("overlays/with-katib", program="webhook"),
        "webhook": one("base/webhook", program="webhook"),
        "search": one("base/suggestion", program="suggestion", patches=[_search()]),
        "definitions": dump_objects([{**_HEAD, "resources": [f"{manifests}/crds"]}]),
        "controller": one(
            # Not base/users: Kubeflow's installation of Katib has roles of the same names.
            *("base/controller", "base/experiments"),
            program="controller",
            patches=[_controller()],
            # To end the services that Katib's controller has deployed, and to deploy more of them.
            components=[f"{manifests}/components/searches"],
        ),
    }
    every = ["definitions", "store", "webhook", "search", "controller"]
    files = {f"{folder}/kustomization.yaml": text for folder, text in folders.items()}
    return {"kustomization.yaml": _ALL + dump_objects([{**_HEAD, "resources": every}]), **files}


def _store(container: JsonObject) -> list[Json]:
    """Return the patches of the DB manager: variables of Katib's container name its database."""
    patched = _deployment(
        names.KATIB_DB_MANAGER,
        "db-manager",
        args=["--listen=:6789", "--metrics-listen=:8080", "--auth=off"],
        env=[
            *({"name": name, **_TAKEN} for name in ("AUTH", "NAMESPACE")),
            *_list(container, "env"),
        ],
        envFrom=_list(container, "envFrom"),
        ports=[{"containerPort": 6790, **_TAKEN}],
        without=("observations", "cert"),
        mounts=("/var/lib/trialwatch", "/etc/trialwatch/cert"),
        # Several managers may write to such a database, so the old pod need not end first.
        strategy={"type": "RollingUpdate"},
    )
    renamed: JsonObject = {
        "target": {"kind": "Deployment", "name": names.KATIB_DB_MANAGER},
        "patch": dump_objects(
            [[{"op": "replace", "path": "/metadata/name", "value": names.DB_MANAGER}]]  # type: ignore[list-item]
        ),
        "options": {"allowNameChange": True},
    }
    removed = (
        ("PersistentVolumeClaim", "trialwatch-observations"),
        ("Service", names.KATIB_DB_MANAGER),
    )
    return [*(_without(kind, name) for kind, name in removed), _patch(patched), renamed]


def _search() -> JsonObject:
    probe: JsonObject = {"grpc": {"port": 6789}}
    return _patch(
        _deployment(
            names.SUGGESTION,
            "suggestion",
            args=[
                "--listen=:6789",
                "--metrics-listen=:8080",
                "--db-manager=katib-db-manager.$(NAMESPACE):6789",
            ],
            env=[{"name": "AUTH", **_TAKEN}],
            ports=[{"containerPort": 6788, **_TAKEN}],
            startupProbe=probe,
            readinessProbe=probe,
            without=("cert", "db-manager"),
            mounts=("/etc/trialwatch/cert", "/var/run/secrets/trialwatch"),
        )
    )


def _controller() -> JsonObject:
    return _patch(
        _deployment(
            names.CONTROLLER,
            "controller",
            args=[
                "--listen=:8080",
                "--suggestion=trialwatch-suggestion.$(KATIB_CORE_NAMESPACE):6789",
            ],
            env=[{"name": "KATIB_DB_MANAGER_SERVICE_PORT", **_TAKEN}],
            without=("db-manager",),
            mounts=("/var/run/secrets/trialwatch",),
        )
    )


def _deployment(
    name: str,
    container: str,
    *,
    without: Iterable[str],
    mounts: Iterable[str],
    strategy: JsonObject | None = None,
    **fields: Json,
) -> JsonObject:
    """Return a patch that changes a container, and removes volumes with their mounts."""
    changed: dict[str, Json] = {
        "name": container,
        **{key: value for key, value in fields.items() if value},
        "volumeMounts": [{"mountPath": path, **_TAKEN} for path in mounts],
    }
    pod: JsonObject = {
        "containers": [changed],
        "volumes": [{"name": volume, **_TAKEN} for volume in without],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {**({"strategy": strategy} if strategy else {}), "template": {"spec": pod}},
    }


def _without(kind: str, name: str) -> JsonObject:
    return _patch({**_TAKEN, "apiVersion": "v1", "kind": kind, "metadata": {"name": name}})


def _patch(document: JsonObject) -> JsonObject:
    return {"patch": dump_objects([document])}


def _list(container: JsonObject, key: str) -> Sequence[Json]:
    value = container.get(key)
    return value if isinstance(value, list | tuple) else []
