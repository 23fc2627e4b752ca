"""Renders the overlays with kustomize or kubectl, as text and as objects."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from api.objects.yamltext import load_objects
from manifests.release import kustomize
from tests.cluster.binaries import programs

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "manifests"
OVERLAYS = sorted(path.parent.name for path in MANIFESTS.glob("overlays/*/kustomization.yaml"))


@cache
def command() -> tuple[str, ...]:
    """Return the command that renders a folder; skip if neither kustomize nor kubectl is installed."""
    try:
        return kustomize.command()
    except kustomize.RenderingError as error:
        if os.environ.get("CI"):  # which builds it for its cluster anyway; Debian's may be too old
            return (str(programs() / "kubectl"), "kustomize")
        pytest.skip(str(error))


@cache
def rendered(folder: Path) -> str:
    """Render a kustomization."""
    run = subprocess.run(
        [*command(), str(folder)], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 0, run.stderr
    # Deprecations are told there.
    assert run.stderr == ""
    return run.stdout


def with_component(folder: Path, component: str) -> tuple[Any, ...]:
    """Render `standalone` with a component, as a kustomization of a user's own in `folder` does."""
    here = folder.resolve()
    overlay = os.path.relpath(MANIFESTS / "overlays" / "standalone", here)
    chosen = os.path.relpath(MANIFESTS / "components" / component, here)
    text = f"resources:\n  - {overlay}\ncomponents:\n  - {chosen}\n"
    (folder / "kustomization.yaml").write_text(text)
    return objects(folder)


@cache
def objects(folder: Path) -> tuple[Any, ...]:
    """Render a kustomization, as objects."""
    return tuple(load_objects(rendered(folder)))
