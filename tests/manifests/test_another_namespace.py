"""One line installs everything in another namespace, and all references follow."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from api import names
from tests.manifests.kustomize import MANIFESTS, OVERLAYS, ROOT, objects, rendered

INSTALL = ROOT / "docs" / "install.md"


def moved(folder: Path, overlay: str, more: str = "") -> Path:
    """Write a kustomization as a user would; kustomize takes folders by relative paths only."""
    where = os.path.relpath(MANIFESTS / "overlays" / overlay, folder.resolve())
    (folder / "kustomization.yaml").write_text(
        f"namespace: team-a\nresources:\n  - {where}\n{more}"
    )
    return folder


def in_kubeflow(text: str) -> list[str]:
    """Return the lines with the old name: not Katib's group, its CRDs' category, its users' roles."""
    return [
        line
        for line in text.splitlines()
        if re.search(rf"\b{names.CORE_NAMESPACE}\b(?!\.org|-)", line)
        and line.strip() != "- kubeflow"
    ]


@pytest.mark.parametrize("overlay", [name for name in OVERLAYS if name != "cert-manager"])
def test_an_overlay_moves_as_a_whole(tmp_path: Path, overlay: str) -> None:
    folder = moved(tmp_path, overlay)

    assert in_kubeflow(rendered(folder)) == []
    namespaced = [o for o in objects(folder) if "namespace" in o["metadata"]]
    assert {o["metadata"]["namespace"] for o in namespaced} == {"team-a"}


def documented_replacements() -> str:
    """Return what docs/install.md adds to a kustomization for cert-manager in another namespace."""
    (replacements,) = re.findall(
        r"^    (replacements:\n(?:    .*\n)+)", INSTALL.read_text(), re.MULTILINE
    )
    return re.sub(r"^    ", "", replacements, flags=re.MULTILINE)


def test_with_cert_manager_three_more_lines_follow_as_the_document_says(tmp_path: Path) -> None:
    more = documented_replacements()

    assert in_kubeflow(rendered(moved(tmp_path, "cert-manager", more))) == []
