"""`python -m tests.cluster ARGS...`: runs pytest on a cluster that has all images.

The cluster is that of `TRIALWATCH_E2E_KUBECONFIG`, and `TRIALWATCH_E2E_LOAD` the command that gives
it an archive of images (`kind load image-archive`). Without the first, it is a node of this
machine: brought up here, and taken down, unless `make cluster-up` did so before.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.cluster import cert_manager, trainers
from tests.cluster.binaries import MissingProgramError
from tests.cluster.client import cluster_of
from tests.cluster.conftest import VARIABLE
from tests.cluster.dockerfiles import build_bash, build_mysql, build_postgres
from tests.cluster.image_archive import Built
from tests.cluster.installation import built_beside, images, install, load_images
from tests.cluster.runs import cluster_of_the_run, run_pytest

# Most of what a situation takes is waiting.
_AT_ONCE = "8"


def _all_images() -> list[Built]:
    return [*images(), build_bash(), build_mysql(), build_postgres()]


def main(arguments: list[str]) -> int:
    """Run the tests; return pytest's status."""
    with (
        built_beside(_all_images) as built,
        cluster_of_the_run() as (kubeconfig, load),
        tempfile.TemporaryDirectory() as folder,
    ):
        load_images([*built(), cert_manager.image(Path(folder))], load)
        for archive in trainers.archives(Path(folder)):
            load(archive)
        install(cluster_of(kubeconfig))
        environ = {**os.environ, VARIABLE: str(kubeconfig)}
        together = run_pytest(
            environ, "-m", "not alone", "-n", _AT_ONCE, "--dist=worksteal", *arguments
        )
        alone = run_pytest(environ, "-m", "alone", *arguments)
        return together or alone


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:] or ["tests/cluster"]))
    except (MissingProgramError, PermissionError) as error:
        sys.exit(f"cluster: {error}")
