"""Trials of equal names in two namespaces stay separate, with real stops, real logs, one service."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc.aio

from api.names import NAMESPACE_METADATA
from api.types import EarlyStoppingSpec
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from api.wire.experiments import experiment_to_wire
from api.wire.trials import trial_to_wire
from collector.grpc_clients import EarlyStoppingClient
from dbmanager.store.sqlite.store import SqliteStore
from kube.cluster import Ref
from kube.testing.apiserver import served as api_served
from kube.testing.memory import MemoryCluster
from serving.addresses import Address, parse_address
from suggestion.server import Server
from suggestion.service.early_stop_status import EarlyStopStatus
from suggestion.service.metrics import Metrics
from suggestion.service.observation_reader import ObservationReader
from suggestion.workers.pool import SearchPool
from tests.dbmanager.dbmanager_server import served
from tests.suggestion.controller_requests import experiment, settings, trial

TEAMS = ("blue", "red")
STOP = EarlyStoppingSpec(
    name="medianstop", settings=settings({"min_trials_required": "1", "start_step": "1"})
)


def trial_of(team: str) -> dict[str, Any]:
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Trial",
        "metadata": {"name": "same", "namespace": team},
    }


async def stopped(memory: MemoryCluster, team: str) -> bool:
    ref = Ref(api_version="kubeflow.org/v1beta1", kind="Trial", namespace=team, name="same")
    document: Any = await memory.get(ref)
    conditions = document.get("status", {}).get("conditions", [])
    return [one["type"] for one in conditions] == ["EarlyStopped"]


async def rule_for(channel: grpc.aio.Channel, manager: Address, team: str) -> str:
    any_channel: Any = channel
    stub: Any = api_pb2_grpc.EarlyStoppingStub(any_channel)
    request = pb.GetEarlyStoppingRulesRequest(
        experiment=experiment_to_wire(experiment(early_stopping=STOP)),
        trials=[trial_to_wire(trial("same", loss="1"))],
        db_manager_address=str(manager),
    )
    reply = await stub.GetEarlyStoppingRules(request, metadata=((NAMESPACE_METADATA, team),))
    (rule,) = reply.early_stopping_rules
    return str(rule.value)


async def test_rules_and_stops_use_the_callers_namespace(tmp_path: Path) -> None:
    memory = MemoryCluster(namespaces=TEAMS)
    for team in TEAMS:
        await memory.create(trial_of(team))
    store = SqliteStore(tmp_path / "observations.db")
    logs = ObservationReader()
    async with api_served(memory) as api, served(store) as manager:
        for team, value in zip(TEAMS, ("0.25", "8"), strict=True):
            point = ("2026-01-02T03:04:05Z", "loss", value)
            await manager.report("same", point, metadata=((NAMESPACE_METADATA, team),))
        status = EarlyStopStatus(api.write_kubeconfig(tmp_path / "kubeconfig"), None)
        server = Server(SearchPool((), Metrics(), seconds=1), logs, status.mark)
        address = server.listen(Address(host="127.0.0.1", port=0))
        place = parse_address(manager.address)
        assert place is not None
        await server.start()
        try:
            async with grpc.aio.insecure_channel(str(address)) as channel:
                found = [await rule_for(channel, place, team) for team in TEAMS]
            client = EarlyStoppingClient(str(address), "same", "red")
            await asyncio.to_thread(client.stopped)
            client.close()
        finally:
            await server.stop(5)
            await logs.close()

    assert found == ["0.25", "8.0"]
    assert [await stopped(memory, team) for team in TEAMS] == [False, True]
