"""The metrics store by gRPC: our DB manager, and Katib's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import grpc.aio
import pytest

from api.errors import RemoteError, Unavailable
from api.names import UNAVAILABLE
from controller.over_grpc.channels import dial
from controller.over_grpc.observations import RemoteObservations
from controller.reconcile.views import MetricSummary
from dbmanager.store.memory import MemoryStore
from serving.client_security import ClientSecurity
from serving.grpc_client import credentials_of
from tests.controller.over_grpc.katib_servers import POINTS, KatibDbManager, T, channel_to, created
from tests.dbmanager.access.guarded_server import AUTHORITY, guarded, manager, sidecar
from tests.dbmanager.dbmanager_server import Client, served

SUMMARY = MetricSummary(name="loss", count=3, first="0.50", last="nan", min="0.40", max="0.50")


def channel_of(client: Client) -> grpc.aio.Channel:
    channel: grpc.aio.Channel = client.channel
    return channel


async def test_our_manager_summarizes_by_itself_and_for_the_trials_own_namespace() -> None:
    _, (trial, *_) = await created()
    async with served(MemoryStore()) as client:
        name = trial.metadata.name
        namespace = (("trialwatch-namespace", "ns"),)
        await client.report(name, *POINTS, metadata=namespace)
        await client.report(
            name, (T.format(1), "loss", "9"), metadata=(("trialwatch-namespace", "x"),)
        )
        store = RemoteObservations(channel_of(client))

        assert await store.summary(trial) == await store.latest(trial) == (SUMMARY,)

        await store.delete(trial)
        assert await store.summary(trial) == ()
        await store.report_unavailable(trial)
        (left,) = await store.summary(trial)
        assert (left.first, left.last, left.min) == (UNAVAILABLE, UNAVAILABLE, "")


async def test_katibs_manager_is_summarized_here() -> None:
    _, (trial, *_) = await created()
    async with channel_to(KatibDbManager()) as channel:
        assert await RemoteObservations(channel).summary(trial) == (SUMMARY,)
        assert await RemoteObservations(channel).latest(trial) == (), "it would cost the whole log"


async def test_what_the_manager_refuses_is_a_refusal_and_no_fault_of_the_user() -> None:
    _, (trial, *_) = await created()
    nameless = replace(trial, metadata=replace(trial.metadata, name=""))
    async with served(MemoryStore()) as client:
        with pytest.raises(RemoteError, match=r"the DB manager refused: .*trial_name"):
            await RemoteObservations(channel_of(client)).summary(nameless)


async def test_a_manager_that_is_away_is_unavailable() -> None:
    _, (trial, *_) = await created()
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        with pytest.raises(Unavailable, match="the DB manager did not answer: UNAVAILABLE"):
            await RemoteObservations(channel).summary(trial)


async def test_a_manager_with_tokens_is_called_over_tls_with_the_token_of_the_file(
    tmp_path: Path,
) -> None:
    _, (trial, *_) = await created()
    (tmp_path / "ca.crt").write_bytes(AUTHORITY.cert)
    (tmp_path / "token").write_text(manager()[1].removeprefix("Bearer "))
    security = ClientSecurity(ca=tmp_path / "ca.crt", token=tmp_path / "token")
    async with (
        guarded() as server,
        dial(server.tls.address, credentials_of(security)) as channel,
    ):
        observations = RemoteObservations(channel)
        await observations.report_unavailable(trial)
        assert [it.last for it in await observations.summary(trial)] == ["unavailable"]
        await observations.delete(trial)
        assert await observations.summary(trial) == ()

        (tmp_path / "token").write_text(sidecar()[1].removeprefix("Bearer "))
        with pytest.raises(RemoteError, match="PERMISSION_DENIED"):
            await observations.delete(trial)
