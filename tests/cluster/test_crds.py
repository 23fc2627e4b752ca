"""The CRDs in a real API server: it takes them, and refuses alone what our own rules refuse.

They are tried in a group of the tests' own, which no webhook is asked about. Nothing is kept but
the CRDs themselves: all else is a dry run, or is deleted again.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from functools import partial

import pytest

from api.types import Json
from manifests.schema.documents import EXPERIMENT, KINDS, SUGGESTION, TRIAL, Kind, document, schema
from tests.cluster.client import Cluster, Object, RefusedError, until
from tests.manifests.crd_admission import complaints
from tests.manifests.user_mistakes import MISTAKES, OBJECTS, SEED, Change, spoilt

GROUP = "crds.trialwatch.test"
PLURALS = {kind.kind: f"tried-{kind.plural}" for kind in KINDS}
NAMESPACE = "default"


def path(kind: str) -> str:
    return f"/apis/{GROUP}/v1beta1/namespaces/{NAMESPACE}/{PLURALS[kind]}"


def in_our_group(kind: Kind) -> Object:
    """Return a CRD as the manifests have it, but for its group and its words for kubectl.

    Else `kubectl get experiment` would show those of this group, beside us and after us.
    """
    written = document(kind)
    parts = written["spec"]
    assert isinstance(parts, dict)
    plural = PLURALS[kind.kind]
    words: dict[str, Json] = {
        "kind": kind.kind,
        "listKind": f"{kind.kind}List",
        "plural": plural,
        "singular": plural.removesuffix("s"),
    }
    name: dict[str, Json] = {"name": f"{plural}.{GROUP}"}
    return {**written, "metadata": name, "spec": {**parts, "group": GROUP, "names": words}}


@pytest.fixture(scope="module", autouse=True)
def _crds(cluster: Cluster) -> None:
    cluster.kubectl(
        *("apply", "--server-side", "--force-conflicts", "--filename=-"),
        objects=[in_our_group(kind) for kind in KINDS],
    )
    for plural in PLURALS.values():
        cluster.kubectl("wait", "--for=condition=Established", f"crd/{plural}.{GROUP}")
        # It says so a moment before it is so.
        until("the API to be served", partial(_served, cluster, plural))


def _served(cluster: Cluster, plural: str) -> bool:
    try:
        cluster.request("GET", f"/apis/{GROUP}/v1beta1/{plural}")
    except RefusedError:
        return False
    return True


def tried(cluster: Cluster, sample: Object) -> Object:
    """Create an object, but for keeping it."""
    sample = copy.deepcopy(sample)
    sample.get("metadata", {}).pop("namespace", None)
    kind = str(sample["kind"])
    body = {**sample, "apiVersion": f"{GROUP}/v1beta1"}
    return cluster.request("POST", path(kind), body, dryRun="All")


@pytest.mark.parametrize("name", OBJECTS)
def test_a_good_object_is_taken(cluster: Cluster, name: str) -> None:
    assert tried(cluster, dict(OBJECTS[name]))["kind"] == OBJECTS[name]["kind"]


@pytest.mark.parametrize("change", [m[1] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_refused_as_our_stand_in_for_the_server_refuses_it(
    cluster: Cluster, change: Change
) -> None:
    mistaken = spoilt(change)

    with pytest.raises(RefusedError) as refused:
        tried(cluster, mistaken)

    assert refused.value.status == 422
    for complaint in complaints(schema(EXPERIMENT), mistaken):
        assert complaint.path in refused.value.message


@pytest.fixture
def experiment(cluster: Cluster) -> Iterator[str]:
    """An experiment that is there, and of which there are 3 trials."""
    name = f"edited-{os.getpid()}"
    body = {**SEED, "apiVersion": f"{GROUP}/v1beta1", "metadata": {"name": name}}
    cluster.request("POST", path(EXPERIMENT.kind), body)
    where = f"{path(EXPERIMENT.kind)}/{name}"
    cluster.request("PATCH", f"{where}/status", {"status": {"trials": 3, "completionTime": None}})
    yield where
    cluster.request("DELETE", where)


def test_the_counts_of_an_experiment_may_be_changed(cluster: Cluster, experiment: str) -> None:
    counts = {"maxTrialCount": 40, "parallelTrialCount": 7, "maxFailedTrialCount": 9}

    changed = cluster.request("PATCH", experiment, {"spec": counts})

    assert counts.items() <= changed["spec"].items()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"maxTrialCount": 3, "parallelTrialCount": 1}, "must be greater than status.trials"),
        ({"objective": {"goal": 0.5}}, "are editable"),
        ({"trialTemplate": {"trialSpec": {"metadata": {"labels": {"a": "b"}}}}}, "are editable"),
    ],
)
def test_all_else_stays(cluster: Cluster, experiment: str, changed: Object, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        cluster.request("PATCH", experiment, {"spec": changed})


def test_a_field_of_a_newer_program_stays_in_the_status(cluster: Cluster, experiment: str) -> None:
    cluster.request("PATCH", f"{experiment}/status", {"status": {"newField": {"a": 1}}})

    assert cluster.request("GET", experiment)["status"]["newField"] == {"a": 1}


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        (EXPERIMENT, "NAME TYPE STATUS AGE"),
        (SUGGESTION, "NAME TYPE STATUS REQUESTED ASSIGNED AGE"),
        (TRIAL, "NAME TYPE STATUS AGE"),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_kubectl_shows_katibs_columns(cluster: Cluster, kind: Kind, columns: str) -> None:
    sample = next(one for one in OBJECTS.values() if one["kind"] == kind.kind)
    name = f"shown-{os.getpid()}"
    body = {**sample, "apiVersion": f"{GROUP}/v1beta1", "metadata": {"name": name}}
    cluster.request("POST", path(kind.kind), body)
    try:
        where = (f"{kind.singular}.{GROUP}", name, f"--namespace={NAMESPACE}")
        shown = cluster.kubectl("get", *where)
    finally:
        cluster.request("DELETE", f"{path(kind.kind)}/{name}")

    assert shown.splitlines()[0].split() == columns.split()
