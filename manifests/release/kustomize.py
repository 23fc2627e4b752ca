"""Renders kustomizations with the machine's `kustomize` or `kubectl`."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

MANIFESTS = Path(__file__).resolve().parents[1]
NAMESPACE = "kubeflow"
"""The namespace of the overlays."""
VARIABLE = "TRIALWATCH_KUSTOMIZE"
_SECONDS = 60


class RenderingError(Exception):
    """Nothing renders the manifests, or the rendering failed; the message says what to do."""


def command() -> tuple[str, ...]:
    """Return the command that renders a folder.

    Raises:
        RenderingError: neither kustomize nor kubectl is installed.
    """
    if named := os.environ.get(VARIABLE):
        return tuple(named.split())
    if shutil.which("kustomize"):
        return ("kustomize", "build")
    if shutil.which("kubectl"):
        return ("kubectl", "kustomize")
    raise RenderingError(
        f"cannot render {MANIFESTS.name}/: install `kustomize` or `kubectl`, or name one in"
        f" {VARIABLE}, as in `kubectl kustomize`"
    )


def render(program: Sequence[str], folder: Path) -> str:
    """Return the objects of a kustomization, as text; `program` is what `command` returns.

    Raises:
        RenderingError: The kustomization is not valid.
    """
    argv = [*program, str(folder)]
    done = subprocess.run(  # noqa: S603 - the command is the caller's own
        argv, capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    if done.returncode:
        raise RenderingError(f"{' '.join(argv)} failed: {done.stderr.strip()}")
    return done.stdout


def render_with(program: Sequence[str], overlay: str, components: Sequence[str]) -> str:
    """Return the objects of an overlay with components, as a user's own kustomization adds them.

    Raises:
        RenderingError: as `render`.
    """
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder).resolve()
        lines = [f"namespace: {NAMESPACE}", "resources:"]
        lines += [f"  - {os.path.relpath(MANIFESTS / 'overlays' / overlay, here)}"]
        if components:
            paths = [os.path.relpath(MANIFESTS / "components" / name, here) for name in components]
            lines += ["components:", *(f"  - {path}" for path in paths)]
        (here / "kustomization.yaml").write_text("\n".join((*lines, "")))
        return render(program, here)
