"""`trialwatch inject`: the webhook's work, offline, over whatever has a pod in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.objects.yamltext import load_objects
from api.types import JsonObject
from tests.architecture.tree import ROOT
from tests.webhook.golden_cluster import GOLDENS, shared_cluster
from trialwatch.__main__ import main
from webhook.model.verdicts import Inject
from webhook.pods.mutate import mutate

TRIAL = """
apiVersion: kubeflow.org/v1beta1
kind: Trial
metadata: {name: mnist-1, namespace: team, labels: {katib.kubeflow.org/experiment: mnist}}
spec:
  objective: {type: maximize, objectiveMetricName: accuracy, additionalMetricNames: [loss]}
  primaryContainerName: training
  runSpec: {apiVersion: batch/v1, kind: Job}
"""

CONTAINER = "{name: training, image: example/mnist:1, command: [python, mnist.py], args: [--lr=1]}"


def pod(labels: str = "{}", container: str = CONTAINER) -> str:
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: mnist, labels: {labels}}}
spec: {{containers: [{container}]}}
"""


@pytest.fixture
def trial(tmp_path: Path) -> str:
    return written(tmp_path / "trial.yaml", TRIAL)


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def printed(capsys: pytest.CaptureFixture[str]) -> tuple[list[JsonObject], str]:
    captured = capsys.readouterr()
    return load_objects(captured.out), captured.err


def test_a_pod_is_what_the_webhook_makes_of_it(
    tmp_path: Path, trial: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "pod.yaml", pod("{katib.kubeflow.org/trial: mnist-1}"))

    assert main(["inject", "-f", file, "--trial", trial]) == 0

    (given,) = load_objects(Path(file).read_text())
    verdict = shared_cluster().judge(given)
    assert isinstance(verdict, Inject)
    documents, messages = printed(capsys)
    assert documents == [mutate(given, verdict.plan)]
    assert messages.startswith("Pod/mnist: injected: ")


@pytest.mark.parametrize(
    ("kind", "spec", "places"),
    [
        ("Job", "{template: POD}", ["spec.template"]),
        ("CronJob", "{jobTemplate: {spec: {template: POD}}}", ["spec.jobTemplate.spec.template"]),
        (
            "PyTorchJob",
            "{pytorchReplicaSpecs: {Master: {template: POD}, Worker: {replicas: 2, template: POD}}}",
            [
                "spec.pytorchReplicaSpecs.Master.template",
                "spec.pytorchReplicaSpecs.Worker.template",
            ],
        ),
        ("JobSet", "{replicatedJobs: [{template: {spec: {template: POD}}}]}", ["replicatedJobs.0"]),
        ("Unheard", "{a: [{b: POD}]}", ["spec.a.0.b"]),
    ],
)
def test_every_pod_template_in_an_object_is_found(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    spec: str,
    places: list[str],
) -> None:
    trial = written(tmp_path / "trial.yaml", TRIAL)
    template = f"{{spec: {{containers: [{CONTAINER}]}}}}"
    text = f"apiVersion: x/v1\nkind: {kind}\nmetadata: {{name: j}}\nspec: "
    file = written(tmp_path / "job.yaml", text + spec.replace("POD", template))

    assert main(["inject", "-f", file, "--trial", trial]) == 0

    documents, messages = printed(capsys)
    assert str(documents).count("metrics-logger-and-collector") == len(places)
    assert [place in line for place, line in zip(places, messages.splitlines(), strict=True)] == [
        True
    ] * len(places)


def test_without_a_trial_a_job_says_itself_what_to_collect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"""
apiVersion: batch/v1
kind: Job
metadata: {{name: nightly, namespace: batch}}
spec:
  template:
    metadata:
      labels: {{trialwatch.dev/collect: "true"}}
      annotations: {{trialwatch.dev/metrics: loss}}
    spec: {{containers: [{CONTAINER}]}}
"""

    assert main(["inject", "-f", written(tmp_path / "job.yaml", text)]) == 0

    documents, _ = printed(capsys)
    assert "'-t', 'nightly'" in str(documents), "the pods are stored under their job's name"
    assert "--namespace=batch" in str(documents)


