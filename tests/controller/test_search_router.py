"""The search behind one address: its history is encoded once for each version of a trial."""

from __future__ import annotations

import time

import pytest

from api.installation.service_addresses import OwnServices
from api.installation.services import parse_services
from api.types import Trial
from api.wire import trials as wire
from controller.on_kube.search_services import ClusterSearchServices
from controller.over_grpc import history_cache
from controller.over_grpc.channels import Channels
from controller.search_router import SearchRouter, ServiceDirectory
from kube.testing.memory import MemoryCluster
from tests.controller.experiment_harness import ExperimentHarness, experiment
from tests.controller.katib_search_service import KatibSearchService, katib_search_service


async def test_a_second_request_encodes_changed_trials_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encoded: list[str] = []

    def trial_to_wire(trial: Trial) -> object:
        encoded.append(trial.metadata.name)
        return wire.trial_to_wire(trial)

    monkeypatch.setattr(history_cache, "trial_to_wire", trial_to_wire)
    harness = ExperimentHarness(experiment())
    await harness.settle()
    first, second = harness.trials
    service = KatibSearchService()
    async with katib_search_service(service) as address:
        directory = ServiceDirectory(
            config=lambda: parse_services(""),
            ours=OwnServices(suggestion=address, early_stopping=address),
            db_manager="db:6789",
        )
        channels = Channels(time.monotonic)
        router = SearchRouter(directory, ClusterSearchServices(MemoryCluster()), channels)
        await router.ask(harness.experiment, [first], 2, 1)
        await router.ask(harness.experiment, [first, second], 3, 1)
        await channels.close()

    assert encoded == [first.metadata.name, second.metadata.name]
    assert [len(request.trials) for request in service.questions] == [1, 2]
