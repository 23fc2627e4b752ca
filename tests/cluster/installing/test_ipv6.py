"""All Services of trialwatch on IPv6 alone: the webhook, the search and the DB manager are reached."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import pytest

from tests.cluster.client import Cluster, Object
from tests.cluster.experiments import X, begun, searched
from tests.cluster.installation import NAMESPACE, install
from tests.cluster.settings import has_ipv6
from tests.cluster.trials import counted

pytestmark = pytest.mark.alone

SERVICES = ("katib-db-manager", "trialwatch-suggestion", "trialwatch-webhook")
STEPS = 3


@pytest.fixture
def _on_ipv6(cluster: Cluster) -> Iterator[None]:
    """Make the Services anew, because the family of a Service cannot change."""
    if not has_ipv6():
        pytest.skip("no IPv6: the kernel of this machine has none")
    try:
        for name in SERVICES:
            found = cluster.get("services", NAMESPACE, name)
            assert found is not None
            cluster.delete("services", NAMESPACE, name)
            cluster.create("services", NAMESPACE, on_ipv6(found))
        yield
    finally:
        for name in SERVICES:
            cluster.delete("services", NAMESPACE, name)
        install(cluster)


def on_ipv6(service: Object) -> Object:
    metadata, spec = service["metadata"], service["spec"]
    families = {"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv6"]}
    kept = {key: spec[key] for key in ("selector", "ports")}
    return {
        "metadata": {"name": metadata["name"], "labels": metadata["labels"]},
        "spec": {**kept, **families},
    }


@pytest.mark.usefixtures("_on_ipv6")
def test_an_experiment_runs_and_its_metrics_are_stored_over_ipv6(
    cluster: Cluster, namespace: str
) -> None:
    words = ("count", str(STEPS), "1", "print", f"x={X}")

    experiment = begun(cluster, namespace, searched("six", ["1", "2"], *words))
    status = experiment.end()["status"]

    addresses = [cluster.get("services", NAMESPACE, name) or {} for name in SERVICES]
    assert {ipaddress.ip_address(one["spec"]["clusterIP"]).version for one in addresses} == {6}
    assert status["trialsSucceeded"] == 2
    names = [trial["metadata"]["name"] for trial in experiment.trials()]
    assert experiment.rows(names) == dict.fromkeys(names, counted(STEPS))
