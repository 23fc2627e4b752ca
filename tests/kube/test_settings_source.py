"""katib-config while we run: in the cluster or in a file, and what becomes of a bad one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from api.errors import SetupError
from api.types import CollectorKind
from kube.cluster import Ref
from kube.settings_source import ConfigMapSource, ConfigSource, FileSource
from kube.testing.memory import MemoryCluster
from tests.polling import beside, eventually
from webhook.model.config import Config, parse_config

NAME = Ref(api_version="v1", kind="ConfigMap", namespace="kubeflow", name="katib-config")


def text(image: str) -> str:
    return f"runtime: {{metricsCollectors: [{{kind: StdOut, image: '{image}'}}]}}\n"


def config_map(image: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "katib-config", "namespace": "kubeflow"},
        "data": {"katib-config.yaml": text(image)},
    }


def image_of(source: ConfigSource[Config]) -> str:
    return source.config.collectors[CollectorKind.STDOUT].image


@pytest.fixture
def memory() -> MemoryCluster:
    return MemoryCluster(namespaces=("kubeflow", "team"))


async def test_the_config_map_is_in_force_as_it_is_at_each_moment(memory: MemoryCluster) -> None:
    await memory.create(config_map("example/one"))
    source = ConfigMapSource(memory, "kubeflow", parse_config)
    assert source.trouble
    async with beside(source.run()):
        await eventually(lambda: not source.trouble)
        assert image_of(source) == "example/one"
        await memory.patch(NAME, {"data": {"katib-config.yaml": text("example/two")}})
        await eventually(lambda: image_of(source) == "example/two")
        await memory.delete(NAME)
        await eventually(lambda: source.config == Config())


async def test_without_a_config_map_our_defaults_are_in_force(memory: MemoryCluster) -> None:
    await memory.create(
        {**config_map("other"), "metadata": {"name": "katib-config", "namespace": "team"}}
    )
    environment = {"KATIB_DB_MANAGER_SERVICE_PORT": "7000"}
    source = ConfigMapSource(memory, "kubeflow", partial(parse_config, environment=environment))
    async with beside(source.run()):
        await eventually(lambda: not source.trouble)
        assert source.config.db_manager == "katib-db-manager.kubeflow:7000"
        await memory.create(config_map("example/one"))
        await eventually(lambda: image_of(source) == "example/one")
        assert source.config.db_manager == "katib-db-manager.kubeflow:7000"


@pytest.mark.parametrize(
    "data", [{"katib-config.yaml": "[: {"}, {}, {"katib-config.yaml": "runtime: 3"}]
)
async def test_a_change_that_cannot_be_used_changes_nothing(
    memory: MemoryCluster, data: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    await memory.create(config_map("example/one"))
    source = ConfigMapSource(memory, "kubeflow", parse_config)
    async with beside(source.run()):
        await eventually(lambda: not source.trouble)
        await memory.patch(NAME, [{"op": "replace", "path": "/data", "value": data}])
        await eventually(lambda: "invalid settings; keeping the previous ones" in caplog.text)

    assert image_of(source) == "example/one"
    assert source.trouble == ""


async def test_a_bad_config_map_at_the_start_is_trouble_until_it_is_mended(
    memory: MemoryCluster,
) -> None:
    await memory.create({**config_map(""), "data": {"katib-config.yaml": "runtime: 3"}})
    source = ConfigMapSource(memory, "kubeflow", parse_config)
    async with beside(source.run()):
        await eventually(lambda: "runtime" in source.trouble)
        await memory.patch(NAME, {"data": {"katib-config.yaml": text("example/one")}})
        await eventually(lambda: not source.trouble)

    assert image_of(source) == "example/one"


def test_a_file_is_in_force_as_it_is_at_each_look(tmp_path: Path) -> None:
    path = tmp_path / "katib-config.yaml"
    path.write_text(text("example/one"))
    source = FileSource(path, parse_config)
    assert (image_of(source), source.trouble) == ("example/one", "")

    path.write_text(text("example/two"))
    source.look()
    assert image_of(source) == "example/two"
    path.write_text("runtime: 3")
    source.look()
    path.unlink()
    source.look()

    assert (image_of(source), source.trouble) == ("example/two", "")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        (b"\xff", "UTF-8"),
        (b"runtime: 3", "runtime"),
        (b"[", "cannot be used"),
    ],
)
def test_a_bad_file_at_the_start_is_an_error(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "katib-config.yaml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SetupError, match=f"--katib-config: .*{says}"):
        FileSource(path, parse_config)
