"""The objects that are deployed for suggestions and katib-configs from files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.installation.services import parse_services
from api.objects.suggestions import parse_suggestion
from api.objects.yamlout import dump_objects
from api.objects.yamltext import load_objects
from controller.on_kube.suggestion_deployment import deployed_documents
from kube.testing.memory import MemoryCluster

FOLDER = Path(__file__).parent / "deployed"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml") if "." not in path.stem)


def documents_of(name: str) -> tuple[Any, ...]:
    suggestion, config = load_objects((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    services = parse_services(dump_objects([config]))
    return deployed_documents(parse_suggestion(suggestion), services)


@pytest.mark.parametrize("name", CASES)
def test_what_is_deployed_is_its_golden(name: str, golden: Callable[[Path, str], None]) -> None:
    documents = documents_of(name)

    golden(FOLDER / f"{name}.golden.yaml", dump_objects(documents) if documents else "")


@pytest.mark.parametrize("name", CASES)
async def test_a_cluster_takes_it(name: str) -> None:
    cluster = MemoryCluster(namespaces=("team",))
    for document in documents_of(name):
        await cluster.create(document)


def test_all_but_a_volume_goes_with_its_suggestion() -> None:
    owned = {
        document["kind"]: [
            owner["uid"] for owner in document["metadata"].get("ownerReferences", ())
        ]
        for name in CASES
        for document in documents_of(name)
    }

    assert owned.pop("PersistentVolume") == []
    assert set(map(tuple, owned.values())) == {("11111111-2222-3333-4444-555555555555",)}
    assert len(owned) == 6


def test_a_mount_of_the_operators_is_kept() -> None:
    text = (FOLDER / "from_volume.yaml").read_text(encoding="utf-8")
    mount = "volumeMounts: [{name: suggestion-volume, mountPath: /mine}]"
    suggestion, config = load_objects(
        text.replace("volumeMountPath: /population", mount).replace("Path: /population", "")
    )
    *_, deployment = deployed_documents(
        parse_suggestion(suggestion), parse_services(dump_objects([config]))
    )
    container: Any = deployment["spec"]["template"]["spec"]["containers"][0]  # type: ignore[index,call-overload]

    assert container["volumeMounts"] == [{"name": "suggestion-volume", "mountPath": "/mine"}]
