"""Reviews of experiments over HTTP: refusals, warnings, and what passes unchecked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.errors import Unavailable
from api.types import CollectorKind, JsonObject
from kube.cluster import Ref
from kube.testing.memory import MemoryCluster
from tests.webhook.experiments.experiment_documents import (
    Change,
    Document,
    collected,
    experiment,
    in_a_config_map,
    put,
    spec,
)
from tests.webhook.running_webhook import Settings, Webhook, experiment_asked, webhook
from webhook.model.config import CollectorConfig, Config, parse_config
from webhook.server.experiment_handler import MUTATE, VALIDATE

BOTH = pytest.mark.parametrize("path", [MUTATE, VALIDATE])
NONSENSE = (
    put("metadata.name", "My_Experiment"),
    spec("maxTrialCount", 0),
    spec("objective.type", "best"),
    spec("algorithm.algorithmName", "randon"),
    spec("parameters.0.feasibleSpace.min", "9"),
    spec("trialTemplate.primaryContainerName", "trainer"),
)


@pytest.fixture
async def running() -> AsyncIterator[Webhook]:
    async with webhook() as running:
        yield running


def text(response: dict[str, Any]) -> str:
    assert not response["allowed"]
    assert "patch" not in response
    return str(response["status"]["message"])


@BOTH
async def test_all_faults_are_listed_at_once_with_path_value_and_remedy(
    running: Webhook, path: str
) -> None:
    response = await running.experiment(path, experiment(*NONSENSE))

    status = response["status"]
    assert (status["code"], status["reason"]) == (422, "Invalid")
    assert [one["field"] for one in status["details"]["causes"]] == [
        "spec.objective.type",
        "metadata.name",
        "spec.maxTrialCount",
        "spec.parameters[0].feasibleSpace.min",
        "spec.trialTemplate.primaryContainerName",
        "spec.algorithm.algorithmName",
    ]
    assert status["message"].startswith("[spec.objective.type: Invalid value")
    assert 'did you mean "random"?' in status["message"]
    assert "must not be greater than max, which is 5; swap the two" in status["message"]
    metric = "trialwatch_webhook_experiment_reviews_total"
    labels = {"path": path.removeprefix("/"), "verdict": "refuse"}
    assert await running.metric(metric, **labels) == 1


@BOTH
async def test_a_single_fault_is_not_put_into_a_list(running: Webhook, path: str) -> None:
    response = await running.experiment(path, experiment(spec("objective", None)))

    assert text(response) == (
        "spec.objective: Required value: must be specified; set its type and objectiveMetricName"
    )


@BOTH
@pytest.mark.parametrize("document", [None, [], "experiment", 3, {}, {"spec": []}])
async def test_a_document_that_is_not_an_experiment_is_refused(
    running: Webhook, path: str, document: object
) -> None:
    response = await running.experiment(path, document)

    assert response["status"]["code"] == 422
    assert "must be" in text(response)


async def test_an_unreadable_value_hides_only_the_faults_that_it_may_cause(
    running: Webhook,
) -> None:
    document = experiment(
        spec("parameters.0.feasibleSpace.min", 1),
        spec("parameters.1.feasibleSpace", {}),
        spec("maxTrialCount", "6"),
        spec("objective", None),
    )
    response = await running.experiment(MUTATE, document)

    assert {one["field"] for one in response["status"]["details"]["causes"]} == {
        "spec.parameters[0].feasibleSpace.min",
        "spec.parameters[1].feasibleSpace",
        "spec.maxTrialCount",
        "spec.objective",
    }


@BOTH
async def test_a_valid_experiment_passes_without_warnings(running: Webhook, path: str) -> None:
    response = await running.experiment(path, experiment())

    assert response["allowed"]
    assert "warnings" not in response


# -- what passes unchecked ------------------------------------------------------------------

BROKEN = spec("algorithm.algorithmName", "astrology")


@BOTH
@pytest.mark.parametrize(
    ("new", "fields"),
    [
        (put("metadata.deletionTimestamp", "2026-01-01T00:00:00Z"), {}),
        (put("metadata.finalizers", ["a/b"]), {}),
        (put("status", {"trials": 99}), {"subResource": "status"}),
        (put("metadata.labels", {"a": "b"}), {"dryRun": True}),
    ],
)
async def test_a_change_of_all_but_the_spec_passes_whatever_the_spec_is(
    running: Webhook, path: str, new: Change, fields: dict[str, Any]
) -> None:
    response = await running.experiment(path, experiment(BROKEN, new), experiment(BROKEN), **fields)

    assert response == {"uid": "uid-1", "allowed": True}


@BOTH
async def test_an_experiment_that_is_being_deleted_may_change(running: Webhook, path: str) -> None:
    going = put("metadata.deletionTimestamp", "2026-01-01T00:00:00Z")
    new = experiment(going, BROKEN, spec("maxTrialCount", 0))

    assert (await running.experiment(path, new, experiment(going)))["allowed"]


@BOTH
async def test_a_deletion_passes(running: Webhook, path: str) -> None:
    response = await running.experiment(path, None, experiment(BROKEN), operation="DELETE")

    assert response["allowed"]


async def test_a_fault_that_the_stored_experiment_has_does_not_refuse_a_change(
    running: Webhook,
) -> None:
    old_faults = (put("metadata.name", "my.exp"), BROKEN)
    old = experiment(*old_faults)

    passed = await running.experiment(
        VALIDATE, experiment(*old_faults, spec("maxTrialCount", 9)), old
    )
    refused = await running.experiment(
        VALIDATE, experiment(*old_faults, spec("maxTrialCount", -9)), old
    )

    assert passed["allowed"]
    assert {one["field"] for one in refused["status"]["details"]["causes"]} == {
        "spec.maxTrialCount"
    }


async def test_a_stored_experiment_that_is_not_valid_is_named_as_the_cause(
    running: Webhook,
) -> None:
    old = experiment(spec("maxTrialCount", "six"))

    response = await running.experiment(VALIDATE, experiment(spec("maxTrialCount", 9)), old)

    assert "Cannot decode incoming old object: spec.maxTrialCount" in text(response)


@BOTH
@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"operation": "CONNECT"}, "only the creation and change of experiments"),
        ({"resource": {"group": "kubeflow.org", "version": "v1", "resource": "x"}}, "v1/x"),
        ({"resource": None}, "only the creation"),
    ],
)
async def test_a_request_about_another_kind_is_refused_with_the_remedy(
    running: Webhook, path: str, fields: dict[str, Any], says: str
) -> None:
    body = json.dumps(experiment_asked(experiment(), **fields)).encode()

    answer = await running.post(body, path=path)

    assert answer.status == 400
    assert says in answer.text


@BOTH
async def test_an_experiment_that_is_nested_too_deeply_is_refused_as_a_bad_request(
    running: Webhook, path: str
) -> None:
    document = experiment(spec("trialTemplate.trialSpec.more", "DEEP"))
    body = json.dumps(experiment_asked(document))
    statuses = set()
    for depth in (200, 450, 480, 490, 495, 500, 2_000, 100_000):
        deep = '{"a":[' * depth + "1" + "]}" * depth
        answer = await running.post(body.replace('"DEEP"', deep).encode(), path=path)
        statuses.add(answer.status)

    assert statuses == {200, 400}
    assert await running.metric("trialwatch_webhook_faults_total") == 0


# -- the rules of the installation ----------------------------------------------------------

KATIB_CONFIG = """
runtime:
  suggestions: [{algorithmName: astrology, image: example/stars}]
  earlyStoppings: [{algorithmName: whistle, image: example/whistle}]
  metricsCollectors: [{kind: File, image: example/collector}]
