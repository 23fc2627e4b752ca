"""Both implementations of `Searches` have the same contract: processes, and this process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from suggestion.service.metrics import Metrics
from suggestion.service.searches import Searches
from suggestion.workers.pool import SearchPool
from suggestion.workers.worker_process import WorkerProcess
from tests.contracts.searches import SearchesContract
from tests.suggestion.suggestion_server import MEMORY, SECONDS, SearchesHere


class TestWorkerProcesses(SearchesContract):
    @pytest.fixture
    async def searches(self) -> AsyncIterator[Searches]:
        pool = SearchPool([WorkerProcess(MEMORY, SECONDS)], Metrics(), seconds=SECONDS)
        yield pool
        await pool.close()


class TestThisProcess(SearchesContract):
    @pytest.fixture
    def searches(self) -> Searches:
        return SearchesHere()
