"""Tenants try to write, read, stop and delete what belongs to others, over real connections."""

from __future__ import annotations

import grpc
import pytest
from grpc_health.v1 import health_pb2

from api.trialwatchv1 import observations_pb2 as ours
from api.v1beta1 import api_pb2
from dbmanager.access.trial_access import ACTS
from dbmanager.store.contract import NewRow, TrialKey
from dbmanager.store.memory import MemoryStore
from serving.access.refusals import Mode
from tests.dbmanager.access.guarded_server import (
    API_SERVER,
    UID,
    Guarded,
    bearer,
    guarded,
    manager,
    numbered,
    of,
    sidecar,
)
from tests.dbmanager.dbmanager_server import refused
from tests.serving.tokens.service_account_tokens import (
    HOUR,
    NOW,
    Issuer,
    claims,
    ec_key,
)

Code = grpc.StatusCode
POINT = ("2026-01-31T12:00:00Z", "loss", "0.5")
HONEST = TrialKey(namespace="team-a", trial="trial-1")
OTHER_UID = "99999999-2222-3333-4444-555555555555"


async def honest_report(server: Guarded, sequence: int = 1) -> None:
    await server.tls.report("trial-1", POINT, metadata=(sidecar(), *numbered(sequence)))


def test_each_call_of_the_services_has_an_act() -> None:
    services = (
        api_pb2.DESCRIPTOR.services_by_name["DBManager"],
        ours.DESCRIPTOR.services_by_name["Observations"],
    )
    methods = {f"/{it.full_name}/{method.name}" for it in services for method in it.methods}

    assert methods == set(ACTS)


async def test_an_honest_sidecar_reports_and_the_controller_reads_and_deletes() -> None:
    async with guarded() as server:
        await honest_report(server)
        await server.tls.report("trial-1", POINT, metadata=(sidecar(), of("team-a"), *numbered(2)))

        controller = (manager(), of("team-a"))
        assert await server.tls.get("trial-1", metadata=controller) == [POINT, POINT]
        await server.tls.delete("trial-1", metadata=controller)
        assert await server.tls.get("trial-1", metadata=controller) == []


async def test_a_report_without_a_namespace_is_stored_in_that_of_the_token() -> None:
    async with guarded() as server:
        await server.tls.report("trial-1", POINT, metadata=(sidecar("team-b"), *numbered()))
        await honest_report(server)

        assert await server.store.namespaces("trial-1") == {"team-a", "team-b"}


async def test_no_tenant_reaches_the_trial_of_another() -> None:
    async with guarded() as server:
        await honest_report(server)
        theirs = sidecar("team-b", uid=OTHER_UID)
        report = (theirs, of("team-a"), *numbered(uid=OTHER_UID))
        async with refused(Code.PERMISSION_DENIED, "team-a", "team-b/trial-1"):
            await server.tls.report("trial-1", POINT, metadata=report)
        async with refused(Code.PERMISSION_DENIED, "for reports alone"):
            await server.tls.get("trial-1", metadata=(theirs, of("team-a")))
        async with refused(Code.PERMISSION_DENIED, "for reports alone"):
            await server.tls.delete("trial-1", metadata=(theirs, of("team-a")))

        assert await server.tls.get("trial-1", metadata=(manager(), of("team-a"))) == [POINT]
        assert server.refused("act") == 2
        assert server.refused("namespace") == 1


async def test_a_sidecar_reaches_no_other_trial_of_its_own_namespace() -> None:
    async with guarded() as server:
        async with refused(Code.PERMISSION_DENIED, "not the trial of the token"):
            await server.tls.report("trial-2", POINT, metadata=(sidecar(), *numbered()))
        assert server.refused("trial") == 1


async def test_no_pod_poisons_or_ends_the_source_of_another_pod() -> None:
    async with guarded() as server:
        await honest_report(server)
        stranger = sidecar(uid=OTHER_UID)
        for poison in ((9_000_000,), (2,)):
            forged = (stranger, *numbered(*poison), ("trialwatch-outcome", "failed"))
            async with refused(Code.PERMISSION_DENIED, "not a source of the token's pod"):
                await server.tls.report("trial-1", POINT, metadata=forged)
        await honest_report(server, 2)

        assert await server.store.sources(HONEST) == {f"pod:{UID}:a": 2}
        assert server.refused("source") == 2