"""


def with_config(text: str) -> Settings:
    config: Config = parse_config(text)
    return Settings(config=config)


async def test_an_algorithm_that_the_installation_lists_is_accepted() -> None:
    document = experiment(
        BROKEN, spec("earlyStopping", {"algorithmName": "whistle"}), collected("File")
    )
    async with webhook(settings=with_config(KATIB_CONFIG)) as running:
        assert (await running.experiment(VALIDATE, document))["allowed"]


@pytest.mark.parametrize("kind", ["Push", "Custom"])
@pytest.mark.parametrize(
    ("stop", "says"),
    [
        ({"algorithmName": "asha"}, None),
        ({"algorithmName": "medianstop"}, None),
        ({"algorithmName": "whistle"}, "no trial can be stopped early by the service of whistle"),
    ],
)
async def test_a_service_cannot_stop_trials_whose_collector_checks_no_rules(
    kind: str, stop: dict[str, Any], says: str | None
) -> None:
    collector: dict[str, Any] = {"kind": kind}
    if kind == "Custom":
        collector["customCollector"] = {"name": "own", "image": "example/collector:1"}
    document = experiment(
        BROKEN,
        spec("earlyStopping", stop),
        spec("metricsCollectorSpec", {"collector": collector}),
    )

    async with webhook(settings=with_config(KATIB_CONFIG)) as running:
        answer = await running.experiment(VALIDATE, document)

    assert answer["allowed"] is (says is None)
    assert (says or "") in str(answer)


async def test_the_settings_of_the_controllers_rules_are_checked_at_admission() -> None:
    setting = {"name": "reduction_factor", "value": "1"}
    stop = {"algorithmName": "asha", "algorithmSettings": [setting]}
    document = experiment(BROKEN, spec("earlyStopping", stop))

    async with webhook() as running:
        answer = await running.experiment(VALIDATE, document)

    assert not answer["allowed"]
    assert (
        'spec.earlyStopping.algorithmSettings[0].value: Invalid value: "1": reduction_factor must'
        " be greater than one (>1); write a whole number from 2 to 100"
    ) in answer["status"]["message"]


PBT_CONFIG = """
runtime:
  suggestions: [{algorithmName: pbt, image: example/pbt}]
  metricsCollectors: [{kind: StdOut, image: example/collector}]
