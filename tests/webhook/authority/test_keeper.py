"""Replicas keep the Secrets, over a cluster in memory."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from api.errors import Unavailable
from api.types import JsonObject
from kube.errors import Conflict
from tests.polling import beside, eventually
from tests.webhook.authority.authority_secrets import (
    DAY,
    SERVICE,
    TARGET,
    YEAR,
    Installation,
)
from webhook.authority.keeper import secret_of


@pytest.fixture
async def installed() -> Installation:
    installation = Installation()
    await installation.install()
    return installation


async def test_empty_secrets_are_filled_and_keep_their_labels(installed: Installation) -> None:
    replica = installed.replica()

    await replica.reconcile()

    bundle = replica.bundle_for("store.ours")
    assert bundle.count("BEGIN CERTIFICATE") == 1
    assert await installed.texts(secret_of(SERVICE)) | {"ca.crt": bundle} == await installed.texts(
        secret_of(SERVICE)
    )
    assert await installed.is_trusted_by(bundle)
    for name in (TARGET.secret, secret_of(SERVICE)):
        metadata = (await installed.secret(name))["metadata"]
        assert isinstance(metadata, dict)
        assert metadata["labels"] == {"mine": "yes"}


async def test_the_services_secret_never_has_the_key_of_an_authority(
    installed: Installation,
) -> None:
    await installed.replica().reconcile()

    authority = await installed.texts(TARGET.secret)
    served = await installed.texts(secret_of(SERVICE))

    assert served.keys() == {"tls.crt", "tls.key", "ca.crt"}
    assert authority["ca.key"] not in served.values()


@pytest.mark.parametrize("host", ["other.ours", "store", "store.theirs", ""])
async def test_other_hosts_get_no_authorities(installed: Installation, host: str) -> None:
    replica = installed.replica()
    await replica.reconcile()

    assert bool(replica.bundle_for(host)) == (host == "store")


async def test_replicas_that_start_at_once_agree_on_one_authority(
    installed: Installation,
) -> None:
    replicas = [installed.replica() for _ in range(5)]
    async with beside(*(one.run() for one in replicas)):
        await eventually(lambda: not any(one.trouble for one in replicas))

    assert len({one.bundle_for("store.ours") for one in replicas}) == 1


async def test_nothing_is_written_while_nothing_is_due(installed: Installation) -> None:
    await installed.replica().reconcile()
    before = [await installed.secret(name) for name in (TARGET.secret, secret_of(SERVICE))]

    installed.now += 59 * DAY
    await installed.replica().reconcile()

    after = [await installed.secret(name) for name in (TARGET.secret, secret_of(SERVICE))]
    assert after == before


async def test_a_certificate_is_renewed_a_month_early_under_the_same_authority(
    installed: Installation,
) -> None:
    replica = installed.replica()
    await replica.reconcile()
    bundle, first = replica.bundle_for("store"), await installed.texts(secret_of(SERVICE))

    installed.now += 60 * DAY
    await replica.reconcile()

    second = await installed.texts(secret_of(SERVICE))
    assert first["tls.crt"] != second["tls.crt"]
    assert replica.bundle_for("store") == bundle
    await installed.check_signed_by(bundle)


async def test_a_pod_younger_than_a_year_trusts_what_is_served_whatever_is_renewed(
    installed: Installation,
) -> None:
    """Simulates forty years in steps of a month, with restarts of the replicas."""
    bundles: list[tuple[float, str]] = []
    replicas = [installed.replica(), installed.replica()]
    seen = set()
    for month in range(40 * 12):
        replicas[month % 2] = installed.replica()  # it was restarted
        for one in replicas:
            await one.reconcile()
        bundle = replicas[0].bundle_for("store")
        seen.add(bundle)
        bundles = [entry for entry in bundles if installed.now - entry[0] <= YEAR - 30 * DAY]
        bundles.append((installed.now, bundle))
        for known in {text for _, text in bundles}:
            await installed.check_signed_by(known)
        installed.now += 30 * DAY
    assert max(one.count("BEGIN CERTIFICATE") for one in seen) == 2
    assert len(seen) >= 9


async def test_a_replica_writes_back_authorities_that_were_deleted(
    installed: Installation,
) -> None:
    replica = installed.replica()
    await replica.reconcile()
    before = await installed.texts(TARGET.secret)
    await installed.overwrite(TARGET.secret)

    await replica.reconcile()

    assert await installed.texts(TARGET.secret) == before


@pytest.mark.parametrize("key", ["ca_crt", "ca_key"])
async def test_a_damaged_secret_of_the_authorities_is_written_anew(
    installed: Installation, key: str
) -> None:
    replica = installed.replica()
    await replica.reconcile()
    before = await installed.texts(TARGET.secret)
    await installed.overwrite(TARGET.secret, **{key: "nonsense"})

    await replica.reconcile()

    assert await installed.texts(TARGET.secret) == before


@pytest.mark.parametrize(
    "texts", [{}, {"tls_crt": "x"}, {"tls_crt": "x", "tls_key": "y", "ca_crt": "z"}]
)
async def test_a_damaged_certificate_is_replaced(
    installed: Installation, texts: dict[str, str]
) -> None:
    replica = installed.replica()
    await replica.reconcile()
    await installed.overwrite(secret_of(SERVICE), **texts)

    await replica.reconcile()

    assert await installed.is_trusted_by(replica.bundle_for("store"))


async def test_a_certificate_of_a_strange_authority_is_replaced(installed: Installation) -> None:
    replica, other = installed.replica(), Installation()
    await replica.reconcile()
    await other.install()
    await other.replica().reconcile()
    theirs = await other.texts(secret_of(SERVICE))
    await installed.overwrite(
        secret_of(SERVICE), **{key.replace(".", "_"): text for key, text in theirs.items()}
    )

    await replica.reconcile()

    bundle = replica.bundle_for("store")
    assert await installed.is_trusted_by(bundle)
    with pytest.raises(ssl.SSLError):
        await installed.is_trusted_by(theirs["ca.crt"])


async def test_without_its_secrets_it_says_what_to_do_and_is_not_ready() -> None:
    installation = Installation()
    replica = installation.replica()

    with pytest.raises(Unavailable, match="Secret ours/ca is missing: apply the manifests again"):
        await replica.reconcile()

    async with beside(replica.run()):
        await eventually(lambda: "apply the manifests" in replica.trouble)
        assert replica.bundle_for("store") == ""


async def test_a_replica_that_is_ready_stays_ready_while_the_cluster_is_away(
    installed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica = installed.replica()
    async with beside(replica.run()):
        await eventually(lambda: not replica.trouble)

    async def away(_: object) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(installed.cluster, "get", away)
    async with beside(replica.run()):
        await asyncio.sleep(0.05)

    assert replica.trouble == ""
    assert replica.bundle_for("store")


async def test_a_write_that_came_too_late_changes_nothing(installed: Installation) -> None:
    first, second = installed.replica(), installed.replica()
    await first.reconcile()
    stale = await installed.secret(TARGET.secret)
    await installed.overwrite(TARGET.secret)

    with pytest.raises(Conflict):
        await installed.cluster.replace(stale)
    await second.reconcile()
    await first.reconcile()

    assert second.bundle_for("store") == first.bundle_for("store")


async def test_a_secret_that_cert_manager_keeps_is_left_to_it(installed: Installation) -> None:
    replica = installed.replica()
    await replica.reconcile()
    before = await installed.texts(TARGET.secret)
    document = await installed.secret(TARGET.secret)
    metadata: JsonObject = document["metadata"]  # type: ignore[assignment]  # an object
    theirs = {"cert-manager.io/certificate-name": "trialwatch-ca"}
    changed = {**document, "metadata": {**metadata, "annotations": theirs}, "data": {}}
    await installed.cluster.replace(changed)

    with pytest.raises(Unavailable, match="belongs to cert-manager's Certificate trialwatch-ca"):
        await replica.reconcile()

    assert before
    assert await installed.texts(TARGET.secret) == {}
