"""Tenants try to stop the trials of others, and to use the search, over real connections."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from api.errors import Unavailable
from api.types import EarlyStoppingSpec
from api.v1beta1 import api_pb2 as pb
from api.wire.experiments import early_stopping_to_wire, experiment_to_wire
from api.wire.trials import trial_to_wire
from collector.core.ports import UnclearAnswer
from collector.grpc_clients import EarlyStoppingClient
from dbmanager.store.contract import NewRow, TrialKey
from dbmanager.store.memory import MemoryStore
from serving.access.refusals import Mode
from serving.addresses import Address, parse_address
from serving.client_security import ClientSecurity
from suggestion.service.search_access import STOP
from suggestion.service.token_reports import DbManagerTokenReports
from tests.dbmanager.access.guarded_server import (
    API_SERVER,
    AUTHORITY,
    bearer,
    guarded,
    manager,
    numbered,
    of,
    sidecar,
)
from tests.dbmanager.dbmanager_server import Metadata, refused
from tests.serving.tokens.service_account_tokens import HOUR, NOW, Issuer, claims, ec_key
from tests.suggestion.controller_requests import experiment, settings, trial
from tests.suggestion.guarded_service import Caller, GuardedService, NoReports, guarded_service

Code = grpc.StatusCode
POINT = ("2026-01-31T12:00:00Z", "loss", "0.5")
RULES = EarlyStoppingSpec(
    name="medianstop", settings=settings({"min_trials_required": "1", "start_step": "1"})
)


async def stop(caller: Caller, *metadata: tuple[str, str], name: str = "trial-1") -> None:
    await caller.stopping.SetTrialStatus(
        pb.SetTrialStatusRequest(trial_name=name), metadata=metadata
    )


def searches(caller: Caller, metadata: Metadata) -> Sequence[Any]:
    """Return the calls that are for the controller alone."""
    asked = experiment_to_wire(experiment("random", early_stopping=RULES))
    return (
        caller.suggestion.GetSuggestions(
            pb.GetSuggestionsRequest(experiment=asked, current_request_number=1), metadata=metadata
        ),
        caller.suggestion.ValidateAlgorithmSettings(
            pb.ValidateAlgorithmSettingsRequest(experiment=asked), metadata=metadata
        ),
        caller.stopping.GetEarlyStoppingRules(
            pb.GetEarlyStoppingRulesRequest(
                experiment=asked,
                trials=[trial_to_wire(trial("same", loss="1"))],
                db_manager_address="db:1",
            ),
            metadata=metadata,
        ),
        caller.stopping.ValidateEarlyStoppingSettings(
            pb.ValidateEarlyStoppingSettingsRequest(early_stopping=early_stopping_to_wire(RULES)),
            metadata=metadata,
        ),
    )


async def test_a_pod_stops_its_own_trial_in_the_namespace_of_its_token() -> None:
    async with guarded_service() as service:
        await stop(service.tls, sidecar())
        await stop(service.tls, sidecar("team-b"), of("team-b"))

        assert service.rim.marked == ["team-a/trial-1", "team-b/trial-1"]


async def test_no_pod_stops_another_trial() -> None:
    async with guarded_service() as service:
        async with refused(Code.PERMISSION_DENIED, "trial-2", "team-a/trial-1"):
            await stop(service.tls, sidecar(), name="trial-2")
        async with refused(Code.PERMISSION_DENIED, "team-b", "team-a/trial-1"):
            await stop(service.tls, sidecar(), of("team-b"))
        async with refused(Code.PERMISSION_DENIED):
            await stop(service.tls, sidecar(), name="")

        assert service.rim.marked == []
        assert (service.refused("trial"), service.refused("namespace")) == (2, 1)


async def test_not_even_the_controller_stops_a_trial_in_place_of_its_pod() -> None:
    async with guarded_service() as service:
        async with refused(Code.PERMISSION_DENIED, "only the sidecar of a trial"):
            await stop(service.tls, manager(), of("team-a"))
        assert service.rim.marked == []


async def test_the_controller_asks_for_suggestions_and_rules() -> None:
    async with guarded_service() as service:
        service.rim.logs["team-a/same"] = ["1", "2"]
        replies = await asyncio.gather(*searches(service.tls, (manager(), of("team-a"))))

        assert len(replies[0].parameter_assignments) == 1
        assert len(replies[2].early_stopping_rules) == 1


async def test_a_pod_asks_for_nothing() -> None:
    async with guarded_service() as service:
        for call in searches(service.tls, (sidecar(), of("team-a"))):
            async with refused(Code.PERMISSION_DENIED, "suggestions are for the controller"):
                await call
        assert service.refused("act") == 4
        assert service.rim.reads == []


@pytest.mark.parametrize(
    "pairs",
    [
        (),
        (bearer("none"),),
        (bearer(Issuer({"one": ec_key()}).token(claims())),),
        (bearer(API_SERVER.token(claims(audience="https://kubernetes.default.svc"))),),
        (manager(namespace="team-a"),),
        (manager("trialwatch-suggestion"),),
        (sidecar(), manager()),
    ],
    ids=["no token", "no form", "forged", "of the API server", "own manager", "store's", "two"],
)
async def test_without_a_valid_token_nothing_but_health_is_open(pairs: Metadata) -> None:
    async with guarded_service() as service:
        for call in (*searches(service.tls, pairs), stop(service.tls, *pairs)):
            async with refused(Code.UNAUTHENTICATED):
                await call
        assert service.rim.marked == []
        health = health_pb2_grpc.HealthStub(service.plain.channel)
        assert (await health.Check(health_pb2.HealthCheckRequest())).status == 1


async def test_a_token_without_tls_is_refused() -> None:
    async with guarded_service() as service:
        async with refused(Code.UNAUTHENTICATED, "without TLS"):
            await stop(service.plain, sidecar())
        assert service.refused("no-tls") == 1


async def test_a_pod_that_cannot_renew_its_token_stops_its_trial_for_an_hour() -> None:
    async with guarded_service() as service:
        token = sidecar()
        service.clock[0] = NOW + 2 * HOUR
        await stop(service.tls, token)
        service.clock[0] += 1
        async with refused(Code.UNAUTHENTICATED, "expired"):
            await stop(service.tls, token)


async def test_permissive_allows_callers_without_a_token_and_counts_them() -> None:
    async with guarded_service(Mode.PERMISSIVE) as service:
        service.rim.logs["same"] = ["1", "2"]
        await asyncio.gather(*searches(service.plain, ()))
        await stop(service.plain, name="old")

        assert service.rim.marked == ["old"]
        assert service.without_token(STOP) == 1
        assert service.without_token("/api.v1.beta1.Suggestion/GetSuggestions") == 1


async def test_permissive_keeps_a_trial_with_a_token_from_callers_without_one() -> None:
    reports = NoReports({"team-a/trial-1"})
    async with guarded_service(Mode.PERMISSIVE, reports) as service:
        for caller in (service.tls, service.plain):
            async with refused(Code.PERMISSION_DENIED, "has reported with a token"):
                await stop(caller, of("team-a"))
        await stop(service.tls, sidecar())

        assert service.rim.marked == ["team-a/trial-1"]
        assert service.refused("reported-with-token") == 2


async def has_reported(address: str, namespace: str, trial: str = "trial-1") -> bool:
    parsed = parse_address(address)
    assert parsed is not None
    reports = DbManagerTokenReports(parsed, grpc.ssl_channel_credentials(AUTHORITY.cert), 5.0)
    try:
        return await reports.has_reported(namespace, trial)
    finally:
        await reports.close()


@pytest.mark.parametrize("namespace", ["team-a", ""])
async def test_the_db_manager_says_which_trials_have_reported_with_a_token(namespace: str) -> None:
    store = MemoryStore()
    row = NewRow(1, "loss", "1")
    async with guarded(Mode.PERMISSIVE, store=store) as server:
        for team in ("team-a", "team-b"):
            await store.report(TrialKey(namespace=team, trial="trial-2"), [row])
        assert not await has_reported(server.tls.address, namespace)
        await server.tls.report("trial-1", POINT, metadata=(sidecar(), *numbered()))

        assert await has_reported(server.tls.address, namespace)
        assert not await has_reported(server.tls.address, namespace, "trial-2")
        assert not await has_reported(server.tls.address, "team-b")


async def test_a_db_manager_that_requires_tokens_lets_no_trial_be_stopped_without_one() -> None:
    async with guarded(Mode.REQUIRED) as server:
        assert await has_reported(server.tls.address, "team-a", "any")


async def test_without_an_answer_of_the_db_manager_no_trial_is_stopped() -> None:
    reports = DbManagerTokenReports(Address(host="127.0.0.1", port=1), None, 1.0)
    async with guarded_service(Mode.PERMISSIVE, reports) as service:
        async with refused(Code.UNAVAILABLE, "did not say whether trial trial-1"):
            await stop(service.plain)
        assert service.rim.marked == []
    await reports.close()


async def report_stop(service: GuardedService, security: ClientSecurity, name: str) -> None:
    client = EarlyStoppingClient(service.tls.address, name, "team-a", security=security)
    try:
        await asyncio.to_thread(client.stopped)
    finally:
        client.close()


async def test_a_collector_reports_the_stop_with_the_token_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes(AUTHORITY.cert)
    (tmp_path / "token").write_text(sidecar()[1].removeprefix("Bearer "))
    security = ClientSecurity(
        flags="--early-stopping", ca=tmp_path / "ca.crt", token=tmp_path / "token"
    )
    async with guarded_service() as service:
        await report_stop(service, security, "trial-1")
        with pytest.raises(UnclearAnswer, match="not the trial of the token"):
            await report_stop(service, security, "trial-2")
        (tmp_path / "token").write_text("stale")
        with pytest.raises(Unavailable):
            await report_stop(service, security, "trial-1")

        assert service.rim.marked == ["team-a/trial-1"]