"""
PBT_ENDPOINT = PBT_CONFIG.replace("image: example/pbt", "endpoint: search.team:6789")


@pytest.mark.parametrize(
    ("config", "policy", "says"),
    [
        (KATIB_CONFIG, "FromVolume", "so it needs a service of its own; list it under"),
        (PBT_ENDPOINT, "FromVolume", "write an image in place of the endpoint"),
        (PBT_CONFIG, "Never", "write FromVolume"),
        (PBT_CONFIG, "FromVolume", None),
    ],
)
async def test_a_search_with_checkpoints_needs_a_service_with_a_volume(
    config: str, policy: str, says: str | None
) -> None:
    document = experiment(spec("algorithm.algorithmName", "pbt"), spec("resumePolicy", policy))
    async with webhook(settings=with_config(config)) as running:
        response = await running.experiment(VALIDATE, document)

    assert says is None or says in text(response)
    assert response["allowed"] == (says is None)


@pytest.mark.parametrize(("algorithm", "allowed"), [("astrology", False), ("random", True)])
async def test_points_by_hand_are_refused_for_a_service_that_may_not_know_them(
    algorithm: str,
    allowed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    document = experiment(
        spec("algorithm.algorithmName", algorithm),
        collected("File"),
        put("metadata.annotations", {"trialwatch.dev/enqueue": "lr=2"}),
    )
    async with webhook(settings=with_config(KATIB_CONFIG)) as running:
        response = await running.experiment(VALIDATE, document)

    assert response["allowed"] == allowed
    if not allowed:
        assert "may refuse trials that it did not choose" in text(response)


async def test_a_collector_that_the_installation_does_not_list_is_refused() -> None:
    async with webhook(settings=with_config(KATIB_CONFIG)) as running:
        response = await running.experiment(VALIDATE, experiment())

    assert "GetMetricsCollectorConfigData failed" in text(response)
    assert "under runtime.metricsCollectors" in text(response)


async def test_a_name_that_cannot_be_scraped_is_refused_at_once(running: Webhook) -> None:
    named = spec("objective.objectiveMetricName", "val/loss")
    response = await running.experiment(MUTATE, experiment(collected("PrometheusMetric"), named))

    assert "is not one of Prometheus" in text(response)


async def test_a_condition_that_would_fail_each_trial_is_refused_at_once(
    running: Webhook,
) -> None:
    document = experiment(spec("trialTemplate.successCondition", "status.@reverse"))

    assert '"@reverse" is not supported' in text(await running.experiment(MUTATE, document))


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (None, "restartPolicy: Required value"),
        ("Always", "must be Never or OnFailure for a Job"),
        ("OnFailure", ""),
        ("${trialParameters.learningRate}", ""),
    ],
)
async def test_a_job_that_the_api_server_would_refuse_is_refused_at_once(
    running: Webhook, policy: str | None, says: str
) -> None:
    document = experiment(spec("trialTemplate.trialSpec.spec.template.spec.restartPolicy", policy))
    response = await running.experiment(MUTATE, document)

    assert response["allowed"] is not bool(says)
    assert not says or says in text(response)


async def test_a_trainer_with_the_name_of_the_sidecar_is_refused(running: Webhook) -> None:
    name = "metrics-logger-and-collector"
    document = experiment(
        spec("trialTemplate.primaryContainerName", name),
        spec("trialTemplate.trialSpec.spec.template.spec.containers.0.name", name),
    )

    assert "is the name of the sidecar" in text(await running.experiment(MUTATE, document))


# -- what trials may be ---------------------------------------------------------------------


def made_of(api_version: str, kind: str) -> Change:
    """Make trials of this kind, with conditions, which the kind has no default for."""

    def change(document: Document) -> None:
        template = document["spec"]["trialTemplate"]
        template["trialSpec"] |= {"apiVersion": api_version, "kind": kind}
        template |= {"successCondition": "status.done", "failureCondition": "status.failed"}

    return change


@BOTH
@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("v1", "PersistentVolume"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding"),
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
        ("batch/v1", "${trialParameters.learningRate}"),
    ],
)
async def test_a_kind_that_is_not_a_job_is_refused(
    running: Webhook, path: str, api_version: str, kind: str
) -> None:
    response = await running.experiment(path, experiment(made_of(api_version, kind)))

    assert "spec.trialTemplate.trialSpec: Forbidden: trials of the kind" in text(response)
    assert "trialResources of katib-config" in text(response)


@BOTH
async def test_a_kind_that_is_not_a_job_is_refused_in_a_config_map(path: str) -> None:
    memory = MemoryCluster(namespaces=("team",))
    volume = job_text(experiment(made_of("v1", "PersistentVolume")))
    await memory.create(config_map(job=volume))
    async with webhook(memory) as running:
        response = await running.experiment(path, experiment(in_a_config_map()))

    assert "spec.trialTemplate.configMap: Forbidden: trials of the kind" in text(response)


async def test_a_kind_that_the_administrator_lists_is_accepted_and_jobs_no_longer() -> None:
    listed = "init: {controller: {trialResources: [Training.v1.example.org]}}"
    training = experiment(made_of("example.org/v1", "Training"))
    async with webhook(settings=with_config(listed)) as running:
        taken = await running.experiment(MUTATE, training)
        refused = await running.experiment(MUTATE, experiment())

    assert taken["allowed"]
    assert "only Training.example.org" in text(refused)


# -- a template in a ConfigMap --------------------------------------------------------------


def config_map(**data: str) -> JsonObject:
    metadata = {"name": "templates", "namespace": "team"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(data)}


def job_text(document: Document) -> str:
    return json.dumps(document["spec"]["trialTemplate"]["trialSpec"])


@BOTH
async def test_a_template_in_a_config_map_is_checked_like_one_in_place(path: str) -> None:
    memory = MemoryCluster(namespaces=("team",))
    good = job_text(experiment())
    bad = good.replace("--lr=${trialParameters.learningRate}", "--lr=0.1")
    await memory.create(config_map(job=good, bad=bad, broken="{"))
    async with webhook(memory) as running:
        taken = await running.experiment(path, experiment(in_a_config_map()))
        refused = await running.experiment(path, experiment(in_a_config_map(key="bad")))
        broken = await running.experiment(path, experiment(in_a_config_map(key="broken")))
        misspelt = await running.experiment(path, experiment(in_a_config_map(key="jobs")))
        absent = await running.experiment(path, experiment(in_a_config_map(name="other")))

    assert taken["allowed"]
    assert "parameter name: learningRate in spec.trialParameters not found" in text(refused)
    assert "unable to convert spec.trialTemplate" in text(broken)
    assert 'has no key jobs; did you mean "job"?' in text(misspelt)
    assert text(absent) == (
        'spec.trialTemplate: Invalid value: "": unable to parse spec.trialTemplate: ConfigMap'
        " team/other does not exist; create it, or correct configMapName and configMapNamespace"
    )


class Away(MemoryCluster):
    """A cluster that does not answer about ConfigMaps and Namespaces."""

    async def get(self, ref: Ref) -> JsonObject:
        if ref.kind in {"ConfigMap", "Namespace"}:
            raise Unavailable("the API server is busy")
        return await super().get(ref)


@BOTH
async def test_an_experiment_whose_template_cannot_be_looked_up_is_refused(path: str) -> None:
    async with webhook(Away(namespaces=("team",))) as running:
        response = await running.experiment(path, experiment(in_a_config_map()), within="300ms")
        labels = {"path": path.removeprefix("/"), "verdict": "fail"}
        metric = "trialwatch_webhook_experiment_reviews_total"
        assert await running.metric(metric, **labels) == 1

    assert response["status"]["code"] == 503
    assert text(response) == (
        "spec.trialTemplate.configMap: cannot look up ConfigMap team/templates: the API server is"
        " busy; try again"
    )


# -- warnings -------------------------------------------------------------------------------


async def test_katibs_own_collector_in_katib_config_is_a_warning_at_admission() -> None:
    image = "docker.io/kubeflowkatib/file-metrics-collector@sha256:12"
    config = Config(collectors={CollectorKind.STDOUT: CollectorConfig(image=image)})
    async with webhook(settings=Settings(config)) as running:
        response = await running.experiment(VALIDATE, experiment())

    assert response["allowed"]
    (warning,) = response["warnings"]
    assert f'names Katib\'s own collector for kind StdOut, "{image}"' in warning


def of_kind(document: Document, api_version: str, kind: str) -> None:
    """Make a job of a kind without a pod template."""
    place = "${trialParameters.learningRate} ${trialParameters.momentum}"
    document["spec"]["trialTemplate"] |= {
        "trialSpec": {
            "apiVersion": api_version,
            "kind": kind,
            "spec": {"do": place},
        },
        "successCondition": "status.done",
        "failureCondition": "status.failed",
    }


def a_train_job(document: Document) -> None:
    """Make a job whose pods cannot get the label of the trial."""
    of_kind(document, "trainer.kubeflow.org/v1alpha1", "TrainJob")


def a_workflow(document: Document) -> None:
    """Make a job that has the labels of its pods elsewhere."""
    of_kind(document, "argoproj.io/v1alpha1", "Workflow")


def endless(document: Document) -> None:
    del document["spec"]["maxTrialCount"]
    del document["spec"]["objective"]["goal"]


WARNED: dict[str, tuple[Change, str]] = {
    "a field that nobody knows": (
        spec("maxTrialsCount", 9),
        'spec.maxTrialsCount: Invalid value: 9: unknown field; did you mean "maxTrialCount"?',
    ),
    "no end": (endless, "so the search never ends by itself"),
    "a filter that cannot find the metric": (
        collected("StdOut", filter={"metricsFormat": ["([a-z]+/[a-z]+)=([0-9.]+)"]}),
        'no pattern can find the metric "accuracy"',
    ),
    "JSON from standard output": (
        collected("StdOut", fileSystemPath={"format": "JSON"}),
        "kind StdOut ignores it; write kind File to read JSON",
    ),
    "a file of standard output": (
        collected("StdOut", fileSystemPath={"path": "/a/log", "kind": "File"}),
        "kind StdOut ignores it; write kind File to read a file",
    ),
    "pods that the webhook does not get": (
        a_train_job,
        "kubectl label namespace team katib.kubeflow.org/",
    ),
}


async def test_a_workflow_needs_no_label_of_its_namespace() -> None:
    async with webhook(MemoryCluster(namespaces=("team",))) as running:
        response = await running.experiment(VALIDATE, experiment(a_workflow))

    assert response["allowed"]
    assert "warnings" not in response


@pytest.mark.parametrize("name", WARNED)
async def test_a_probable_mistake_is_accepted_with_a_warning(name: str) -> None:
    change, words = WARNED[name]
    memory = MemoryCluster(namespaces=("team",))
    async with webhook(memory) as running:
        response = await running.experiment(VALIDATE, experiment(change))
        silent = await running.experiment(MUTATE, experiment(change))

    assert response["allowed"]
    (warning,) = response["warnings"]
    assert warning.startswith("trialwatch: ")
    assert words in warning
    assert "warnings" not in silent


async def test_a_parameter_without_effect_gets_a_warning(running: Webhook) -> None:
    document = experiment()
    one = {"name": "idle", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "2"}}
    document["spec"]["parameters"].append(one)

    (warning,) = (await running.experiment(VALIDATE, document))["warnings"]

    assert "has no effect" in warning


async def test_pods_in_kube_system_get_no_collector(running: Webhook) -> None:
    response = await running.experiment(VALIDATE, experiment(), namespace="kube-system")

    assert "pods in kube-system get no collector" in response["warnings"][0]


async def test_jobs_without_a_pod_template_need_no_warning_in_a_labelled_namespace() -> None:
    memory = MemoryCluster(namespaces=("team",))
    label = {"katib.kubeflow.org/metrics-collector-injection": "enabled"}
    namespace = Ref(api_version="v1", kind="Namespace", name="team")
    await memory.patch(namespace, {"metadata": {"labels": label}})
    async with webhook(memory) as running:
        response = await running.experiment(VALIDATE, experiment(a_train_job))

    assert response == {"uid": "uid-1", "allowed": True}


async def test_an_experiment_whose_namespace_cannot_be_looked_up_gets_only_a_warning() -> None:
    async with webhook(Away(namespaces=("team",))) as running:
        response = await running.experiment(VALIDATE, experiment(a_train_job), within="300ms")

    assert response["allowed"]
    assert "cannot look up the namespace" in response["warnings"][0]


# -- as large as an object can be -----------------------------------------------------------


def thousands(document: Document) -> None:
    """Make thousands of mistakes in an experiment."""
    one = {"parameterType": "int", "feasibleSpace": {"min": "1", "max": "5"}}
    numbers, fields = range(256), range(5_000)
    template = document["spec"]["trialTemplate"]
    document["spec"]["parameters"] = [{"name": f"parameter-{i}", **one} for i in numbers]
    template["trialParameters"] = [
        {"name": f"p{i}", "reference": f"parametre-{i}"} for i in numbers
    ]
    pod = template["trialSpec"]["spec"]["template"]["spec"]
    pod["containers"][0] |= {f"field{i}": f"${{trialParameters.q{i}}}" for i in fields}


@BOTH
async def test_of_thousands_of_faults_the_first_are_listed(running: Webhook, path: str) -> None:
    response = await running.experiment(path, experiment(thousands))

    causes = response["status"]["details"]["causes"]
    assert len(causes) == 101
    assert 'did you mean "parameter-0"?' in causes[0]["message"]
    assert "more faults; correct these first" in causes[-1]["message"]
    assert len(response["status"]["message"]) < 50_000
