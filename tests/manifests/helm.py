"""Renders the Helm chart with a real `helm`, as objects."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from api.objects.yamltext import load_objects
from manifests.release.__main__ import chart_files, package
from tests.cluster.go_programs import program
from tests.manifests.kustomize import command

VARIABLE = "TRIALWATCH_HELM"
Object = dict[str, Any]


@cache
def helm() -> str:
    """Return the path of helm; skip if there is none and nothing asks to build it."""
    if found := os.environ.get(VARIABLE) or shutil.which("helm"):
        return found
    if os.environ.get("CI"):
        return str(program("helm"))
    pytest.skip(
        f"no helm: install it, or name it in {VARIABLE}; tests.cluster.go_programs builds it"
    )


@cache
def files() -> dict[str, str]:
    """Return the files of the chart."""
    return chart_files(command())


def packaged(folder: Path) -> Path:
    """Write the chart's package into a folder."""
    path = folder / "chart.tgz"
    package(files(), path)
    return path


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run helm."""
    return subprocess.run([helm(), *argv], capture_output=True, text=True, check=False, timeout=60)


def template(chart: Path, *flags: str, namespace: str = "kubeflow") -> list[Object]:
    """Render a chart with flags such as `--set=database=mysql`."""
    done = run("template", "release", str(chart), f"--namespace={namespace}", *flags)
    assert done.returncode == 0, done.stderr
    return [dict(one) for one in load_objects(done.stdout)]
