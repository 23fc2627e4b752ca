"""An API server without a node, as the bench uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kube.connect import connected
from tests.cluster.control_plane import control_plane
from tests.contracts.cluster import config_map
from tests.polling import eventually


@pytest.mark.usefixtures("kubeconfig")  # where that is, Kubernetes' programs are
async def test_an_api_server_without_a_node_says_who_asked_for_what(tmp_path: Path) -> None:
    with control_plane(tmp_path) as plane:
        async with connected(plane.kubeconfig("somebody")) as cluster:
            await cluster.create(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}
            )
            for name in ("one", "two"):
                await cluster.create(config_map(name))

        await eventually(lambda: plane.asked()["somebody", "create", "configmaps"] == 2)
        assert plane.asked()["somebody", "create", "namespaces"] == 1
