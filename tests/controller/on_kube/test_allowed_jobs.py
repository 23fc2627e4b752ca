"""Trials that a tenant writes by hand do not get the controller's own rights."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from api.errors import RemoteError, Unavailable
from api.installation.trial_kinds import TrialKind, TrialKinds
from api.names import AUTHOR_ANNOTATION
from api.objects.experiments import render_experiment
from api.objects.trials import render_trial
from api.types import JsonObject, ObjectMeta, Trial, TrialSpec
from controller.driver.ports import Jobs
from controller.on_kube.allowed_jobs import AllowedJobs
from controller.reconcile.views import JobFacts
from kube.cluster import Kind, Scope
from kube.testing.memory import MemoryCluster
from tests.controller.experiment_harness import JOB, experiment, template
from tests.controller.leader_harness import LeaderHarness, RefusingCluster
from tests.virtual_time import in_virtual_time

_RBAC = "rbac.authorization.k8s.io"
VOLUME: JsonObject = {
    "apiVersion": "v1",
    "kind": "PersistentVolume",
    "spec": {"capacity": {"storage": "1Gi"}, "hostPath": {"path": "/"}},
}
BINDING: JsonObject = {
    "apiVersion": f"{_RBAC}/v1",
    "kind": "RoleBinding",
    "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "trialwatch-controller"},
    "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "ns"}],
}
ATTACKS = {"a volume of the node": VOLUME, "the controller's own role": BINDING}
VOLUMES = TrialKinds((TrialKind(group="", version="v1", kind="PersistentVolume"),))


def kind_in(document: JsonObject) -> Kind:
    return Kind(api_version=str(document["apiVersion"]), kind=str(document["kind"]))


def by_hand(run_spec: JsonObject) -> Trial:
    """Return a trial as a user with the right to edit the namespace writes it."""
    metadata = ObjectMeta(name="mine", namespace="ns")
    spec = TrialSpec(run_spec=run_spec, success_condition="status.a", failure_condition="status.b")
    return Trial(metadata=metadata, spec=replace(spec, objective=experiment().spec.objective))


async def after_a_minute(harness: LeaderHarness, attack: JsonObject) -> list[Any]:
    """Let the controller work on what is there; return the objects of the attack's kind."""
    async with harness.leading():
        await asyncio.sleep(60)
    return list((await MemoryCluster.list(harness.cluster, Scope(kind_in(attack)))).items)


@pytest.mark.parametrize("name", ATTACKS)
def test_a_trial_by_hand_is_given_nothing_that_is_not_a_job(name: str) -> None:
    async def test() -> None:
        harness = LeaderHarness(RefusingCluster())
        await harness.cluster.create(render_trial(by_hand(ATTACKS[name])))

        assert await after_a_minute(harness, ATTACKS[name]) == []

        (trial,) = await harness.trials()
        last = trial.status.conditions[-1]
        assert (last.type, last.reason) == ("Failed", "TrialFailed")
        assert "are not allowed here, only" in last.message
        assert "trialResources of katib-config" in harness.event_messages("JobNotStarted")[0]

    in_virtual_time(test())


@pytest.mark.parametrize("name", ATTACKS)
def test_an_experiment_that_no_webhook_has_judged_is_given_nothing_either(name: str) -> None:
    async def test() -> None:
        harness = LeaderHarness(RefusingCluster())
        made = experiment(
            trial_template=template(
                trial_spec={**JOB, **ATTACKS[name]},
                success_condition="status.a",
                failure_condition="status.b",
            )
        )
        await harness.cluster.create(render_experiment(made))

        assert await after_a_minute(harness, ATTACKS[name]) == []

    in_virtual_time(test())


def test_a_kind_that_is_not_in_a_namespace_is_not_created_even_where_it_is_listed() -> None:
    async def test() -> None:
        harness = LeaderHarness(RefusingCluster(), trial_kinds=VOLUMES)
        await harness.cluster.create(render_trial(by_hand(VOLUME)))

        assert await after_a_minute(harness, VOLUME) == []

        assert "are not in a namespace" in harness.event_messages("JobNotStarted")[0]

    in_virtual_time(test())


def test_the_job_is_in_the_trials_own_namespace_whatever_the_trial_says() -> None:
    async def test() -> None:
        harness = LeaderHarness(RefusingCluster())
        elsewhere = json.loads(json.dumps(JOB)) | {
            "metadata": {"name": "other", "namespace": "kubeflow"}
        }
        await harness.cluster.create(render_trial(by_hand(elsewhere)))

        made = await after_a_minute(harness, JOB)

        assert [(m["namespace"], m["name"]) for m in (job["metadata"] for job in made)] == [
            ("ns", "mine")
        ]

    in_virtual_time(test())


@pytest.mark.parametrize(("checked", "jobs"), [("Job.batch", 2), ("TFJob.kubeflow.org", 0)])
def test_a_template_that_has_become_of_another_kind_since_its_author_was_asked_about_makes_no_trial(
    checked: str, jobs: int
) -> None:
    async def test() -> None:
        harness = LeaderHarness(RefusingCluster())
        made = experiment()
        kept = replace(made.metadata, annotations={AUTHOR_ANNOTATION: checked})
        await harness.cluster.create(render_experiment(replace(made, metadata=kept)))

        assert len(await after_a_minute(harness, JOB)) == jobs

        cause = "" if jobs else 'was checked for the kind "TFJob.kubeflow.org"'
        found = await harness.experiment()
        assert found is not None
        assert cause in found.status.conditions[-1].message
        assert len(await harness.trials()) == jobs

    in_virtual_time(test())


class Untouched:
    """Jobs that must not be asked for anything."""

    async def look(self, trial: Trial) -> JobFacts:
        raise AssertionError(trial)

    async def create(self, trial: Trial, document: JsonObject) -> None:
        raise AssertionError(trial, document)

    async def delete(self, trial: Trial) -> None:
        raise AssertionError(trial)


def allowed(jobs: Jobs, cluster: MemoryCluster) -> AllowedJobs:
    return AllowedJobs(jobs, TrialKinds, cluster.resource_of)


async def test_an_object_of_another_kind_is_neither_looked_at_nor_deleted() -> None:
    jobs = allowed(Untouched(), MemoryCluster())

    assert await jobs.look(by_hand(VOLUME)) == JobFacts()
    await jobs.delete(by_hand(VOLUME))
    with pytest.raises(RemoteError, match=r"spec\.runSpec: trials of the kind"):
        await jobs.create(by_hand(VOLUME), VOLUME)


async def test_a_kind_that_the_cluster_does_not_serve_yet_is_waited_for() -> None:
    cluster = MemoryCluster(resources=(), namespaces=())

    with pytest.raises(Unavailable, match="does not serve the kind Job"):
        await allowed(Untouched(), cluster).create(by_hand(JOB), JOB)
