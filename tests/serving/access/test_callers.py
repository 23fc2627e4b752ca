"""Which caller a token stands for."""

from __future__ import annotations

import pytest

from serving.access.callers import REPORT_LEEWAY, Manager, Managers, Sidecar, caller_of
from serving.access.refusals import Unauthenticated
from serving.tokens.verifier import CLOCK_SKEW, Expired, Identity

SIDECAR = Sidecar(namespace="team-a", trial="trial-1", pod_uid="uid-1")
MANAGER = Manager(namespace="kubeflow", service_account="trialwatch-controller")
NOW = 1000.0
MANAGERS = Managers(accounts=frozenset({"kubeflow/trialwatch-controller"}))


def identity(
    *audiences: str,
    namespace: str = "team-a",
    service_account: str = "default",
    pod_uid: str = "uid-1",
    expires: float = NOW,
) -> Identity:
    return Identity(
        audiences=audiences,
        namespace=namespace,
        service_account=service_account,
        pod_uid=pod_uid,
        expires=expires,
    )


def test_the_audience_of_a_trial_is_its_sidecar() -> None:
    found = caller_of(identity("trialwatch.dev/team-a/trial-1"), MANAGERS, now=NOW)

    assert found == SIDECAR


def test_the_audience_of_managers_is_a_manager_only_for_the_accounts_of_the_settings() -> None:
    controller = identity(
        "trialwatch.dev/manager", namespace="kubeflow", service_account="trialwatch-controller"
    )
    assert caller_of(controller, MANAGERS, now=NOW) == MANAGER

    for namespace, account in (("team-a", "trialwatch-controller"), ("kubeflow", "default")):
        pretender = identity("trialwatch.dev/manager", namespace=namespace, service_account=account)
        with pytest.raises(Unauthenticated, match="is not a manager"):
            caller_of(pretender, MANAGERS, now=NOW)


def test_an_audience_of_another_program_is_no_caller_of_ours() -> None:
    assert caller_of(identity("https://kubernetes.default.svc"), MANAGERS, now=NOW) is None
    assert caller_of(identity(), MANAGERS, now=NOW) is None


@pytest.mark.parametrize(
    "wrong",
    [
        identity("trialwatch.dev/team-b/trial-1"),
        identity("trialwatch.dev/team-a/trial-1", "trialwatch.dev/team-a/trial-2"),
        identity("trialwatch.dev/team-a/trial-1", "trialwatch.dev/manager"),
        identity("trialwatch.dev/team-a/trial-1", pod_uid=""),
        identity("trialwatch.dev/team-a"),
        identity("trialwatch.dev/team-a/"),
        identity("trialwatch.dev//trial-1"),
        identity("trialwatch.dev/"),
    ],
)
def test_an_audience_that_the_webhook_never_writes_is_refused(wrong: Identity) -> None:
    with pytest.raises(Unauthenticated):
        caller_of(wrong, MANAGERS, now=NOW)


def test_a_sidecars_token_reports_for_an_hour_after_its_end_and_a_managers_does_not() -> None:
    sidecar = identity("trialwatch.dev/team-a/trial-1")
    manager = identity(
        "trialwatch.dev/manager", namespace="kubeflow", service_account="trialwatch-controller"
    )
    assert caller_of(sidecar, MANAGERS, now=NOW + REPORT_LEEWAY) == SIDECAR
    assert caller_of(manager, MANAGERS, now=NOW + CLOCK_SKEW) == MANAGER
    with pytest.raises(Expired):
        caller_of(sidecar, MANAGERS, now=NOW + REPORT_LEEWAY + 1)
    with pytest.raises(Expired):
        caller_of(manager, MANAGERS, now=NOW + CLOCK_SKEW + 1)