async def test_a_number_that_jumps_to_the_end_is_refused_and_the_source_goes_on() -> None:
    async with guarded() as server:
        await honest_report(server)
        async with refused(Code.PERMISSION_DENIED, "skips more than"):
            await honest_report(server, 2**63 - 1)
        await honest_report(server, 2)
        assert server.refused("jump") == 1


@pytest.mark.parametrize(
    "token",
    [
        "",
        "none",
        "a" * 20_000,
        Issuer({"one": ec_key()}).token(claims()),
        Issuer({"two": ec_key()}).token(claims(), "two"),
    ],
)
async def test_a_token_that_is_forged_is_refused(token: str) -> None:
    async with guarded() as server:
        async with refused(Code.UNAUTHENTICATED):
            await server.tls.report("trial-1", POINT, metadata=(bearer(token), *numbered()))
        assert server.refused("bad-token") == 1
        assert await server.store.namespaces("trial-1") == frozenset()


async def test_two_tokens_and_another_scheme_are_refused() -> None:
    async with guarded() as server:
        for pairs in (
            (sidecar(), sidecar("team-b")),
            (("authorization", "Basic YTpi"),),
            (("authorization", ""),),
        ):
            async with refused(Code.UNAUTHENTICATED, "send Bearer and one token"):
                await server.tls.report("trial-1", POINT, metadata=(*pairs, *numbered()))


async def test_a_manager_of_a_tenants_own_making_is_refused() -> None:
    async with guarded() as server:
        await honest_report(server)
        for pretender in (manager(namespace="team-b"), manager("default")):
            async with refused(Code.UNAUTHENTICATED, "is not a manager"):
                await server.tls.delete("trial-1", metadata=(pretender, of("team-a")))


async def test_without_a_token_nothing_but_health_is_open() -> None:
    async with guarded() as server:
        await honest_report(server)
        for client in (server.tls, server.plain):
            await client.health.Check(health_pb2.HealthCheckRequest())
            async with refused(Code.UNAUTHENTICATED, "send a token"):
                await client.report("trial-1", POINT)
            async with refused(Code.UNAUTHENTICATED, "send a token"):
                await client.get("trial-1")
            async with refused(Code.UNAUTHENTICATED, "send a token"):
                await client.delete("trial-1")
            async with refused(Code.UNAUTHENTICATED, "send a token"):
                await client.observations.Summary(ours.SummaryRequest(trial_name="trial-1"))
            async with refused(Code.UNAUTHENTICATED, "send a token"):
                await client.observations.Watch(ours.WatchRequest(trial_name="trial-1")).read()
        assert server.refused("no-token") == 10


async def test_a_token_without_tls_is_refused() -> None:
    async with guarded() as server:
        async with refused(Code.UNAUTHENTICATED, "without TLS"):
            await server.plain.report("trial-1", POINT, metadata=(sidecar(), *numbered()))
        assert server.refused("no-tls") == 1


async def test_the_last_line_of_a_pod_is_stored_with_a_token_that_has_expired() -> None:
    async with guarded() as server:
        token = sidecar()
        server.clock[0] = NOW + 2 * HOUR
        await server.tls.report("trial-1", POINT, metadata=(token, *numbered()))

        server.clock[0] += 1
        async with refused(Code.UNAUTHENTICATED, "expired 3601 s ago"):
            await server.tls.report("trial-1", POINT, metadata=(token, *numbered(2)))
        async with refused(Code.UNAUTHENTICATED, "expired"):
            await server.tls.get("trial-1", metadata=(manager(), of("team-a")))


async def test_permissive_allows_clients_of_katib_and_counts_them() -> None:
    async with guarded(Mode.PERMISSIVE) as server:
        await server.plain.report("old", POINT)
        assert await server.plain.get("old") == [POINT]
        await server.plain.delete("old")

        name = "trialwatch_dbmanager_calls_without_token_total"
        method = "/api.v1.beta1.DBManager/ReportObservationLog"
        assert server.metrics.registry.get_sample_value(name, {"method": method}) == 1


