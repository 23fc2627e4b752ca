"""A collector with a token, and a DB manager that requires one, over TLS."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from api.errors import SetupError, Unavailable
from api.types import MetricPoint
from collector.core.batches import Batch
from collector.core.ports import UnclearAnswer
from collector.grpc_clients import DbManagerClient
from collector.pod_token import source_prefix
from dbmanager.access.policy import pod_source
from dbmanager.store.contract import TrialKey
from serving.client_security import ClientSecurity
from tests.certificate_authority import Authority
from tests.collector.pod_processes import terminate, trial
from tests.dbmanager.access.guarded_server import (
    API_SERVER,
    AUTHORITY,
    UID,
    Guarded,
    guarded,
    manager,
    sidecar,
)
from tests.serving.tokens.service_account_tokens import claims

POINT = MetricPoint("loss", "0.5", "2026-01-01T00:00:00Z")
BATCH = Batch(source=pod_source(UID, "a-1"), sequence=1, points=(POINT,), outcome=None)


@pytest.fixture
def files(tmp_path: Path) -> ClientSecurity:
    """The files of the sidecar of trial-1 in team-a."""
    (tmp_path / "ca.crt").write_bytes(AUTHORITY.cert)
    security = ClientSecurity(ca=tmp_path / "ca.crt", token=tmp_path / "token")
    write(security, sidecar()[1])
    return security


def write(security: ClientSecurity, bearer: str) -> None:
    assert security.token is not None
    security.token.write_text(bearer.removeprefix("Bearer ") + "\n")


async def send(
    server: Guarded, security: ClientSecurity, batch: Batch = BATCH, trial: str = "trial-1"
) -> None:
    client = DbManagerClient(server.tls.address, trial, "team-a", security=security)
    try:
        await asyncio.to_thread(client.send, batch)
    finally:
        client.close()


async def test_a_report_is_stored_with_the_token_of_the_file(files: ClientSecurity) -> None:
    async with guarded() as server:
        await send(server, files)

        assert await server.store.namespaces("trial-1") == {"team-a"}


async def test_the_token_is_read_for_each_call_and_the_collector_waits_for_a_good_one(
    files: ClientSecurity,
) -> None:
    async with guarded() as server:
        client = DbManagerClient(server.tls.address, "trial-1", "team-a", security=files)
        assert files.token is not None
        for text in ("Bearer stale", "Bearer "):
            write(files, text)
            with pytest.raises(Unavailable):
                await asyncio.to_thread(client.send, BATCH)
        files.token.unlink()
        with pytest.raises(Unavailable, match="cannot read"):
            await asyncio.to_thread(client.send, BATCH)

        write(files, sidecar()[1])
        await asyncio.to_thread(client.send, BATCH)
        client.close()


async def test_a_report_for_another_trial_is_refused_and_not_repeated_for_ever(
    files: ClientSecurity,
) -> None:
    async with guarded() as server:
        with pytest.raises(UnclearAnswer, match="not the trial of the token"):
            await send(server, files, trial="trial-2")


async def test_a_server_with_another_certificate_gets_no_token(
    files: ClientSecurity, tmp_path: Path
) -> None:
    (tmp_path / "other.crt").write_bytes(Authority().cert)
    async with guarded() as server:
        with pytest.raises(Unavailable):
            await send(server, replace(files, ca=tmp_path / "other.crt"))
        assert server.refused("bad-token") == server.refused("no-token") == 0


async def test_without_a_token_the_server_says_what_to_send(files: ClientSecurity) -> None:
    async with guarded() as server:
        with pytest.raises(UnclearAnswer, match="UNAUTHENTICATED: send a token"):
            await send(server, replace(files, token=None))


async def test_an_outcome_needs_no_read_which_the_token_does_not_allow(
    files: ClientSecurity,
) -> None:
    async with guarded() as server:
        client = DbManagerClient(server.tls.address, "trial-1", "team-a", security=files)
        assert await asyncio.to_thread(client.keeps_outcomes)
        client.close()
        assert server.refused("act") == 0


def test_a_token_without_tls_is_refused_at_the_start(files: ClientSecurity) -> None:
    with pytest.raises(SetupError, match="a token is sent over TLS only"):
        ClientSecurity(token=files.token)


def test_wrong_authorities_are_named(files: ClientSecurity, tmp_path: Path) -> None:
    for text in (None, "no certificate"):
        if text:
            (tmp_path / "wrong").write_text(text)
        with pytest.raises(SetupError, match="--db-manager-ca: cannot read certificates"):
            DbManagerClient("127.0.0.1:1", "t", security=replace(files, ca=tmp_path / "wrong"))


def test_the_sources_of_a_pod_begin_with_its_uid_as_the_policy_wants(files: ClientSecurity) -> None:
    assert source_prefix(files.token) == pod_source(UID)
    assert not source_prefix(None)


@pytest.mark.parametrize(
    "text",
    ["", "a.b", "a.e30.b", "a.W10.b", API_SERVER.token(claims(pod_uid="")), "a.\x00.b", "é.é.é"],
)
def test_a_file_without_the_token_of_a_pod_is_named(files: ClientSecurity, text: str) -> None:
    assert files.token is not None
    files.token.write_text(text)
    with pytest.raises(SetupError, match=r"--db-manager-token: "):
        source_prefix(files.token)


async def test_a_pod_with_a_token_delivers_all_that_its_trainer_prints(
    files: ClientSecurity, tmp_path: Path
) -> None:
    flags = (f"--db-manager-ca={files.ca}", f"--db-manager-token={files.token}")
    async with guarded() as server:
        with trial(tmp_path, server.tls.address, "trial-1") as pod:
            collector = pod.collector(*flags)
            await asyncio.to_thread(pod.train, "echo loss=0.5; echo loss=0.25")
            assert await asyncio.to_thread(terminate, collector) == 0, pod.log_text

        values = await server.tls.get(
            "trial-1", metadata=(manager(), ("trialwatch-namespace", "team-a"))
        )
        assert [value for _, _, value in values] == ["0.5", "0.25"]
        [source] = await server.store.sources(TrialKey(namespace="team-a", trial="trial-1"))
        assert source.startswith(pod_source(UID))
