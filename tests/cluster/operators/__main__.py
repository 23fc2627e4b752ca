"""`python -m tests.cluster.operators ARGS...`: runs pytest on a cluster with the operators of jobs.

The cluster is that of `python -m tests.cluster`, with the operators of `modules.toml` and the
components that let trialwatch run their kinds.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.cluster import trainers
from tests.cluster.binaries import MissingProgramError
from tests.cluster.client import cluster_of
from tests.cluster.conftest import OPERATORS_VARIABLE, VARIABLE
from tests.cluster.installation import built_beside, install, load_images
from tests.cluster.operators.installation import archives, install_operators
from tests.cluster.operators.programs import build_operators
from tests.cluster.releases import ModuleDigestError
from tests.cluster.runs import cluster_of_the_run, run_pytest

_OVERLAY = Path(__file__).with_name("overlay")
_AT_ONCE = "4"


def main(arguments: list[str]) -> int:
    """Run the tests; return pytest's status."""
    with (
        built_beside() as built,
        cluster_of_the_run() as (kubeconfig, load),
        tempfile.TemporaryDirectory() as folder,
    ):
        operators = build_operators()
        load_images(built(), load)
        for archive in (*trainers.archives(Path(folder)), *archives(operators, Path(folder))):
            load(archive)
        cluster = cluster_of(kubeconfig)
        install(cluster, _OVERLAY)
        install_operators(cluster, operators)
        environ = {**os.environ, VARIABLE: str(kubeconfig), OPERATORS_VARIABLE: "1"}
        return run_pytest(environ, "-n", _AT_ONCE, "--dist=worksteal", *arguments)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:] or ["tests/cluster/operators"]))
    except (MissingProgramError, ModuleDigestError, PermissionError) as error:
        sys.exit(f"cluster: {error}")
