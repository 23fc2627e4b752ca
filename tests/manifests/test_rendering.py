"""Each overlay renders, and what it renders is a file that a stranger can open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.manifests.kustomize import MANIFESTS, OVERLAYS, objects, rendered

GOLDENS = Path(__file__).parent / "goldens"


def without_schemas(text: str) -> str:
    """Leave out the CRDs: they are files of their own already, and they are long."""
    documents = text.split("---\n")
    return "---\n".join(d for d in documents if "\nkind: CustomResourceDefinition\n" not in d)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_renders(overlay: str, golden: Callable[[Path, str], None]) -> None:
    text = rendered(MANIFESTS / "overlays" / overlay)

    golden(GOLDENS / f"{overlay}.yaml", without_schemas(text))


def test_every_golden_is_of_an_overlay() -> None:
    assert sorted(path.stem for path in GOLDENS.glob("*.yaml")) == OVERLAYS


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_object_is_there_twice(overlay: str) -> None:
    keys = [
        (o["apiVersion"], o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"])
        for o in objects(MANIFESTS / "overlays" / overlay)
    ]

    assert len(keys) == len(set(keys))
