"""What is deployed for an experiment, before a real API server, with the controller's own rights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.installation.services import parse_services
from api.objects.suggestions import parse_suggestion
from api.objects.yamlout import dump_objects
from api.objects.yamltext import load_objects
from controller.on_kube.search_services import ClusterSearchServices
from controller.on_kube.suggestion_deployment import deployed_documents
from kube.cluster import ref_of
from kube.connect import connected
from kube.errors import NotFound
from tests.cluster.control_plane import ControlPlane, control_plane
from tests.manifests.kustomize import with_component
from tests.manifests.rendered_objects import of_kind

USER = "system:serviceaccount:kubeflow:trialwatch-controller"
CASES = sorted(
    path
    for path in (Path(__file__).parents[1] / "controller" / "on_kube" / "deployed").glob("*.yaml")
    if "." not in path.stem
)
KINDS = ("ClusterRole", "ClusterRoleBinding")


def as_controller(plane: ControlPlane) -> Path:
    """Let the controller's account in, with the rights that the manifests give it."""
    path = plane.folder / "controller.kubeconfig"
    path.touch(mode=0o600)
    identity = plane.authority.issue(USER, "system:serviceaccounts")
    path.write_text(plane.authority.kubeconfig(plane.server, identity))
    return path


async def install(plane: ControlPlane) -> None:
    async with connected(plane.kubeconfig("installer")) as cluster:
        for name in ("team", "kubeflow"):
            await cluster.create(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            )
        for kind in KINDS:
            for document in of_kind(with_component(plane.folder, "searches"), kind):
                await cluster.create(document)
        for document in volume_rights():
            await cluster.create(document)


def volume_rights() -> tuple[dict[str, Any], ...]:
    """Return what an administrator adds whose katib-config has a `persistentVolumeSpec`."""
    name, group = "volumes-of-searches", "rbac.authorization.k8s.io"
    head = {"apiVersion": f"{group}/v1", "metadata": {"name": name}}
    rule = {"apiGroups": [""], "resources": ["persistentvolumes"], "verbs": ["get", "create"]}
    role = {"apiGroup": group, "kind": "ClusterRole", "name": name}
    account = {"kind": "ServiceAccount", "name": "trialwatch-controller", "namespace": "kubeflow"}
    return (
        {**head, "kind": "ClusterRole", "rules": [rule]},
        {**head, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": [account]},
    )


@pytest.mark.usefixtures("kubeconfig")  # where that is, Kubernetes' programs are
async def test_the_controller_may_deploy_all_that_it_deploys_and_take_it_away(
    tmp_path: Path,
) -> None:
    with control_plane(tmp_path) as plane:
        await install(plane)
        async with connected(as_controller(plane)) as cluster:
            services = ClusterSearchServices(cluster)
            for path in CASES:
                suggestion, config = load_objects(path.read_text(encoding="utf-8"))
                read = parse_suggestion(suggestion)
                documents = deployed_documents(read, parse_services(dump_objects([config])))

                assert not await services.ensure(read, documents), "it cannot be available"

                for document in documents:
                    _is_as_it_was_meant(await cluster.get(ref_of(document)), document)
                await services.remove(read)
                for document in documents:
                    if document["kind"] in ("Deployment", "Service"):
                        with pytest.raises(NotFound):
                            await cluster.get(ref_of(document))


def _is_as_it_was_meant(stored: Any, meant: Any) -> None:  # noqa: ANN401 - JSON
    """See that the API server has kept every field; it adds some of its own."""
    if isinstance(meant, dict):
        for key, value in meant.items():
            _is_as_it_was_meant(stored[key], value)
    elif isinstance(meant, list | tuple):
        assert len(stored) == len(meant)
        for one, other in zip(stored, meant, strict=True):
            _is_as_it_was_meant(one, other)
    else:
        assert stored == meant
