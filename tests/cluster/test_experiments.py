"""Experiments as a user applies them: what is told, filled in, and kept from being changed."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from tests.cluster.client import Cluster, Object, RefusedError
from tests.cluster.deployments import WEBHOOK, scale
from tests.manifests.user_mistakes import SEED, Change, both, spec

FINALIZER = "trialwatch.test/held"


def experiment(name: str, *changes: Change) -> Object:
    """Return a sparse experiment, with these changes; it never has a trial."""
    document = copy.deepcopy(SEED)
    document["metadata"] = {"name": name}
    for change in changes:
        change(document)
    return document


def applied(cluster: Cluster, namespace: str, document: Object) -> subprocess.CompletedProcess[str]:
    """Apply it as a user does, but for keeping it."""
    words = ("apply", f"--namespace={namespace}", "--dry-run=server", "--output=json")
    return subprocess.run(
        cluster.argv(*words, "--filename=-"),
        input=yaml.safe_dump(document),
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_mistakes_are_shown_at_once_each_with_its_place_and_remedy(
    cluster: Cluster, namespace: str
) -> None:
    nonsense = experiment(
        "nonsense",
        # What the CRD's own rules know, and would tell alone; and what only the webhook knows.
        spec("maxTrialCount", to=0),
        spec("parameters", 0, "feasibleSpace", "min", to="9"),
        spec("algorithm", "algorithmName", to="randon"),
        spec("trialTemplate", "primaryContainerName", to="trainer"),
        spec("metricsCollectorSpec", to={"source": {"filter": {"metricsFormat": ["(", "(a)"]}}}),
    )

    shown = applied(cluster, namespace, nonsense)

    assert shown.returncode != 0
    lines = shown.stderr.splitlines()
    assert lines[0].startswith('The Experiment "nonsense" is invalid:')
    assert [line.split(": ")[0].removeprefix("* ") for line in lines[1:]] == [
        "spec.maxTrialCount",
        "spec.parameters[0].feasibleSpace.min",
        "spec.trialTemplate.primaryContainerName",
        "spec.metricsCollectorSpec.source.filter.metricsFormat[0]",
        "spec.metricsCollectorSpec.source.filter.metricsFormat[1]",
        "spec.algorithm.algorithmName",
    ]
    assert 'did you mean "random"?' in lines[-1]


def test_a_sparse_experiment_gets_its_defaults(cluster: Cluster, namespace: str) -> None:
    sparse = experiment("sparse")
    for name in ("parallelTrialCount", "resumePolicy", "metricsCollectorSpec"):
        sparse["spec"].pop(name, None)

    shown = applied(cluster, namespace, sparse)

    assert shown.stderr == ""
    stored = json.loads(shown.stdout)["spec"]
    assert stored["parallelTrialCount"] == 3
    assert stored["resumePolicy"] == "Never"
    assert stored["metricsCollectorSpec"] == {"collector": {"kind": "StdOut"}}
    assert {one["value"] for one in stored["objective"]["metricStrategies"]} == {"max"}
    assert '"Complete"' in stored["trialTemplate"]["successCondition"]


def test_what_is_surely_meant_otherwise_is_shown_and_let_in(
    cluster: Cluster, namespace: str
) -> None:
    endless = experiment(
        "endless", spec("maxTrialCount", to=None), spec("objective", "goal", to=None)
    )

    shown = applied(cluster, namespace, endless)

    assert shown.returncode == 0
    assert (
        "Warning: trialwatch: spec.maxTrialCount: neither it nor spec.objective.goal is set"
        in shown.stderr
    )


def test_a_template_is_read_from_its_config_map(cluster: Cluster, namespace: str) -> None:
    document = experiment("by-name")
    template = document["spec"]["trialTemplate"]
    job = json.dumps(template.pop("trialSpec"))
    template["configMap"] = {
        "configMapName": "templates",
        "configMapNamespace": namespace,
        "templatePath": "job",
    }
    template |= {"successCondition": "status.succeeded", "failureCondition": "status.failed"}

    absent = applied(cluster, namespace, document)
    cluster.create(
        "configmaps", namespace, {"metadata": {"name": "templates"}, "data": {"job": job}}
    )
    there = applied(cluster, namespace, document)

    assert f"ConfigMap {namespace}/templates does not exist; create it" in absent.stderr
    assert there.returncode == 0, there.stderr


@pytest.fixture
def held(cluster: Cluster, namespace: str) -> Iterator[str]:
    """Keep an experiment that a finalizer holds, for as long as the test lasts; return its path."""
    path = f"/apis/kubeflow.org/v1beta1/namespaces/{namespace}/experiments"
    document = experiment("held", spec("resumePolicy", to="LongRunning"))
    document["metadata"]["finalizers"] = [FINALIZER]
    cluster.request("POST", path, document)
    yield f"{path}/held"
    let_go(cluster, f"{path}/held")


def let_go(cluster: Cluster, path: str) -> None:
    """Delete an experiment that a finalizer holds, as its controller does."""
    try:
        cluster.request("DELETE", path)
        cluster.request("PATCH", path, {"metadata": {"finalizers": None}})
    except RefusedError as error:
        assert error.status == 404, error  # noqa: PT017 - it is gone already


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        (spec("algorithm", "algorithmName", to="tpe"), "spec", "are editable"),
        (
            both(spec("maxTrialCount", to=20), spec("objective", "goal", to=0.5)),
            "spec",
            "are editable",
        ),
        (spec("parallelTrialCount", to=0), "spec.parallelTrialCount", "must be greater than 0"),
    ],
)
def test_what_may_not_be_changed_is_refused(
    cluster: Cluster, held: str, change: Change, field: str, words: str
) -> None:
    document = cluster.request("GET", held)
    change(document)

    with pytest.raises(RefusedError, match=words) as refused:
        cluster.request("PUT", held, document)

    assert refused.value.status == 422
    assert f"{field}: " in refused.value.message


def test_a_budget_may_be_raised(cluster: Cluster, held: str) -> None:
    raised = cluster.request("PATCH", held, {"spec": {"maxTrialCount": 99}})

    assert raised["spec"]["maxTrialCount"] == 99


@pytest.mark.alone
def test_while_the_webhook_is_away_an_experiment_can_be_deleted(
    cluster: Cluster, held: str
) -> None:
    scale(cluster, WEBHOOK, 0)
    try:
        with pytest.raises(RefusedError, match=r'failed calling webhook "defaulter\.experiment'):
            cluster.request("PATCH", held, {"spec": {"maxTrialCount": 99}})
        cluster.request("PATCH", f"{held}/status", {"status": {"trials": 1}})
        let_go(cluster, held)
        with pytest.raises(RefusedError, match="not found"):
            cluster.request("GET", held)
    finally:
        scale(cluster, WEBHOOK, 2)
