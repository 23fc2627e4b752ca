"""Several replicas, over a cluster in memory and over HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from api.errors import SetupError
from api.types import JsonObject
from kube.cluster import Cluster, Ref
from kube.connect import connected
from kube.errors import Forbidden, NotFound
from kube.testing.apiserver import served
from kube.testing.memory import MemoryCluster
from tests.certificate_authority import Authority
from tests.polling import eventually
from tests.webhook.certificates.certificate_objects import (
    MUTATING,
    PLACE,
    SERVICE,
    VALIDATING,
    bundle_of,
    configuration,
    webhook_entry,
)
from tests.webhook.certificates.handshakes import handshake
from webhook.certificates.rotation import RotationState, Timing
from webhook.certificates.self_signed import SelfSignedCertificate
from webhook.certificates.stored import KEYS, read_state

STRANGERS = Authority().cert.decode()
QUICK = Timing(lifetime=86_400, renew=3_600, settle=30, skew=1, look=0.01)


def causes(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        json.dumps(record.__dict__["fields"])
        for record in caplog.records
        if record.levelno >= logging.ERROR
    ]


async def state_in(cluster: Cluster) -> RotationState:
    state = read_state(await cluster.get(PLACE.secret), SERVICE)
    assert state is not None
    return state


async def bundle_in(cluster: Cluster, ref: Ref = MUTATING) -> str:
    return bundle_of(await cluster.get(ref))


def is_served(certificates: SelfSignedCertificate, bundle: str) -> bool:
    return handshake(certificates.ssl_context, bundle, SERVICE.host) != ""


@pytest.fixture
def memory() -> MemoryCluster:
    return MemoryCluster(namespaces=(SERVICE.namespace,))


@asynccontextmanager
async def over_http(memory: MemoryCluster, folder: Path) -> AsyncIterator[Cluster]:
    async with (
        served(memory) as server,
        connected(server.write_kubeconfig(folder / "kubeconfig")) as cluster,
    ):
        yield cluster


@pytest.fixture(params=["in memory", "over HTTP"])
async def cluster(
    request: pytest.FixtureRequest, memory: MemoryCluster, tmp_path: Path
) -> AsyncIterator[Cluster]:
    if request.param == "in memory":
        yield memory
    else:
        async with over_http(memory, tmp_path) as cluster:
            yield cluster


async def test_a_first_start_makes_a_certificate_and_has_it_trusted(cluster: Cluster) -> None:
    await cluster.create(configuration(webhook_entry(STRANGERS), webhook_entry()))
    await cluster.create(configuration(webhook_entry(), ref=VALIDATING))
    async with SelfSignedCertificate(cluster, PLACE, timing=QUICK) as certificates:
        assert (certificates.ready, certificates.expires) == (False, None)
        await eventually(lambda: certificates.ready)

        current = (await state_in(cluster)).current
        assert current is not None
        assert certificates.expires == current.expires
        assert await bundle_in(cluster) == STRANGERS + current.ca
        assert await bundle_in(cluster, VALIDATING) == current.ca
        assert is_served(certificates, await bundle_in(cluster))


async def test_replicas_that_start_at_once_agree_on_one_certificate(cluster: Cluster) -> None:
    await cluster.create(configuration(webhook_entry()))
    async with AsyncExitStack() as stack:
        replicas = [SelfSignedCertificate(cluster, PLACE, timing=QUICK) for _ in range(5)]
        for one in replicas:
            await stack.enter_async_context(one)
        await eventually(lambda: all(one.ready for one in replicas))

        bundle = await bundle_in(cluster)
        assert bundle.count("BEGIN CERTIFICATE") == 1
        assert all(is_served(one, bundle) for one in replicas)


async def test_an_empty_secret_that_was_installed_is_filled_and_keeps_its_labels(
    memory: MemoryCluster,
) -> None:
    await memory.create(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "namespace": SERVICE.namespace,
                "name": PLACE.secret.name,
                "labels": {"part-of": "us"},
            },
            "type": "Opaque",
        }
    )
    await memory.create(configuration(webhook_entry()))
    async with SelfSignedCertificate(memory, PLACE, timing=QUICK) as certificates:
        await eventually(lambda: certificates.ready)

    secret = await memory.get(PLACE.secret)
    assert isinstance(secret["metadata"], dict)
    assert secret["metadata"]["labels"] == {"part-of": "us"}


async def test_a_restart_uses_the_existing_certificate(memory: MemoryCluster) -> None:
    await memory.create(configuration(webhook_entry()))
    async with SelfSignedCertificate(memory, PLACE, timing=QUICK) as first:
        await eventually(lambda: first.ready)
    before = await state_in(memory)

    async with SelfSignedCertificate(memory, PLACE, timing=QUICK) as second:
        await eventually(lambda: second.ready)

    assert await state_in(memory) == before


async def test_a_configuration_that_is_applied_again_gets_its_bundle_back(
    memory: MemoryCluster,
) -> None:
    await memory.create(configuration(webhook_entry()))
    async with SelfSignedCertificate(memory, PLACE, timing=QUICK) as certificates:
        await eventually(lambda: certificates.ready)
        bundle = await bundle_in(memory)
        await memory.patch(MUTATING, {"webhooks": [webhook_entry(STRANGERS)]})
        async with asyncio.timeout(60):
            while await bundle_in(memory) != STRANGERS + bundle:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.005)


@pytest.mark.parametrize("what", ["emptied", "deleted", "damaged"])
async def test_a_damaged_secret_is_written_again(
    memory: MemoryCluster, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    await memory.create(configuration(webhook_entry()))
    async with SelfSignedCertificate(memory, PLACE, timing=QUICK) as certificates:
        await eventually(lambda: certificates.ready)
        before = await state_in(memory)
        if what == "deleted":
            await memory.delete(PLACE.secret)
        else:
            bad: JsonObject = dict.fromkeys(KEYS) if what == "emptied" else {"tls.crt": "eA=="}
            await memory.patch(PLACE.secret, {"data": bad})
        async with asyncio.timeout(60):
            while not await is_back(memory, before):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.005)

    assert bool(causes(caplog)) == (what == "damaged")


async def is_back(cluster: Cluster, state: RotationState) -> bool:
    try:
        return read_state(await cluster.get(PLACE.secret), SERVICE) == state
    except (NotFound, SetupError):
        return False


async def test_a_missing_configuration_is_logged(
    memory: MemoryCluster, caplog: pytest.LogCaptureFixture
) -> None:
    async with SelfSignedCertificate(memory, PLACE, timing=QUICK) as certificates:
        await eventually(lambda: certificates.ready and bool(causes(caplog)))

    assert len(causes(caplog)) == 1
    assert "webhook configuration hook does not call hook.ours" in causes(caplog)[0]


class NotAllowed(MemoryCluster):
    """A cluster that gives no right on some kinds."""

    def __init__(self, *kinds: str) -> None:
        super().__init__(namespaces=(SERVICE.namespace,))
        self.kinds = kinds

    async def get(self, ref: Ref) -> JsonObject:
        if ref.kind in self.kinds:
            raise Forbidden(f"get {ref}: 403 forbidden")
        return await super().get(ref)


async def test_a_missing_right_on_an_optional_configuration_is_ignored() -> None:
    cluster = NotAllowed(VALIDATING.kind)
    await cluster.create(configuration(webhook_entry()))
    async with SelfSignedCertificate(cluster, PLACE, timing=QUICK) as certificates:
        await eventually(lambda: certificates.ready)


@pytest.mark.parametrize("kind", ["Secret", MUTATING.kind])
async def test_a_missing_right_is_logged_once_and_the_step_is_done_when_it_is_granted(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = NotAllowed(kind)
    await cluster.create(configuration(webhook_entry()))
    async with SelfSignedCertificate(cluster, PLACE, timing=QUICK) as certificates:
        await eventually(lambda: bool(causes(caplog)))
        assert not certificates.ready
        assert "403 forbidden" in causes(caplog)[0]
        cluster.kinds = ()
        await eventually(lambda: certificates.ready)

    assert len(causes(caplog)) == 1


async def test_a_replica_that_has_not_read_for_long_is_not_ready_once_others_may_rotate(
    memory: MemoryCluster,
) -> None:
    now = 1_800_000_000.0
    await memory.create(configuration(webhook_entry()))
    certificates = SelfSignedCertificate(memory, PLACE, timing=QUICK, clock=lambda: now)
    while (await certificates.reconcile()).step is not None:
        pass
    assert certificates.ready

    now += QUICK.lifetime - QUICK.renew - 60
    assert certificates.ready
    now += 60
    assert not certificates.ready


async def test_a_rotation_goes_its_three_steps_and_leaves_one_authority(
    memory: MemoryCluster,
) -> None:
    now = 1_800_000_000.0
    await memory.create(configuration(webhook_entry(STRANGERS)))
    certificates = SelfSignedCertificate(memory, PLACE, timing=QUICK, clock=lambda: now)

    async def settled() -> tuple[int, str]:
        while (await certificates.reconcile()).step is not None:
            pass
        bundle = await bundle_in(memory)
        assert STRANGERS in bundle
        assert certificates.ready
        current = (await state_in(memory)).current
        assert current is not None
        assert current.ca in bundle
        return bundle.count("BEGIN CERTIFICATE") - 1, current.ca

    count, first = await settled()
    assert count == 1
    now += QUICK.lifetime - QUICK.renew
    assert await settled() == (2, first), "the new one is trusted, and not served yet"
    now += QUICK.settle + QUICK.skew
    count, second = await settled()
    assert count == 2, "the new one is served, and the old one still trusted"
    assert second != first
    now += QUICK.settle + QUICK.skew
    assert await settled() == (1, second), "the old one is gone"
