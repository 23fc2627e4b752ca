"""Every request gets a well-formed response with its uid, or a 4xx: never a 5xx, never a trace."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.types import JsonObject
from kube.testing.memory import MemoryCluster
from tests.webhook.pod_strategies import pods
from tests.webhook.running_webhook import Answer, Webhook, asked, webhook
from tests.webhook.trial_objects import team
from webhook.model.reasons import Reason
from webhook.model.verdicts import Refuse
from webhook.server.admission_review import InvalidReview
from webhook.server.http import MOST_BYTES
from webhook.server.pod_admission import read_pod_admission, response_to


@pytest.fixture
async def running() -> AsyncIterator[Webhook]:
    memory = MemoryCluster(namespaces=("team",))
    await team(memory)
    async with webhook(memory) as running:
        yield running


def review(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any wrong value
    return {**asked({"metadata": {"name": "p"}, "spec": {"containers": []}}), **changes}


def request(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - the same
    whole: Any = review()
    return {**whole, "request": {**whole["request"], **changes}}


def without(key: str) -> dict[str, Any]:
    whole: Any = review()
    del whole["request"][key]
    return dict(whole)


DEEP = '{"a":' * 100_000 + "1" + "}" * 100_000


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"null", "not an AdmissionReview"),
        (b"[]", "not an AdmissionReview"),
        (b"3", "not an AdmissionReview"),
        (b'{"kind": "AdmissionReview"', "not JSON"),
        (b'{"kind": "AdmissionReview", "a": 1' + b"0" * 5000 + b"}", "not JSON"),
        (DEEP.encode(), "nested too deeply"),
        (b"[" * 1_000_000, "nested too deeply"),
        (review(kind="Pod"), "not an AdmissionReview"),
        (review(kind=None), "not an AdmissionReview"),
        (
            review(apiVersion="admission.k8s.io/v1beta1"),
            r"set admissionReviewVersions .* to \[v1\]",
        ),
        (review(apiVersion=["admission.k8s.io/v1"]), "must be admission.k8s.io/v1"),
        (review(request=None), "request is missing"),
        (review(request=[]), "request is missing"),
        ({**review(request=None), "response": {"uid": "u", "allowed": True}}, "is a response"),
        (without("uid"), "request.uid is"),
        (request(uid=""), "request.uid is"),
        (request(uid=3), "request.uid is"),
        (request(uid={}), "request.uid is"),
        (request(uid="x" * 257), "request.uid is"),
        (without("operation"), "only the creation of pods"),
        (request(operation="UPDATE"), "only the creation of pods"),
        (request(operation=["CREATE"]), "only the creation of pods"),
        (without("resource"), "only the creation of pods"),
        (request(resource="pods"), "only the creation of pods"),
        (request(resource={"group": "apps", "version": "v1", "resource": "pods"}), "apps/v1/pods"),
        (request(resource={"group": [], "version": {}, "resource": 3}), "only the creation"),
        (request(subResource="exec"), "only the creation of pods"),
    ],
)
async def test_a_request_that_is_not_a_review_of_a_new_pod_is_refused_with_the_remedy(
    running: Webhook, body: bytes | JsonObject, says: str
) -> None:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()

    answer = await running.post(sent)

    assert answer.status == 400
    assert len(answer.text) < 1000
    with pytest.raises(InvalidReview, match=says):
        read_pod_admission(sent)
    assert await running.metric("trialwatch_webhook_rejected_requests_total", code="400") == 1


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "pod",
        3,
        {},
        {"metadata": None, "spec": None},
        {"metadata": {"ownerReferences": "me"}},
        {"metadata": {"ownerReferences": [{"kind": "Trial"}]}},
        {"metadata": {"ownerReferences": [{"kind": "../../x", "apiVersion": "..", "name": ".."}]}},
        {"metadata": {"ownerReferences": [{"kind": "Job", "apiVersion": "batch/v1", "name": ""}]}},
        {"metadata": {"labels": {"katib.kubeflow.org/trial": "../secrets/x"}}},
        {"metadata": {"labels": {"katib.kubeflow.org/trial": "mnist-1"}}, "spec": 3},
        {"metadata": {"labels": {"trialwatch.dev/collect": ["true"]}}},
        {"metadata": {"labels": {"trialwatch.dev/collect": "yes"}}},
        {"metadata": {"labels": {"\ud800": "\udfff"}}},
    ],
)
async def test_an_odd_pod_gets_an_answer(running: Webhook, document: object) -> None:
    response = await running.review(document)

    assert response["allowed"] or response["status"]["message"].startswith("trialwatch (")


async def test_a_request_without_namespace_and_name_gets_an_answer(running: Webhook) -> None:
    for fields in ({"namespace": None}, {"namespace": 3, "name": []}, {"dryRun": "yes"}):
        await running.review({"metadata": {"labels": {"katib.kubeflow.org/trial": "x"}}}, **fields)


@pytest.mark.parametrize("depth", [100, 300, 900, 2_000, 50_000])
async def test_a_very_deeply_nested_pod_gets_an_answer(running: Webhook, depth: int) -> None:
    deep = '{"a":' * depth + "1" + "}" * depth
    text = json.dumps(
        {
            "metadata": {"labels": {"katib.kubeflow.org/trial": "mnist-1"}},
            "spec": {"containers": [{"name": "training", "command": ["x"], "resources": "DEEP"}]},
        }
    )
    body = json.dumps(asked("POD")).replace('"POD"', text).replace('"DEEP"', deep)

    _check(await running.post(body.encode()), "uid-1")


async def test_a_body_that_is_too_large_is_refused(running: Webhook) -> None:
    answer = await running.post(b'{"a": "' + b"x" * MOST_BYTES + b'"}')

    assert answer.status == 413


async def test_a_pod_as_large_as_an_object_can_be_gets_an_answer(running: Webhook) -> None:
    environment = [{"name": f"E{number}", "value": "x" * 1000} for number in range(1500)]
    training = {"name": "training", "command": ["x"], "env": environment}
    response = await running.review(
        {
            "metadata": {"labels": {"katib.kubeflow.org/trial": "mnist-1"}},
            "spec": {"containers": [training]},
        }
    )

    assert response["allowed"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/yaml", "", "application"])
async def test_a_request_with_another_content_type_is_refused(
    running: Webhook, content_type: str
) -> None:
    assert (await running.post(b"{}", content_type=content_type)).status == 415


async def test_a_request_that_never_arrives_times_out() -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b'{"apiVersion": '
        await asyncio.Event().wait()

    async with webhook(read_seconds=0.05) as running:
        headers = {"Content-Type": "application/json"}
        url = f"{running.url}/mutate-pod"
        async with running.session.post(url, data=half(), headers=headers) as answer:
            assert answer.status == 408


async def test_other_paths_and_methods_are_refused(running: Webhook) -> None:
    assert (await running.get("/mutate-pod")).status == 405
    assert (await running.get("/")).status == 404
    assert (await running.get("/mutate-pod/../metrics/..")).status == 404


@pytest.mark.parametrize("within", ["", "s", "-1s", "0s", "nan", "1e99s", "3600s", "10s&timeout=1"])
async def test_an_odd_time_limit_counts_as_none(running: Webhook, within: str) -> None:
    response = await running.review({"metadata": {}, "spec": {}}, within=within)

    assert response["allowed"]


# --- drawn requests ---

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=10,
)
_places = st.sampled_from(
    [
        "kind",
        "apiVersion",
        "request",
        "uid",
        "resource",
        "operation",
        "namespace",
        "name",
        "object",
        "metadata",
        "labels",
        "annotations",
        "ownerReferences",
        "spec",
        "containers",
        "initContainers",
        "volumes",
        "env",
        "command",
        "args",
        "volumeMounts",
        "securityContext",
    ]
)


@st.composite
def spoilt(draw: st.DrawFn) -> Any:  # noqa: ANN401 - any JSON
    """Draw a review of a trial's pod, and replace some values by anything."""
    whole = json.loads(json.dumps(asked(draw(pods()))))
    for key in draw(st.lists(_places, max_size=3)):
        _put(whole, key, draw(_json))
    return whole


