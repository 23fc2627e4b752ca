"""`trialwatch get` and `logs` on a real cluster, for an account with only the needed rights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from api.names import COLLECTOR_CONTAINER, EXPERIMENT_LABEL, TRIAL_LABEL
from tests.architecture.tree import ROOT
from tests.cluster.client import PATIENCE_SECONDS, Cluster, Object, until
from tests.cluster.experiments import true_conditions
from tests.cluster.trainers import SCRATCH
from tests.cluster.trials import TRAINER, Trials, job, running, status_of
from tests.real_kubectl import real_kubectl, write_plugin_programs

RIGHTS = [
    {
        "apiGroups": ["kubeflow.org"],
        "resources": ["experiments", "trials"],
        "verbs": ["get", "list"],
    },
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
]


def start(trials: Trials, name: str, *words: str, **pod: object) -> None:
    """Create a trial; the controller makes its job."""
    wanted = job(name, *words)
    wanted["spec"]["backoffLimit"] = 3
    wanted["spec"]["template"]["metadata"] = {}
    wanted["spec"]["template"]["spec"] |= pod
    trials.cluster.create("trials", trials.namespace, _trial(name, wanted))


def _trial(name: str, wanted: Object) -> Object:
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Trial",
        "metadata": {"name": name, "labels": {EXPERIMENT_LABEL: "found"}},
        "spec": {
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "parameterAssignments": [{"name": "lr", "value": "0.01"}],
            "metricsCollector": {"collector": {"kind": "StdOut"}},
            "primaryContainerName": TRAINER,
            "retainRun": True,
            "successCondition": 'status.conditions.#(type=="Complete")#|#(status=="True")#',
            "failureCondition": 'status.conditions.#(type=="Failed")#|#(status=="True")#',
            "runSpec": wanted,
        },
    }


@pytest.fixture
def permitted(cluster: Cluster, namespace: str, kubeconfig: Path, tmp_path: Path) -> Path:
    """A kubeconfig of an account with no more than the rights that the documents name."""
    group = "rbac.authorization.k8s.io"
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "looks", "namespace": namespace},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "looks"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}],
    }
    role = {
        "apiVersion": f"{group}/v1",
        "kind": "Role",
        "metadata": {"name": "looks", "namespace": namespace},
        "rules": RIGHTS,
    }
    cluster.kubectl("apply", "-f", "-", objects=[role, binding])
    return account(cluster, namespace, kubeconfig, tmp_path)


def account(cluster: Cluster, namespace: str, kubeconfig: Path, folder: Path) -> Path:
    """Write a kubeconfig of a namespace's own account."""
    token = cluster.kubectl("create", "token", "default", f"--namespace={namespace}").strip()
    config = yaml.safe_load(kubeconfig.read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    for context in config["contexts"]:
        context["context"]["namespace"] = namespace
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def call(kubeconfig: Path, *words: str) -> tuple[int, str, str]:
    """Call the program; return its status, its output, and what it said beside."""
    done = subprocess.run(
        [sys.executable, "-m", "trialwatch", *words],
        cwd=kubeconfig.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), "KUBECONFIG": str(kubeconfig)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_trial_and_what_it_printed_are_shown(trials: Trials, permitted: Path) -> None:
    start(trials, "shown", "print", "loss=0.5", "err", "warning: slow", "print", "done")
    trials.end("shown")

    logs = call(permitted, "logs", "shown")
    collectors = call(permitted, "logs", "shown", "-c", COLLECTOR_CONTAINER)
    _, listed, _ = call(permitted, "get", "trials", "found", "-o", "json")
    table = call(permitted, "get", "trials", "-o", "wide")

    assert logs[0] == 0, logs[2]
    assert sorted(logs[1].splitlines()) == ["done", "loss=0.5", "warning: slow"]
    assert "loss=0.5" in collectors[1]
    assert [one["metadata"]["name"] for one in json.loads(listed)["items"]] == ["shown"]
    assert table[1].splitlines()[1].split()[:2] == [trials.namespace, "shown"]
    assert "lr=0.01" in table[1]


def test_kubectl_runs_the_command_as_its_plugin(
    trials: Trials, permitted: Path, tmp_path: Path
) -> None:
    start(trials, "plugged", "print", "loss=0.5")
    trials.end("plugged")
    write_plugin_programs(tmp_path / "bin")
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "KUBECONFIG": str(permitted)}

    done = subprocess.run(
        [real_kubectl(), "trialwatch", "-n", trials.namespace, "get", "trials", "-o", "name"],
        cwd=tmp_path,
        env={**environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "trial.kubeflow.org/plugged\n"


def test_a_log_is_followed_from_before_the_pod_to_the_trainers_end(
    trials: Trials, permitted: Path
) -> None:
    start(trials, "followed", "count", "10", "300")

    status, out, err = call(permitted, "logs", "-f", "followed")

    assert (status, err) == (0, "")
    assert out.splitlines() == [f"step={i} loss={1.0 / i:.6f}" for i in range(1, 11)]


def test_a_container_that_was_started_again_has_a_log_before_this_one(
    trials: Trials, permitted: Path
) -> None:
    words = ("print", "loss=1", "first", "/scratch/mark", "3", "print", "loss=2", "sleep", "60000")
    mount = {"volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}]}
    container = {"name": TRAINER, "image": SCRATCH, "command": ["/trainer", *words], **mount}
    start(
        trials,
        "again",
        restartPolicy="OnFailure",
        containers=[container],
        volumes=[{"name": "scratch", "emptyDir": {}}],
    )
    trials.pod_when(
        "again",
        "second start",
        lambda pod: running(pod) and status_of(pod)["restartCount"] == 1,
    )

    assert call(permitted, "logs", "again", "-p") == (0, "loss=1\n", "")
    second = lambda: call(permitted, "logs", "again")[1] == "loss=1\nloss=2\n"  # noqa: E731
    until("the second start's lines", second)


def test_for_a_trial_without_a_log_the_message_says_what_it_waits_for(
    trials: Trials, permitted: Path
) -> None:
    image = "trialwatch.test/none:1"
    container = {"name": TRAINER, "image": image, "command": ["/x"], "imagePullPolicy": "Never"}
    start(trials, "waits", containers=[container])
    trials.pod_when(
        "waits", "refusal", lambda pod: "ErrImageNeverPull" in json.dumps(status_of(pod))
    )

    status, out, err = call(permitted, "logs", "waits")

    assert (status, out) == (2, "")
    assert f"container {TRAINER} of pod waits-" in err
    assert "has printed nothing yet: ErrImageNeverPull: " in err


def test_a_pod_that_is_gone_has_taken_its_log_with_it(trials: Trials, permitted: Path) -> None:
    start(trials, "gone", "print", "loss=0.5")

    def succeeded() -> bool:
        trial = trials.cluster.get("trials", trials.namespace, "gone") or {}
        return "Succeeded" in true_conditions(trial)

    until("the trial's end", succeeded)
    trials.cluster.delete("jobs", trials.namespace, "gone", propagationPolicy="Background")
    labels = f"{TRIAL_LABEL}=gone"
    until("no pod", lambda: not trials.cluster.listed("pods", trials.namespace, labels))

    code, _, err = call(permitted, "logs", "gone")

    assert code == 2
    assert "the pod of trial gone was deleted, and its log with it;" in err
    assert "Its metrics: loss=0.5" in err


def test_the_message_names_the_right_that_the_user_lacks(
    cluster: Cluster, namespace: str, kubeconfig: Path, tmp_path: Path
) -> None:
    status, _, err = call(account(cluster, namespace, kubeconfig, tmp_path), "get", "trials")

    assert status == 2
    assert 'cannot list resource "trials" in API group "kubeflow.org"' in err
    assert len(err.splitlines()) == 1
