"""Hostile pods: every document gets a verdict with a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from api.documents import mapping_at
from api.types import JsonObject
from tests.webhook.golden_cluster import NAMESPACE, shared_cluster
from webhook.model.config import Config
from webhook.model.images import ImageCommand
from webhook.model.lookups import ObjectFound, ObjectLookup
from webhook.model.pods import read_metadata
from webhook.model.reasons import Reason
from webhook.model.verdicts import Inject, PodContext, PodRefused, Refuse, Skip
from webhook.pods.decide import decide
from webhook.pods.mutate import mutate
from webhook.pods.owners import MAX_DEPTH, MAX_LOOKUPS, find_owning_trial
from webhook.server.json_patch import patch_between

Pod = dict[str, Any]

_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(
        ["true", "file", "file-1", "mnist-1", "training", "trialwatch", "\ud800", "\0"]
    )
)
_anything = st.recursive(
    _scalars,
    lambda c: st.lists(c, max_size=2) | st.dictionaries(st.text(max_size=3), c, max_size=2),
)


def _mostly(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw a valid value, or sometimes any value."""
    return st.integers(0, 49).flatmap(lambda number: right if number else _anything)


def _some(parts: dict[str, Any], **needed: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw an object with all required parts and some of the others."""
    return st.fixed_dictionaries(
        {name: _mostly(part) for name, part in needed.items()},
        optional={name: _mostly(part) for name, part in parts.items()},
    )


_labels = st.sampled_from(
    [
        *({"katib.kubeflow.org/trial": name} for name in ("mnist-1", "file-1", "custom-1", "none")),
        {"trialwatch.dev/collect": "true"},
        {"a": "b"},
    ]
)
_annotations = _some(
    {
        f"trialwatch.dev/{word}": st.sampled_from(right)
        for word, right in {
            "trial": ["t"],
            "metrics": ["loss", ";;", "a;b"],
            "container": ["training"],
            "source": ["stdout", "file"],
            "path": ["/katib/x.log", "/", "//", "/dev/stdout", "/a/../b", "/run/trialwatch/x"],
            "format": ["TEXT", "JSON"],
            "filters": ["(a)=(b)", "(", "(a)"],
            "drain-seconds": ["0", "99999999999", "-1"],
            "wrap": ["true", "false"],
            "steps": ["on", "off", "false"],
            "reduce": ["rank0", "mean", "any", "sum"],
            "run-as-user": ["0", "1e3"],
            "resources": ['{"limits": {"cpu": 1}}', "{", "[]", '{"requests": 1}'],
        }.items()
    }
)
_owners = st.lists(
    _some(
        {
            "apiVersion": st.sampled_from(["batch/v1", "kubeflow.org/v1beta1", "a/b/c", "v1"]),
            "kind": st.sampled_from(["Job", "Trial", "Node", "Vault"]),
            "name": st.sampled_from(["mnist-1", "nightly-29", "x"]),
            "controller": st.booleans(),
        }
    ),
    max_size=1,
)
_containers = st.lists(
    _some(
        {
            "image": st.just("i"),
            "command": st.sampled_from([["a"], ["/run/trialwatch/launch", "run"], []]),
            "args": st.sampled_from([["a"], [], ["echo completed > x"]]),
            "env": st.lists(_some({"name": st.just("KATIB_TRIAL_NAME")}), max_size=2),
            "volumeMounts": st.lists(
                _some({"name": st.just("v"), "mountPath": st.sampled_from(["/katib", "", "x"])}),
                max_size=2,
            ),
            "resources": _some({"limits": _some({"cpu": st.just("1"), "memory": st.just("1G")})}),
            "securityContext": _some({"runAsUser": st.integers(-1, 50)}),
        },
        name=st.sampled_from(["training", "training", "metrics-logger-and-collector", "x"]),
    ),
    min_size=1,
    max_size=3,
)
hostile_pods = _some(
    {},
    metadata=_some(
        {"name": st.text(max_size=5), "annotations": _annotations, "ownerReferences": _owners},
        labels=_labels,
    ),
    spec=_some(
        {
            "initContainers": _containers,
            "volumes": st.lists(_some({"name": st.sampled_from(["v", "trialwatch"])}), max_size=3),
            "terminationGracePeriodSeconds": st.integers(-1, 50),
            "activeDeadlineSeconds": st.integers(-1, 50),
            "securityContext": _some({"runAsUser": st.integers(-1, 50)}),
            "os": _some({"name": st.sampled_from(["linux", "windows"])}),
            "nodeSelector": _some({"kubernetes.io/arch": st.just("arm64")}),
            "imagePullSecrets": st.lists(_some({"name": st.just("s")}), max_size=2),
        },
        containers=_containers,
    ),
)


@given(hostile_pods | _anything, st.sampled_from([None, ImageCommand(cmd=("x",))]))
def test_any_document_gets_a_verdict_with_a_sentence(pod: Pod, image: ImageCommand | None) -> None:
    verdict = shared_cluster(image).judge(pod)
    event(verdict.reason.value)

    if isinstance(verdict, Inject):
        assert verdict.plan.labels
        once = mutate(pod, verdict.plan)
        assert patch_between(pod, once)
        return
    assert isinstance(verdict, Skip | Refuse)
    assert verdict.reason.sentence in str(verdict)
    assert str(verdict).isprintable() or "\n" in str(verdict)


@pytest.mark.parametrize("place", ["metadata", "spec", "labels", "container", "env", "volumes"])
def test_a_very_deeply_nested_pod_gets_a_verdict(place: str) -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"x": deep}
    container: Pod = {"name": "training", "command": ["a"], "image": "i"}
    pod: Pod = {
        "metadata": {"labels": {"katib.kubeflow.org/trial": "mnist-1"}},
        "spec": {"containers": [container]},
    }
    match place:
        case "metadata" | "spec":
            pod[place]["x"] = deep
        case "labels":
            pod["metadata"]["labels"]["x"] = deep
        case "container":
            container["x"] = container["resources"] = deep
        case "env":
            container["env"] = [deep, {"name": deep}, {"name": "KATIB_TRIAL_NAME", "x": deep}]
        case _:
            pod["spec"]["volumes"] = [{"name": "v", "x": deep}]

    verdict = shared_cluster().judge(pod)

    if place == "labels":
        assert verdict.reason is Reason.POD_UNREADABLE
    else:
        assert isinstance(verdict, Inject)
        assert patch_between(pod, mutate(pod, verdict.plan))
    while deep:  # or Python itself would descend to free it
        deep = deep.popitem()[1]


def test_a_circle_of_owners_leads_to_no_trial() -> None:
    job: JsonObject = {"metadata": {"ownerReferences": [_reference("a")]}}

    assert _walked(_pod_of("a"), {"a": job}) == (1, None)


def test_an_endless_chain_of_owners_of_a_labelled_pod_is_refused() -> None:
    chain = {str(i): _pod_of(str(i + 1)) for i in range(100)}

    asked, refusal = _walked(_labelled(_pod_of("0")), chain)

    assert asked == MAX_DEPTH
    assert isinstance(refusal, Refuse)
    assert refusal.reason is Reason.LOOKUP_FAILED


def test_a_labelled_pod_with_a_thousand_owners_is_refused() -> None:
    pod: JsonObject = {"metadata": {"ownerReferences": [_reference(str(i)) for i in range(1000)]}}

    asked, refusal = _walked(_labelled(pod), {str(i): {} for i in range(1000)})

    assert asked == MAX_LOOKUPS
    assert isinstance(refusal, Refuse)


def test_a_pod_without_a_label_passes_after_as_many_look_ups() -> None:
    chain = {str(i): _pod_of(str(i + 1)) for i in range(100)}
    many: JsonObject = {"metadata": {"ownerReferences": [_reference(str(i)) for i in range(1000)]}}

    assert _walked(_pod_of("0"), chain) == (MAX_DEPTH, None)
    assert _walked(many, {str(i): {} for i in range(1000)}) == (MAX_LOOKUPS, None)


def test_a_huge_number_is_named_and_not_written_out() -> None:
    pod = json.loads('{"spec": {"terminationGracePeriodSeconds": 1e400}}')
    pod["spec"]["activeDeadlineSeconds"] = 10**5000
    pod["metadata"] = {"labels": {"trialwatch.dev/collect": "true"}}

    verdict = decide(pod, PodContext(namespace=NAMESPACE), None, Config())

    assert isinstance(verdict, Refuse)
    assert len(str(verdict)) < 1000


def _reference(name: str) -> JsonObject:
    return {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": "u"}


def _pod_of(name: str) -> JsonObject:
    return {"metadata": {"ownerReferences": [_reference(name)]}}


def _labelled(pod: JsonObject) -> JsonObject:
    labels: JsonObject = {"katib.kubeflow.org/trial": "mnist-1"}
    return {"metadata": {**mapping_at(pod, "metadata"), "labels": labels}}


def _walked(pod: JsonObject, objects: dict[str, JsonObject]) -> tuple[int, Refuse | None]:
    """Walk the owners; return the number of look-ups, and the refusal."""
    walk = find_owning_trial(read_metadata(pod), NAMESPACE)
    asked = 0
    try:
        wanted = next(walk)
        while True:
            assert isinstance(wanted, ObjectLookup)
            asked += 1
            wanted = walk.send(ObjectFound(objects[wanted.name]))
    except StopIteration:
        return asked, None
    except PodRefused as refused:
        return asked, refused.refusal
