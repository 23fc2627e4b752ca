"""The contexts of a kubeconfig: which cluster is meant, and which namespace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from api.errors import SetupError, UserError
from kube.connect import Context, connected, context_of
from kube.testing.apiserver import served
from kube.testing.memory import MemoryCluster
from tests.contracts.cluster import config_map, ref


def write(path: Path, current: str = "here", **contexts: dict[str, Any]) -> Path:
    entries = [{"name": name, "context": one} for name, one in contexts.items()]
    config: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "contexts": entries}
    if current:
        config["current-context"] = current
    path.write_text(yaml.safe_dump(config))
    return path


def test_a_context_says_its_namespace(tmp_path: Path) -> None:
    path = write(tmp_path / "k", here={"namespace": "team"}, there={"cluster": "c"})

    assert context_of(path) == Context("here", "team")
    assert context_of(path, "there") == Context("there", "default")


def test_several_files_are_read_as_one(tmp_path: Path) -> None:
    one = write(tmp_path / "one", here={"namespace": "team"})
    two = write(tmp_path / "two", current="", there={"namespace": "other"})

    both = Path(f"{one}:{tmp_path / 'none'}:{two}")

    assert context_of(both) == Context("here", "team")
    assert context_of(both, "there") == Context("there", "other")


def test_the_error_for_a_missing_context_lists_the_existing_ones(tmp_path: Path) -> None:
    path = write(tmp_path / "k", here={}, there={})

    with pytest.raises(UserError, match=r'no context ther in .*; did you mean "there"\?'):
        context_of(path, "ther")
    with pytest.raises(UserError, match=r"no context prod in .*; it has here, there$"):
        context_of(path, "prod")


@pytest.mark.parametrize("text", ["", "[1]", "{", "contexts: 7", "contexts: [7]", "{}"])
def test_what_is_no_kubeconfig_is_the_operators_fault(tmp_path: Path, text: str) -> None:
    path = tmp_path / "k"
    path.write_text(text)

    with pytest.raises(SetupError, match="cannot use"):
        context_of(path)


async def test_the_cluster_of_the_named_context_is_asked(tmp_path: Path) -> None:
    memory = MemoryCluster(namespaces=("team",))
    await memory.create(config_map())
    async with served(memory) as server:
        path = server.write_kubeconfig(tmp_path / "k")
        config = yaml.safe_load(path.read_text())
        config["clusters"].append({"name": "away", "cluster": {"server": "http://127.0.0.1:1"}})
        config["contexts"].append({"name": "away", "context": {"cluster": "away", "user": "me"}})
        config["current-context"] = "away"
        path.write_text(yaml.safe_dump(config))

        async with connected(path, "here") as cluster:
            assert (await cluster.get(ref()))["data"] == {"colour": "red"}
