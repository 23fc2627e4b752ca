"""A trial creates only what its author may create: tables of attacks and of rights."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.errors import Unavailable
from api.names import AUTHOR_ANNOTATION, OWN_CONTROLLER
from api.types import Json, JsonObject
from kube.access import Access, Decision
from kube.cluster import Kind
from kube.resources import KNOWN
from kube.testing.apiserver import ApiServer, served
from kube.testing.memory import MemoryCluster
from tests.kube.test_client import plain
from tests.webhook.experiments.experiment_documents import (
    Change,
    Document,
    experiment,
    in_a_config_map,
    put,
    spec,
)
from tests.webhook.running_webhook import Settings, Webhook, asked, patched, webhook
from webhook.driver.cluster_rights import usual_resource
from webhook.model.config import parse_config
from webhook.server.experiment_handler import MUTATE, VALIDATE
from webhook.server.trial_handler import PATH

BOTH = pytest.mark.parametrize("path", [MUTATE, VALIDATE])
ANNA: JsonObject = {
    "username": "anna",
    "uid": "7",
    "groups": ["developers", "system:authenticated"],
    "extra": {"example.org/city": ["Berlin"]},
}
BERT: JsonObject = {"username": "bert", "groups": ["system:authenticated"]}
CONTROLLER: JsonObject = {"username": f"system:serviceaccount:kubeflow:{OWN_CONTROLLER}"}
PYTORCH = "kubeflow.org/v1", "PyTorchJob"
VOLUME = "v1", "PersistentVolume"
BINDING = "rbac.authorization.k8s.io/v1", "RoleBinding"


@pytest.fixture
def memory() -> MemoryCluster:
    """Anna may create Jobs in her namespace; nothing else is allowed."""
    made = MemoryCluster(KNOWN, namespaces=("team",))
    made.grant("anna", "create", "jobs", group="batch", namespace="team")
    return made


@pytest.fixture
async def running(memory: MemoryCluster) -> AsyncIterator[Webhook]:
    async with webhook(memory) as running:
        yield running


def made_of(api_version: str, kind: str) -> Change:
    def change(document: Document) -> None:
        template = document["spec"]["trialTemplate"]
        template["trialSpec"] |= {"apiVersion": api_version, "kind": kind}
        template |= {"successCondition": "status.done", "failureCondition": "status.failed"}

    return change


def trial(api_version: str = "batch/v1", kind: str = "Job", **metadata: Json) -> JsonObject:
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Trial",
        "metadata": {"name": "mine", "namespace": "team", **metadata},
        "spec": {"runSpec": {"apiVersion": api_version, "kind": kind}},
    }


async def trial_review(
    running: Webhook,
    document: object,
    old: object = None,
    *,
    within: str = "10s",
    **fields: object,
) -> dict[str, Any]:
    """Send a review of a trial; return its response."""
    resource = {"group": "kubeflow.org", "version": "v1beta1", "resource": "trials"}
    operation = "CREATE" if old is None else "UPDATE"
    body = asked(
        document, **{"resource": resource, "operation": operation, "oldObject": old, **fields}
    )
    answer = await running.post(json.dumps(body).encode(), path=PATH, within=within)
    assert answer.status == 200, answer.text
    response: dict[str, Any] = json.loads(answer.text)["response"]
    return response


def text(response: dict[str, Any]) -> str:
    assert not response["allowed"]
    assert "patch" not in response
    return str(response["status"]["message"])


def annotation(document: Any) -> object:  # noqa: ANN401 - JSON
    return document["metadata"].get("annotations", {}).get(AUTHOR_ANNOTATION)


# -- experiments ----------------------------------------------------------------------------


@BOTH
async def test_a_user_who_may_create_jobs_may_have_trials_that_are_jobs(
    running: Webhook, path: str
) -> None:
    assert (await running.experiment(path, experiment(), userInfo=ANNA))["allowed"]


@BOTH
@pytest.mark.parametrize("user", [BERT, {}, None, {"groups": ["anna"], "username": ""}])
async def test_a_user_who_may_not_create_jobs_is_refused_with_the_remedy(
    running: Webhook, path: str, user: object
) -> None:
    response = await running.experiment(path, experiment(), userInfo=user)

    assert response["status"]["code"] == 422
    assert "may not create objects of the kind Job (batch/v1) in the namespace team" in text(
        response
    )
    assert "ask an administrator for the right" in text(response)


@BOTH
async def test_a_listed_kind_is_allowed_for_users_who_may_create_it(
    running: Webhook, memory: MemoryCluster, path: str
) -> None:
    training = experiment(made_of(*PYTORCH))

    refused = await running.experiment(path, training, userInfo=ANNA)
    memory.grant("developers", "create", "pytorchjobs", group="kubeflow.org", namespace="team")
    taken = await running.experiment(path, training, userInfo=ANNA)

    assert 'user "anna" may not create objects of the kind PyTorchJob (kubeflow.org/v1)' in text(
        refused
    )
    assert taken["allowed"]


@BOTH
async def test_a_right_in_another_namespace_does_not_count(
    running: Webhook, memory: MemoryCluster, path: str
) -> None:
    memory.grant("bert", "create", "jobs", group="batch", namespace="other")

    assert not (await running.experiment(path, experiment(), userInfo=BERT))["allowed"]


@BOTH
async def test_the_right_for_a_template_in_a_config_map_is_looked_up_by_its_text(
    running: Webhook, memory: MemoryCluster, path: str
) -> None:
    template = experiment(made_of(*PYTORCH))["spec"]["trialTemplate"]["trialSpec"]
    metadata = {"name": "templates", "namespace": "team"}
    data = {"job": json.dumps(template)}
    await memory.create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    )
    conditions = (
        spec("trialTemplate.successCondition", "status.done"),
        spec("trialTemplate.failureCondition", "status.failed"),
    )

    response = await running.experiment(
        path, experiment(in_a_config_map(), *conditions), userInfo=ANNA
    )

    assert "objects of the kind PyTorchJob" in text(response)


@BOTH
async def test_a_user_with_fewer_rights_cannot_change_an_experiment_of_others(
    running: Webhook, path: str
) -> None:
    more = experiment(spec("maxTrialCount", 9))

    taken = await running.experiment(path, more, experiment(), userInfo=ANNA)
    refused = await running.experiment(path, more, experiment(), userInfo=BERT)

    assert taken["allowed"]
    assert 'user "bert" may not create' in text(refused)


@BOTH
async def test_a_kind_without_a_namespace_is_refused_even_to_administrators_who_have_listed_it(
    memory: MemoryCluster, path: str
) -> None:
    listed = "init: {controller: {trialResources: [PersistentVolume.v1.]}}"
    async with webhook(memory, settings=Settings(config=parse_config(listed))) as running:
        response = await running.experiment(path, experiment(made_of(*VOLUME)))

    assert "objects of the kind PersistentVolume (v1) are not in a namespace" in text(response)


async def test_the_right_for_a_kind_that_is_not_served_yet_is_looked_up_by_its_usual_name(
    running: Webhook, memory: MemoryCluster
) -> None:
    later = experiment(made_of("ray.io/v1", "RayJob"))

    refused = await running.experiment(MUTATE, later, userInfo=ANNA)
    memory.grant("anna", "create", "rayjobs", group="ray.io")
    taken = await running.experiment(MUTATE, later, userInfo=ANNA)

    assert "RayJob (ray.io/v1)" in text(refused)
    assert taken["allowed"]


@pytest.mark.parametrize(
    ("kind", "plural"), [("Job", "jobs"), ("Policy", "policies"), ("Box", "boxes")]
)
def test_the_usual_name_is_the_plural(kind: str, plural: str) -> None:
    assert usual_resource(Kind(api_version="a/v1", kind=kind)).plural == plural


async def test_the_api_server_is_asked_with_all_facts_about_the_user(memory: MemoryCluster) -> None:
    heard: list[Access] = []

    async def decide(access: Access) -> Decision:
        heard.append(access)
        return Decision(allowed=True)

    memory.decide = decide  # type: ignore[method-assign]
    async with served(memory) as server, plain(server.url) as cluster:
        async with webhook(cluster) as running:
            assert (await running.experiment(MUTATE, experiment(), userInfo=ANNA))["allowed"]
        _asked_once(server)

    (access,) = heard
    assert (access.verb, access.group, access.resource) == ("create", "batch", "jobs")
    assert access.namespace == "team"
    assert (access.requester.name, access.requester.uid) == ("anna", "7")
    assert access.requester.groups == ("developers", "system:authenticated")
    assert access.requester.extra == {"example.org/city": ("Berlin",)}


def _asked_once(server: ApiServer) -> None:
    assert server.asked["create SubjectAccessReview"] == 1


class Silent(MemoryCluster):
    """A cluster that does not answer about rights."""

    async def decide(self, access: Access) -> Decision:
        raise Unavailable(f"no answer about {access.resource}")


@BOTH
async def test_while_rights_cannot_be_looked_up_experiments_are_refused(path: str) -> None:
    async with webhook(Silent(namespaces=("team",))) as running:
        response = await running.experiment(path, experiment(), within="300ms", userInfo=ANNA)

    assert response["status"]["code"] == 503
    assert "cannot look up whether user" in text(response)
    assert text(response).endswith(": no answer about jobs; try again")


class Unasked(MemoryCluster):
    """A cluster that must not be asked for rights."""

    async def decide(self, access: Access) -> Decision:
        raise AssertionError(access)


@BOTH
async def test_no_right_is_looked_up_if_the_spec_does_not_change(path: str) -> None:
    async with webhook(Unasked(namespaces=("team",))) as running:
        new = experiment(put("metadata.labels", {"a": "b"}))
        assert (await running.experiment(path, new, experiment(), userInfo=BERT))["allowed"]


# -- the annotation of the experiment --------------------------------------------------------


def annotated(value: str) -> Change:
    return put("metadata.annotations", {AUTHOR_ANNOTATION: value, "note": "mine"})


async def test_the_kind_that_the_author_may_create_is_stored_in_the_experiment(
    running: Webhook,
) -> None:
    document = experiment()
    response = await running.experiment(MUTATE, document, userInfo=ANNA)

    assert annotation(patched(document, response)) == "Job.batch"


async def test_a_forged_annotation_is_overwritten_and_others_stay(running: Webhook) -> None:
    document = experiment(annotated("RoleBinding.rbac.authorization.k8s.io"))
    stored = patched(document, await running.experiment(MUTATE, document, userInfo=ANNA))

    assert annotation(stored) == "Job.batch"
    assert stored["metadata"]["annotations"]["note"] == "mine"


async def test_an_annotation_that_is_forged_later_is_restored(running: Webhook) -> None:
    forged, stored = experiment(annotated("Secret.")), experiment(annotated("Job.batch"))

    for new, old, wanted in (
        (forged, stored, "Job.batch"),
        (experiment(), stored, "Job.batch"),
        (forged, experiment(), None),
    ):
        response = await running.experiment(MUTATE, new, old, userInfo=ANNA)
        assert annotation(patched(new, response)) == wanted


async def test_an_experiment_whose_annotation_another_webhook_changed_is_refused(
    running: Webhook,
) -> None:
    forged, stored = experiment(annotated("Secret.")), experiment(annotated("Job.batch"))

    for new, old in ((forged, None), (forged, stored), (forged, experiment())):
        response = await running.experiment(VALIDATE, new, old, userInfo=ANNA)
        assert "only the webhook may set this annotation" in text(response)
    assert (await running.experiment(VALIDATE, stored, userInfo=ANNA))["allowed"]


# -- trials by hand -------------------------------------------------------------------------


async def test_a_trial_by_hand_is_allowed_if_its_author_may_create_its_job(
    running: Webhook,
) -> None:
    assert (await trial_review(running, trial(), userInfo=ANNA))["allowed"]
    assert 'user "bert" may not create objects of the kind Job' in text(
        await trial_review(running, trial(), userInfo=BERT)
    )


@pytest.mark.parametrize("kind", [VOLUME, BINDING, ("v1", "Secret"), ("", ""), ("batch/v1", "")])
async def test_a_trial_by_hand_of_an_unlisted_kind_is_always_refused(
    running: Webhook, kind: tuple[str, str]
) -> None:
    response = await trial_review(running, trial(*kind))

    assert "spec.runSpec: Forbidden: trials of the kind" in text(response)
    assert response["status"]["details"]["kind"] == "Trial"
    labels = {"path": "validate-trial", "verdict": "refuse"}
    assert await running.metric("trialwatch_webhook_experiment_reviews_total", **labels) == 1


async def test_a_trial_cannot_be_changed_to_a_kind_that_the_user_may_not_create(
    running: Webhook,
) -> None:
    refused = await trial_review(running, trial(*PYTORCH), trial(), userInfo=ANNA)
    also_refused = await trial_review(running, trial(*VOLUME), trial())

    assert "objects of the kind PyTorchJob" in text(refused)
    assert "trials of the kind" in text(also_refused)


async def test_no_right_is_looked_up_for_the_controllers_trials_or_without_a_new_spec() -> None:
    async with webhook(Unasked(namespaces=("team",))) as running:
        labelled = trial(labels={"a": "b"})
        nothing = {**trial(), "spec": {}}
        for answer in (
            await trial_review(running, trial(), userInfo=CONTROLLER),
            await trial_review(running, labelled, trial(), userInfo=BERT),
            await trial_review(running, nothing, userInfo=BERT),
        ):
            assert answer["allowed"]


async def test_another_namespaces_account_is_not_the_controller(running: Webhook) -> None:
    namesake = {"username": f"system:serviceaccount:team:{OWN_CONTROLLER}"}

    assert "may not create" in text(await trial_review(running, trial(), userInfo=namesake))


async def test_while_rights_cannot_be_looked_up_trials_are_refused() -> None:
    async with webhook(Silent(namespaces=("team",))) as running:
        response = await trial_review(running, trial(), userInfo=ANNA, within="300ms")

    assert response["status"]["code"] == 503


async def test_a_request_about_another_kind_is_refused(running: Webhook) -> None:
    body = json.dumps(asked(trial())).encode()

    answer = await running.post(body, path=PATH)

    assert answer.status == 400
    assert "only the creation and change of trials" in answer.text


@pytest.mark.parametrize("document", [None, [], "trial", {"spec": []}])
async def test_a_document_that_is_not_a_trial_is_left_to_the_api_server(
    running: Webhook, document: object
) -> None:
    assert (await trial_review(running, document, userInfo=BERT))["allowed"]


# -- templates in ConfigMaps of other namespaces --------------------------------------------


async def _stored(memory: MemoryCluster, namespace: str, **data: str) -> None:
    metadata = {"name": "templates", "namespace": namespace}
    await memory.create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    )


@pytest.fixture
def two_teams() -> MemoryCluster:
    """Anna may create Jobs in her namespace; the namespace `other` is none of hers."""
    made = MemoryCluster(KNOWN, namespaces=("team", "other"))
    made.grant("anna", "create", "jobs", group="batch", namespace="team")
    return made


@BOTH
@pytest.mark.parametrize("data", [None, {"x": "secret"}, {"job": "secret"}], ids=repr)
async def test_a_config_map_of_another_namespace_that_the_author_may_not_read_stays_unknown(
    two_teams: MemoryCluster, path: str, data: dict[str, str] | None
) -> None:
    """The answer is the same whether the ConfigMap exists and whatever it contains."""
    if data is not None:
        await _stored(two_teams, "other", **data)
    async with webhook(two_teams) as running:
        response = await running.experiment(
            path, experiment(in_a_config_map(namespace="other")), userInfo=ANNA
        )

    assert not response["allowed"]
    assert text(response) == (
        'spec.trialTemplate.configMap: Forbidden: user "anna" may not read ConfigMap'
        " other/templates, so their trials may not either; copy the template into a ConfigMap in"
        " the namespace team, or ask an administrator for the right to get that ConfigMap"
    )


@BOTH
async def test_an_author_who_may_read_a_config_map_of_another_namespace_may_use_it(
    two_teams: MemoryCluster, path: str
) -> None:
    template = experiment()["spec"]["trialTemplate"]["trialSpec"]
    await _stored(two_teams, "other", job=json.dumps(template))
    two_teams.grant("anna", "get", "configmaps", namespace="other")
    async with webhook(two_teams) as running:
        response = await running.experiment(
            path, experiment(in_a_config_map(namespace="other")), userInfo=ANNA
        )

    assert response["allowed"], response


async def test_the_right_to_read_is_looked_up_for_that_config_map_alone(
    two_teams: MemoryCluster,
) -> None:
    heard: list[Access] = []

    async def decide(access: Access) -> Decision:
        heard.append(access)
        return Decision(allowed=False, reason="the reason of the authorizer")

    two_teams.decide = decide  # type: ignore[method-assign]
    document = experiment(in_a_config_map(namespace="other"))
    async with (
        served(two_teams) as server,
        plain(server.url) as cluster,
        webhook(cluster) as running,
    ):
        await running.experiment(MUTATE, document, userInfo=ANNA)

    (access,) = heard
    assert (access.verb, access.group, access.resource) == ("get", "", "configmaps")
    assert (access.namespace, access.name) == ("other", "templates")
    assert access.requester.name == "anna"


@BOTH
async def test_while_the_right_to_read_cannot_be_looked_up_experiments_are_refused(
    path: str,
) -> None:
    async with webhook(Silent(namespaces=("team",))) as running:
        response = await running.experiment(
            path,
            experiment(in_a_config_map(namespace="other")),
            within="300ms",
            userInfo=ANNA,
        )

    assert response["status"]["code"] == 503
    assert text(response) == (
        'spec.trialTemplate.configMap: cannot look up whether user "anna" may read ConfigMap'
        " other/templates: no answer about configmaps; try again"
    )
