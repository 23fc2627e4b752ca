"""The real kubectl: the one that the tests on a cluster build, else that of this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.cluster.binaries import cache, programs


def real_kubectl() -> Path:
    """Return its path; skip if there is none, and fail on a build machine that has none."""
    if os.environ.get("CI"):  # which builds it for its cluster anyway
        return programs() / "kubectl"
    built = sorted(cache().glob("k8s-*/kubectl"))
    found = str(built[-1]) if built else shutil.which("kubectl")
    if found is None:
        pytest.skip("no kubectl here: `make cluster-up` builds one, or install it")
    return Path(found)
