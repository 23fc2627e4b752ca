"""Who may do what: the truth table of the policy."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbmanager.access.policy import (
    MOST_JUMP,
    Act,
    Call,
    check_stored,
    namespace_for,
    pod_source,
)
from serving.access.callers import Anonymous, Manager, Person, Sidecar
from serving.access.refusals import PermissionDenied, Reason, Unauthenticated

SIDECAR = Sidecar(namespace="team-a", trial="trial-1", pod_uid="uid-1")
MANAGER = Manager(namespace="kubeflow", service_account="trialwatch-controller")
PERSON, ANONYMOUS = Person(token="t", cause="the issuer is another one"), Anonymous()
OWN, OTHERS = pod_source("uid-1", "x"), pod_source("uid-2", "x")


def call(
    act: Act = Act.REPORT,
    trial: str = "trial-1",
    namespace: str | None = "team-a",
    source: str = OWN,
    sequence: int = 1,
) -> Call:
    return Call(act=act, trial=trial, namespace=namespace, source=source, sequence=sequence)


@pytest.mark.parametrize(
    ("act", "trial", "namespace", "source"),
    list(
        product(
            Act, ("trial-1", "trial-2"), ("team-a", "team-b", "", None), (OWN, OTHERS, "mine", "")
        )
    ),
)
def test_a_sidecar_reports_for_its_trial_with_its_pods_sources_and_does_nothing_else(
    act: Act, trial: str, namespace: str | None, source: str
) -> None:
    asked = call(act, trial, namespace, source)
    its_own = (
        act is Act.REPORT and trial == "trial-1" and namespace in {"team-a", None} and source == OWN
    )
    if its_own:
        assert namespace_for(SIDECAR, asked) == "team-a"
        return
    with pytest.raises(PermissionDenied):
        namespace_for(SIDECAR, asked)


def test_a_source_of_a_pod_whose_uid_begins_alike_is_another_pods() -> None:
    with pytest.raises(PermissionDenied, match="not a source of the token's pod"):
        namespace_for(SIDECAR, call(source=pod_source("uid-11", "x")))


@pytest.mark.parametrize("act", Act)
def test_a_manager_may_do_everything_in_each_namespace(act: Act) -> None:
    assert namespace_for(MANAGER, call(act, namespace="team-b", source="")) == "team-b"
    assert namespace_for(MANAGER, call(act, namespace=None, source="")) is None


def test_a_person_may_read_in_a_namespace_and_do_nothing_else() -> None:
    assert namespace_for(PERSON, call(Act.READ, source="")) == "team-a"
    for act in (Act.REPORT, Act.DELETE):
        with pytest.raises(Unauthenticated, match="another one; users can only read"):
            namespace_for(PERSON, call(act, source=""))
    for namespace in (None, ""):
        with pytest.raises(PermissionDenied, match="send the trial's namespace"):
            namespace_for(PERSON, call(Act.READ, namespace=namespace, source=""))


@pytest.mark.parametrize("act", Act)
def test_without_a_token_a_trial_that_has_reported_with_one_is_out_of_reach(act: Act) -> None:
    asked = call(act, source="mine")
    assert namespace_for(ANONYMOUS, asked) == "team-a"
    check_stored(ANONYMOUS, asked, {"old": 3, "mine": 1})

    with pytest.raises(PermissionDenied, match="has reported with a token") as caught:
        check_stored(ANONYMOUS, asked, {"old": 3, OWN: 1})
    assert caught.value.reason is Reason.HAS_TOKENS


def test_without_a_token_no_source_of_a_pod_can_be_used() -> None:
    with pytest.raises(PermissionDenied, match="source of a pod"):
        namespace_for(ANONYMOUS, call(source=OWN))


@pytest.mark.parametrize("caller", [SIDECAR, MANAGER, ANONYMOUS])
def test_a_number_may_not_jump_too_far(caller: Sidecar | Manager | Anonymous) -> None:
    check_stored(caller, call(source="x", sequence=MOST_JUMP), {})
    check_stored(caller, call(source="x", sequence=MOST_JUMP + 5), {"x": 5})
    for sequence, known in (
        (MOST_JUMP + 1, {}),
        (2**63 - 1, {"x": 2**40}),
        (MOST_JUMP + 1, {"y": 9}),
    ):
        with pytest.raises(PermissionDenied, match="skips more than"):
            check_stored(caller, call(source="x", sequence=sequence), known)


NAMES = st.sampled_from(["", "trial-1", "trial-2"]) | st.text()
SOURCES = st.sampled_from([OWN, OTHERS, pod_source("uid-1"), pod_source("")]) | st.text()


@given(
    st.builds(Sidecar, namespace=st.just("team-a"), trial=NAMES, pod_uid=st.just("uid-1")),
    st.builds(
        Call,
        act=st.sampled_from(Act),
        trial=NAMES,
        namespace=st.none() | st.just("team-a") | st.text(),
        source=SOURCES,
    ),
)
def test_no_call_of_a_sidecar_leaves_its_trial(caller: Sidecar, asked: Call) -> None:
    try:
        used = namespace_for(caller, asked)
    except PermissionDenied:
        return
    assert (used, asked.trial, asked.act) == ("team-a", caller.trial, Act.REPORT)
    assert asked.source.startswith(pod_source("uid-1"))
