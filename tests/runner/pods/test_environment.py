"""The environment of a container on this machine."""

from __future__ import annotations

import pytest

from runner.pods.environment import environment_of

MLFLOW = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:6787"}


def test_a_variable_of_the_pod_overrides_that_of_the_machine() -> None:
    assert environment_of({"A": "pod"}, {"A": "machine", "B": "b"}) == {"A": "pod", "B": "b"}


@pytest.mark.parametrize(
    ("machine", "exceptions"),
    [
        ({}, {}),
        ({"https_proxy": "http://proxy:1"}, {}),
        ({"http_proxy": "http://proxy:1"}, {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}),
        ({"ALL_PROXY": "socks5://p:1", "no_proxy": "a, 127.0.0.1"}, {"NO_PROXY": "a, 127.0.0.1"}),
        ({"http_proxy": "http://proxy:1", "NO_PROXY": ""}, {"no_proxy": "127.0.0.1"}),
        ({"no_proxy": "a"}, {"NO_PROXY": "a,127.0.0.1", "no_proxy": "a,127.0.0.1"}),
        (
            {"no_proxy": "a", "NO_PROXY": "b"},
            {"NO_PROXY": "b,127.0.0.1", "no_proxy": "a,127.0.0.1"},
        ),
    ],
)
def test_a_trainer_with_mlflow_does_not_ask_a_proxy_for_the_sidecar(
    machine: dict[str, str], exceptions: dict[str, str]
) -> None:
    assert environment_of(MLFLOW, machine) == {**machine, **MLFLOW, **exceptions}


def test_without_mlflow_the_proxies_of_the_machine_stay_as_they_are() -> None:
    machine = {"http_proxy": "http://proxy:1"}
    assert environment_of({}, machine) == machine