def test_what_has_no_pod_passes_unchanged(
    tmp_path: Path, trial: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n"
    file = written(tmp_path / "map.yaml", text)

    assert main(["inject", "-f", file, "--trial", trial]) == 0

    documents, messages = printed(capsys)
    assert documents == load_objects(text)
    assert messages == "ConfigMap/c: it has no pod, and stays unchanged\n"


def test_diff_prints_the_difference_alone(
    tmp_path: Path, trial: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "p", pod("{a: b}"))

    assert main(["inject", "-f", file, "--trial", trial, "--diff"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["--- as given", "+++ as created"]
    assert "+  - name: metrics-logger-and-collector" in lines
    assert not any(line.startswith("-") for line in lines[2:]), "nothing is taken away"


def test_a_diff_of_nothing_is_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inject", "-f", written(tmp_path / "p", pod()), "--diff"]) == 0

    out, err = capsys.readouterr()
    assert out == ""
    assert "nobodys-trial" in err


def test_a_pod_that_is_refused_prints_no_object_and_says_why(
    tmp_path: Path, trial: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "p", pod(container="{name: training, image: 'python:3.12'}"))

    assert main(["inject", "-f", file, "--trial", trial]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Pod/mnist: refused: command-unknown: ")
    assert "set `command` of container training" in err


DEPLOYED = "runtime: {earlyStoppings: [{algorithmName: medianstop, image: example/stop:1}]}"


@pytest.mark.parametrize(
    ("config", "asked"),
    [
        ("runtime: {}", "trialwatch-suggestion.kubeflow:6788"),
        (DEPLOYED, "stopping-tpe.default:6788"),
    ],
)
def test_the_trials_file_may_hold_its_suggestion(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], config: str, asked: str
) -> None:
    wanted = {("Trial", "stopping-1"), ("Suggestion", "stopping")}
    texts = (GOLDENS / "cluster.yaml").read_text().split("---\n")
    family = [t for t in texts if any(f"kind: {k}" in t and f"name: {n}" in t for k, n in wanted)]
    file = written(tmp_path / "trial.yaml", "---\n".join(family))
    words = ["--trial", file, "--config", written(tmp_path / "config", config)]

    assert main(["inject", "-f", written(tmp_path / "p", pod()), *words]) == 0

    assert asked in str(printed(capsys)[0])


def test_katib_config_may_be_bare_or_a_config_map(
    tmp_path: Path, trial: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = "runtime: {metricsCollectors: [{kind: StdOut, image: 'example/mine:2'}]}"
    config_map = f"kind: ConfigMap\ndata:\n  katib-config.yaml: |\n    {bare}\n"
    file = written(tmp_path / "p", pod())

    for text in (bare, config_map):
        config = written(tmp_path / "config.yaml", text)
        assert main(["inject", "-f", file, "--trial", trial, "--config", config]) == 0
        assert "example/mine:2" in str(printed(capsys)[0])


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("missing.yaml", None, "cannot read"),
        ("empty.yaml", "", "is empty"),
        ("broken.yaml", "a: [", "broken.yaml, line 2, column 1: is not valid YAML"),
        ("latin.yaml", b"a: \xe9", "is not UTF-8 text"),
    ],
)
def test_the_error_for_a_file_without_an_object_has_its_name_and_the_remedy(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    file: str,
    text: str | bytes | None,
    says: str,
) -> None:
    path = tmp_path / file
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    assert main(["inject", "-f", str(path)]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert err.startswith("trialwatch inject: ")


def test_a_file_without_a_trial_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "p", pod())

    assert main(["inject", "-f", file, "--trial", file]) == 2

    assert "must be kubeflow.org/v1beta1" in capsys.readouterr().err


def test_an_experiment_stands_for_the_job_of_its_first_trial(
    capsys: pytest.CaptureFixture[str],
) -> None:
    examples = ROOT / "examples"

    assert main(["inject", "-f", str(examples / "random.yaml")]) == 0

    (job,), messages = printed(capsys)
    pod: Any = job["spec"]["template"]  # type: ignore[index, call-overload]  # a Job
    [trainer] = pod["spec"]["containers"]
    [sidecar] = pod["spec"]["initContainers"]
    assert job["kind"] == "Job"
    assert pod["metadata"]["labels"]["katib.kubeflow.org/trial"] == "random-first"
    assert trainer["command"][-3:] == ["--lr=0.01", "--num-layers=2", "--optimizer=sgd"]
    assert sidecar["name"] == "metrics-logger-and-collector"
    assert "Job/random-first spec.template: injected: " in messages


def test_an_experiment_that_is_wrong_is_refused_with_each_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "examples" / "random.yaml").read_text()
    file = written(tmp_path / "e.yaml", text.replace("maximize", "highest"))

    assert main(["inject", "-f", file]) == 2

    assert "spec.objective.type" in printed(capsys)[1]


def test_an_experiment_that_the_webhook_would_refuse_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "examples" / "random.yaml").read_text()
    (tmp_path / "e.yaml").write_text(
        text.replace("algorithmName: random", "algorithmName: evolution")
    )

    assert main(["inject", "-f", str(tmp_path / "e.yaml")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert (
        "unable to get Suggestion config data for algorithm evolution: trialwatch does not" in err
    )
