"""A cluster over HTTP, and a command line that asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kube.testing.apiserver import ApiServer, served
from kube.testing.memory import MemoryCluster
from tests.trialwatch.cluster_experiments import CommandLine


@pytest.fixture
def katib() -> MemoryCluster:
    return MemoryCluster(namespaces=("team", "other", "default"))


@pytest.fixture
async def katib_api(katib: MemoryCluster) -> AsyncIterator[ApiServer]:
    async with served(katib) as server:
        yield server


@pytest.fixture
def command_line(katib_api: ApiServer, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, katib_api)
