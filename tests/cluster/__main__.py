"""`python -m tests.cluster ARGS...`: runs pytest on a cluster that has all images.

The cluster is that of `TRIALWATCH_E2E_KUBECONFIG`, and `TRIALWATCH_E2E_LOAD` the command that gives
it an archive of images (`kind load image-archive`). Without the first, it is a node of this
machine: brought up here, and taken down, unless `make cluster-up` did so before.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster import cert_manager, trainers
from tests.cluster.binaries import MissingProgramError, note, run
from tests.cluster.client import cluster_of
from tests.cluster.conftest import VARIABLE
from tests.cluster.dockerfiles import build_bash, build_mysql, build_postgres
from tests.cluster.image_archive import Built
from tests.cluster.installation import built_beside, images, install, load_images
from tests.cluster.node import Node, default_folder

_LOADER = "TRIALWATCH_E2E_LOAD"
# Most of what a situation takes is waiting.
_AT_ONCE = "8"
# A hundred jobs take minutes.
_PATIENT = ("-o", "faulthandler_timeout=900")

Load = Callable[[Path], None]


@contextmanager
def _cluster() -> Iterator[tuple[Path, Load]]:
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


def _all_images() -> list[Built]:
    return [*images(), build_bash(), build_mysql(), build_postgres()]


def main(arguments: list[str]) -> int:
    """Run the tests; return pytest's status."""
    with (
        built_beside(_all_images) as built,
        _cluster() as (kubeconfig, load),
        tempfile.TemporaryDirectory() as folder,
    ):
        load_images([*built(), cert_manager.image(Path(folder))], load)
        for archive in trainers.archives(Path(folder)):
            load(archive)
        install(cluster_of(kubeconfig))
        environ = {**os.environ, VARIABLE: str(kubeconfig)}
        together = _pytest(
            environ, "-m", "not alone", "-n", _AT_ONCE, "--dist=worksteal", *arguments
        )
        alone = _pytest(environ, "-m", "alone", *arguments)
        return together or alone


def _pytest(environ: Mapping[str, str], *arguments: str) -> int:
    tests = [sys.executable, "-m", "pytest", *_PATIENT, *arguments]
    status = subprocess.run(tests, env=environ, check=False).returncode
    return 0 if status == pytest.ExitCode.NO_TESTS_COLLECTED else status


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:] or ["tests/cluster"]))
    except (MissingProgramError, PermissionError) as error:
        sys.exit(f"cluster: {error}")