def _put(document: Any, key: str, value: object) -> None:  # noqa: ANN401 - any JSON
    if isinstance(document, dict):
        if key in document:
            document[key] = value
            return
        for part in document.values():
            _put(part, key, value)
    elif isinstance(document, list):
        for part in document:
            _put(part, key, value)


@given(body=st.binary(max_size=200) | _json.map(lambda one: json.dumps(one).encode()))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        read_pod_admission(body)
    except InvalidReview as error:
        assert len(str(error)) < 1000  # noqa: PT017 - it may be one or the other


@given(document=spoilt())
def test_any_review_gets_an_answer_with_its_uid(document: Any) -> None:  # noqa: ANN401 - any JSON
    try:
        admission = read_pod_admission(json.dumps(document).encode())
    except InvalidReview:
        return
    response = json.loads(response_to(admission, Refuse(Reason.POD_UNREADABLE, "x")))["response"]
    assert response["uid"] == admission.uid == document["request"]["uid"]


async def test_a_spoilt_review_over_http_gets_an_answer_or_a_4xx(
    running: Webhook,
) -> None:
    """The same through the whole server; hypothesis draws before the event loop runs."""
    drawn: list[Any] = []

    @given(document=spoilt())
    def draw(document: Any) -> None:  # noqa: ANN401 - any JSON
        drawn.append(document)

    draw()
    for document in drawn:
        sent = json.dumps(document).encode()
        _check(await running.post(sent), _uid_of(document))
    assert await running.metric("trialwatch_webhook_faults_total") == 0


def _uid_of(document: Any) -> Any:  # noqa: ANN401 - any JSON
    asked_for = document.get("request")
    return asked_for.get("uid") if isinstance(asked_for, dict) else None


def _check(answered: Answer, uid: object) -> None:
    assert "Traceback" not in answered.text
    if answered.status == 200:
        response = json.loads(answered.text)["response"]
        assert response["uid"] == uid
        assert response.get("status", {}).get("code") != 500, response
    else:
        assert 400 <= answered.status < 500, answered
