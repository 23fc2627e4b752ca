"""Katib's own SDK, in an environment of its own.

It pins an older protobuf and registers the same proto package as ours, so it lives in an environment
of its own, made once and kept in the user's cache, and runs in a process of its own.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

SDK = "kubeflow-katib==0.19.0"
KUBERNETES = "kubernetes==34.1.0"
"""Newer ones check their arguments, and refuse the objects that the SDK gives them."""


def python_with_sdk() -> Path:
    """Return the Python of an environment that has the SDK; it is made where it is missing."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trialwatch"
    cache.mkdir(parents=True, exist_ok=True)
    packages = "-".join(one.replace("==", "-") for one in (SDK, KUBERNETES))
    home = cache / f"{packages}-py{sys.version_info.major}.{sys.version_info.minor}"
    python, ready = home / "bin" / "python", home / "ready"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one makes it, where several test runs want it
        if not ready.exists():
            venv.create(home, clear=True, with_pip=True)
            command = (python, "-m", "pip", "install", "--quiet", "--retries=1", SDK, KUBERNETES)
            made = subprocess.run(command, capture_output=True, text=True, check=False)
            if made.returncode != 0:
                cause = made.stderr.strip().splitlines()[-1:]
                assert not os.environ.get("CI"), f"{SDK} cannot be installed: {made.stderr}"
                pytest.skip(f"{SDK} cannot be installed on this machine: {cause}")
            ready.touch()
    return python
