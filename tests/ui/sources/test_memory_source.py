"""The source in memory keeps the contract, so tests of the pages may trust it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from api.types import Experiment, Trial
from tests.contracts.pages_source import KEY, SourceContract
from ui.sources.port import NewPoint, StoredExperiment
from ui.testing.memory_source import MemorySource


class MemoryStage:
    def __init__(self) -> None:
        self.source = MemorySource()

    async def put(self, experiment: Experiment, trials: Sequence[Trial]) -> None:
        await self.source.put(StoredExperiment(experiment=experiment, trials=tuple(trials)))

    async def report(self, name: str, points: Sequence[NewPoint]) -> None:
        await self.source.report(KEY, name, points)

    async def print(self, name: str, output: bytes) -> None:
        await self.source.print(KEY, name, output)


class TestMemorySource(SourceContract):
    @pytest.fixture
    def stage(self) -> MemoryStage:
        return MemoryStage()
