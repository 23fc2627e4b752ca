"""The cluster that a run of the tests has, and pytest on it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.binaries import note, run
from tests.cluster.conftest import VARIABLE
from tests.cluster.node import Node, default_folder

_LOADER = "TRIALWATCH_E2E_LOAD"
# A hundred jobs take minutes.
_PATIENT = ("-o", "faulthandler_timeout=900")

Load = Callable[[Path], None]


@contextmanager
def cluster_of_the_run() -> Iterator[tuple[Path, Load]]:
    """Give a kubeconfig, and the way to bring images there."""
    if named := os.environ.get(VARIABLE):
        loader = shlex.split(os.environ.get(_LOADER, "kind load image-archive"))
        yield Path(named), lambda archive: note(run([*loader, str(archive)]))
        return
    node = Node(default_folder().absolute())
    was_up = node.sandbox.alive()
    try:
        yield node.up(), node.load
    finally:
        if not was_up:
            node.down()


def run_pytest(environ: Mapping[str, str], *arguments: str) -> int:
    """Run pytest; return its status, 0 where it found no test."""
    tests = [sys.executable, "-m", "pytest", *_PATIENT, *arguments]
    status = subprocess.run(tests, env=environ, check=False).returncode
    return 0 if status == pytest.ExitCode.NO_TESTS_COLLECTED else status
