"""The real kubectl: the one that the tests on a cluster build, else that of this machine."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import pyproject
from tests.cluster.binaries import cache, programs

PLUGIN_PROGRAMS = ("kubectl-trialwatch", "kubectl_complete-trialwatch")
_SCRIPT = """\
#!{python}
import sys
from {module} import {function}
sys.exit({function}())
"""


def real_kubectl() -> Path:
    """Return its path; skip if there is none, and fail on a build machine that has none."""
    if os.environ.get("CI"):  # which builds it for its cluster anyway
        return programs() / "kubectl"
    built = sorted(cache().glob("k8s-*/kubectl"))
    found = str(built[-1]) if built else shutil.which("kubectl")
    if found is None:
        pytest.skip("no kubectl here: `make cluster-up` builds one, or install it")
    return Path(found)


def write_plugin_programs(folder: Path) -> None:
    """Write the programs of `kubectl trialwatch`, as pip writes them from `project.scripts`."""
    folder.mkdir()
    for name in PLUGIN_PROGRAMS:
        module, function = pyproject()["project"]["scripts"][name].split(":")
        text = _SCRIPT.format(python=sys.executable, module=module, function=function)
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
