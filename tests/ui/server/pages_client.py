"""The pages over a source in memory, and a client with their token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp.test_utils import TestServer

from tests.contracts.pages_source import of_team, two_trials
from ui.server.app import application
from ui.sources.port import StoredExperiment
from ui.testing.memory_source import MemorySource

TOKEN = "t0ken-of-the-test"
EXPERIMENT = "/api/v1/experiments/team/random"


@asynccontextmanager
async def opened(
    source: MemorySource, folder: Path | None = None, token: str = TOKEN
) -> AsyncIterator[aiohttp.ClientSession]:
    """Serve a source; give a client with the token."""
    app = application(source, TOKEN, folder) if folder else application(source, TOKEN)
    async with TestServer(app, host="127.0.0.1") as server:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        base = f"http://127.0.0.1:{server.port}"
        async with aiohttp.ClientSession(base, headers=headers) as client:
            yield client


async def with_experiment() -> MemorySource:
    """Return a source with one experiment of two trials; the second runs."""
    source, trials = MemorySource(), two_trials()
    await source.put(StoredExperiment(experiment=of_team(trials), trials=trials))
    return source