@pytest.mark.parametrize("pairs", [(), (of("team-a"),)], ids=["bare", "with a namespace"])
async def test_permissive_keeps_a_trial_with_a_token_from_callers_without_one(
    pairs: tuple[tuple[str, str], ...],
) -> None:
    async with guarded(Mode.PERMISSIVE) as server:
        await honest_report(server)
        for client in (server.tls, server.plain):
            async with refused(Code.PERMISSION_DENIED, "has reported with a token"):
                await client.report("trial-1", POINT, metadata=pairs)
            async with refused(Code.PERMISSION_DENIED, "has reported with a token"):
                await client.get("trial-1", metadata=pairs)
            async with refused(Code.PERMISSION_DENIED, "has reported with a token"):
                await client.delete("trial-1", metadata=pairs)
        assert server.refused("reported-with-token") == 6
        assert await server.store.namespaces("trial-1") == {"team-a"}


async def test_permissive_lets_no_caller_without_a_token_close_a_trial_to_others() -> None:
    async with guarded(Mode.PERMISSIVE) as server:
        async with refused(Code.PERMISSION_DENIED, "source of a pod"):
            await server.plain.report("old", POINT, metadata=(of("team-a"), *numbered()))
        await server.plain.report("old", POINT, metadata=(of("team-a"),))


async def test_a_watcher_without_a_token_sees_nothing_after_the_first_report_with_one() -> None:
    async with guarded(Mode.PERMISSIVE) as server:
        await server.plain.report("trial-1", POINT, metadata=(of("team-a"),))
        watch = server.plain.observations.Watch(
            ours.WatchRequest(trial_name="trial-1"), metadata=(of("team-a"),)
        )
        assert (await watch.read()).metric_logs

        await honest_report(server)
        async with refused(Code.PERMISSION_DENIED, "has reported with a token"):
            await watch.read()


class Users:
    """One user, who may read the trials of team-a."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def may_read(self, token: str, namespace: str) -> bool:
        return (token, namespace) == (self._token, "team-a")


USER_TOKENS = {
    "of another issuer": Issuer({"x": ec_key()}).token(claims(iss="https://login.example"), "x"),
    "of the API server": API_SERVER.token(claims("team-a", "https://kubernetes.default.svc")),
    "of no form": "a1b2c3.d4e5f6",
}


@pytest.mark.parametrize("token", list(USER_TOKENS.values()), ids=list(USER_TOKENS))
async def test_a_person_reads_where_the_api_server_allows_it_and_writes_nowhere(token: str) -> None:
    anna = bearer(token)
    async with guarded(people=Users(token)) as server:
        await honest_report(server)
        assert await server.tls.get("trial-1", metadata=(anna, of("team-a"))) == [POINT]
        for namespace in ("team-b", ""):
            async with refused(Code.PERMISSION_DENIED, "namespace"):
                await server.tls.get("trial-1", metadata=(anna, of(namespace)))
        async with refused(Code.UNAUTHENTICATED, "users can only read metrics"):
            await server.tls.delete("trial-1", metadata=(anna, of("team-a")))
        async with refused(Code.UNAUTHENTICATED, "users can only read metrics"):
            await server.tls.report("trial-1", POINT, metadata=(anna, of("team-a")))


async def test_without_the_api_servers_answers_no_person_is_known() -> None:
    async with guarded() as server:
        for token in USER_TOKENS.values():
            async with refused(Code.UNAUTHENTICATED):
                await server.tls.get("trial-1", metadata=(bearer(token), of("team-a")))


async def test_a_person_does_not_read_metrics_that_have_no_namespace() -> None:
    token = USER_TOKENS["of the API server"]
    store = MemoryStore()
    await store.open()
    await store.report(TrialKey(namespace="", trial="old"), [NewRow(0, "loss", "1")])
    async with (
        guarded(people=Users(token), store=store) as server,
        refused(Code.PERMISSION_DENIED, "stored without a namespace"),
    ):
        await server.tls.get("old", metadata=(bearer(token), of("team-a")))


async def test_a_wrong_request_with_a_good_token_is_still_explained() -> None:
    async with guarded() as server:
        async with refused(Code.INVALID_ARGUMENT, "trial_name"):
            await server.tls.report("", POINT, metadata=(sidecar(), *numbered()))
        async with refused(Code.INVALID_ARGUMENT, "trial_name"):
            await server.tls.get("a\0b", metadata=(manager(),))
