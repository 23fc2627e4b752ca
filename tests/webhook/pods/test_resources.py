"""The sidecar's resources: quantities, defaults, and a pod's class of service."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import UserError
from api.installation.containers import Resources, quantity
from webhook.model.pods import Container, Pod
from webhook.pods.qos import guaranteed
from webhook.pods.resources import resources_for


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", "1"),
        ("500m", "0.5"),
        ("100n", "1e-7"),
        ("1.5Gi", "1610612736"),
        ("2Ei", "2305843009213693952"),
        (".5k", "500"),
        ("1.", "1"),
        ("1e3", "1000"),
        ("2E-2", "0.02"),
        ("1E", "1e18"),
        ("-3M", "-3e6"),
        ("+1", "1"),
        ("0", "0"),
    ],
)
def test_a_quantity_has_kubernetes_meaning(text: str, value: str) -> None:
    assert quantity(text) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", "m", "1 Gi", "1gi", "1e", "0x1", "nan", "١", "1e999", "1" * 99]
)
def test_a_text_that_is_not_a_quantity_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is not a quantity; write it like"):
        quantity(text)


@pytest.mark.parametrize(
    ("wanted", "requests", "limits"),
    [
        (Resources(), {"cpu": "20m", "memory": "64Mi"}, {"cpu": "500m", "memory": "256Mi"}),
        (
            Resources(requests={"cpu": "0", "x/gpu": "1"}, limits={"x/gpu": "1"}),
            {"cpu": "20m", "memory": "64Mi", "x/gpu": "1"},
            {"cpu": "500m", "memory": "256Mi", "x/gpu": "1"},
        ),
        (  # a negative quantity takes the key away
            Resources(requests={"cpu": "-1", "memory": "-1"}, limits={"cpu": "-1"}),
            {},
            {"memory": "256Mi"},
        ),
        (  # a default gives way
            Resources(requests={"cpu": "2"}, limits={"memory": "32Mi"}),
            {"cpu": "2", "memory": "32Mi"},
            {"cpu": "2", "memory": "32Mi"},
        ),
    ],
)
def test_a_missing_resource_gets_its_default(
    wanted: Resources, requests: dict[str, str], limits: dict[str, str]
) -> None:
    made = resources_for(wanted, guaranteed=False)

    assert made.get("requests", {}) == requests
    assert made.get("limits", {}) == limits


def test_a_request_above_its_limit_is_refused_where_both_were_chosen() -> None:
    wanted = Resources(requests={"memory": "2Gi"}, limits={"memory": "1G"})

    with pytest.raises(UserError, match=r"for memory \(2Gi\) is above its limit \(1G\)"):
        resources_for(wanted, guaranteed=False)


@pytest.mark.parametrize(
    ("wanted", "fixed"),
    [
        (Resources(), {"cpu": "100m", "memory": "64Mi"}),
        (Resources(requests={"cpu": "-1", "memory": "0"}), {"cpu": "100m", "memory": "64Mi"}),
        (Resources(requests={"cpu": "50m"}), {"cpu": "50m", "memory": "64Mi"}),
        (
            Resources(requests={"cpu": "50m"}, limits={"cpu": "200m", "memory": "128Mi"}),
            {"cpu": "200m", "memory": "128Mi"},
        ),
    ],
)
def test_the_sidecar_of_a_guaranteed_pod_reserves_little(
    wanted: Resources, fixed: dict[str, str]
) -> None:
    """A trainer of half a CPU must not need twice its CPU because of its sidecar."""
    made = resources_for(wanted, guaranteed=True)

    assert made == {"requests": fixed, "limits": fixed}


_quantities = st.dictionaries(
    st.sampled_from(["cpu", "memory", "ephemeral-storage"]),
    st.sampled_from(["-1", "0", "10m", "1", "1Gi"]),
)


@given(_quantities, _quantities)
def test_in_a_guaranteed_pod_requests_equal_limits(
    requests: dict[str, str], limits: dict[str, str]
) -> None:
    try:
        made = resources_for(Resources(requests=requests, limits=limits), guaranteed=True)
    except UserError:
        return

    sidecar = Container(
        name="sidecar", requests=mapping(made["requests"]), limits=mapping(made["limits"])
    )
    assert guaranteed(Pod(containers=(sidecar,)))


@given(_quantities, _quantities)
def test_no_request_is_above_its_limit(requests: dict[str, str], limits: dict[str, str]) -> None:
    try:
        made = resources_for(Resources(requests=requests, limits=limits), guaranteed=False)
    except UserError:
        return

    least, most = mapping(made.get("requests", {})), mapping(made.get("limits", {}))
    assert all(quantity(least[name]) <= quantity(most[name]) for name in least.keys() & most.keys())


def mapping(value: object) -> dict[str, str]:
    assert isinstance(value, dict)
    return value


FULL = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("containers", "expected"),
    [
        ([Container(name="a", limits=FULL, requests={"cpu": "1000m", "memory": "1024Mi"})], True),
        ([Container(name="a", limits=FULL)], True),
        ([Container(name="a", limits=FULL), Container(name="b")], False),
        ([Container(name="a", limits=FULL, requests={"cpu": "1m"})], False),
        ([Container(name="a", limits={"cpu": "1"})], False),
        ([Container(name="a", limits={"cpu": "0", "memory": "1"})], False),
        ([Container(name="a", limits={"cpu": "x", "memory": "1"})], False),
        ([Container(name="a", limits=FULL), Container(name="metrics-logger-and-collector")], True),
    ],
)
def test_a_pod_is_guaranteed_if_all_containers_but_the_collector_are(
    containers: list[Container], *, expected: bool
) -> None:
    assert guaranteed(Pod(containers=tuple(containers))) is expected
    assert guaranteed(Pod(init_containers=tuple(containers))) is expected
