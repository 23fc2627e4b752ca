"""A dry run lets the server check an object, and stores nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.errors import Fault
from kube.answers import warning_of
from kube.client import KubernetesCluster
from kube.connect import connected
from kube.errors import Invalid, NotFound
from kube.testing.apiserver import ApiServer, served
from kube.testing.memory import MemoryCluster
from tests.contracts.cluster import config_map, ref

FAULTS = (Fault("data.colour", "must be blue"), Fault("document", "is too old"))


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    async with served(MemoryCluster(namespaces=("team",))) as server:
        yield server


@pytest.fixture
async def cluster(server: ApiServer, tmp_path: Path) -> AsyncIterator[KubernetesCluster]:
    async with connected(server.write_kubeconfig(tmp_path / "kubeconfig")) as cluster:
        yield cluster


async def test_a_valid_object_gets_the_warnings_of_the_server(
    cluster: KubernetesCluster, server: ApiServer
) -> None:
    server.admission = lambda _document: ((), ('unknown field "spec.a"', "a second one"))

    assert await cluster.dry_run(config_map()) == ('unknown field "spec.a"', "a second one")
    with pytest.raises(NotFound):
        await cluster.get(ref())


async def test_a_refused_object_has_its_faults(
    cluster: KubernetesCluster, server: ApiServer
) -> None:
    server.admission = lambda _document: (FAULTS, ())

    with pytest.raises(Invalid, match=r"data\.colour: must be blue") as refused:
        await cluster.dry_run(config_map())

    assert refused.value.causes == FAULTS


async def test_an_object_that_exists_is_checked_as_its_replacement(
    cluster: KubernetesCluster, server: ApiServer
) -> None:
    stored = await cluster.create(config_map())

    await cluster.dry_run({**config_map(), "data": {"colour": "blue"}})

    assert await cluster.get(ref()) == stored
    assert server.asked["replace ConfigMap"] == 1


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ('299 - "neither is set"', "neither is set"),
        (r'299 - "unknown field \"spec.a\" in C:\\d"', r'unknown field "spec.a" in C:\d'),
        ("not in the form of the standard", "not in the form of the standard"),
    ],
)
def test_a_warning_is_read_from_its_header(header: str, text: str) -> None:
    assert warning_of(header) == text
