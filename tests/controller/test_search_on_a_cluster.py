"""Experiments whose search is deployed, called at an endpoint, or ours: over HTTP and gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from api.objects.experiments import render_experiment
from api.objects.suggestions import parse_suggestion
from api.objects.validation_update import completed
from api.types import (
    AlgorithmSpec,
    EarlyStoppingSpec,
    Experiment,
    ResumePolicy,
    Suggestion,
)
from kube.cluster import Kind, Ref, Scope
from kube.errors import NotFound
from tests.controller.experiment_harness import experiment
from tests.controller.fake_services import FakeServices, fake_services
from tests.controller.katib_search_service import KatibSearchService, katib_search_service

DEPLOYED = "runtime: {suggestions: [{algorithmName: theirs, image: example/search:1}]}"
SUGGESTION = Kind(api_version="kubeflow.org/v1beta1", kind="Suggestion")


def theirs(**spec: object) -> Experiment:
    return experiment(**{"algorithm": AlgorithmSpec(name="theirs"), **spec})  # type: ignore[arg-type]


def ref(kind: str, name: str = "exp-theirs") -> Ref:
    api_version = "apps/v1" if kind == "Deployment" else "v1"
    return Ref(api_version=api_version, kind=kind, namespace="ns", name=name)


async def there(fakes: FakeServices, kind: str, name: str = "exp-theirs") -> bool:
    try:
        await fakes.memory.get(ref(kind, name))
    except NotFound:
        return False
    return True


async def make_available(fakes: FakeServices, name: str = "exp-theirs") -> None:
    """Play the Deployment controller, and the node that starts the pod."""
    condition = {"type": "Available", "status": "True"}
    status: Any = {"conditions": [condition]}
    await fakes.memory.patch(ref("Deployment", name), {"status": status}, status=True)


async def suggestion_of(fakes: FakeServices) -> Suggestion:
    listing = await fakes.memory.list(Scope(SUGGESTION, "ns"))
    return parse_suggestion(listing.items[0], unknown_fields=False)


async def conditions_of(fakes: FakeServices) -> dict[str, tuple[str, str]]:
    found = (await suggestion_of(fakes)).status.conditions
    return {one.type: (one.status.value, one.reason) for one in found}


@asynccontextmanager
async def beside(service: KatibSearchService) -> AsyncIterator[FakeServices]:
    """Bring all up, and a service of Katib's where the names of Services lead."""
    async with fake_services() as fakes, katib_search_service(service) as address:
        fakes.katib_config = DEPLOYED
        for port in (6788, 6789):
            fakes.addresses[f"exp-theirs.ns:{port}"] = address
            fakes.addresses[f"exp-random.ns:{port}"] = address
        yield fakes


async def train_to_the_end(fakes: FakeServices) -> None:
    async def over() -> bool:
        for name in await fakes.jobs():
            await fakes.train(name, "0.5")
        return completed(await fakes.experiment())

    await fakes.until(over)


async def test_a_deployed_search_is_waited_for_asked_and_taken_away() -> None:
    service = KatibSearchService()
    async with beside(service) as fakes:
        await _is_deployed_and_taken_away(fakes, service)


async def _is_deployed_and_taken_away(fakes: FakeServices, service: KatibSearchService) -> None:
    await fakes.memory.create(render_experiment(theirs()))
    async with fakes.controller():
        await fakes.until(lambda: there(fakes, "Deployment"))
        assert (await conditions_of(fakes))["DeploymentReady"] == ("False", "DeploymentNotReady")
        assert await there(fakes, "Service")
        assert service.validated == 0
        assert (await suggestion_of(fakes)).spec.requests == 2
        await make_available(fakes)

        await fakes.until(lambda: _has_condition(fakes, "Running", "True"))
        found = await suggestion_of(fakes)
        assert [one.type for one in found.status.conditions] == [
            "Created",
            "DeploymentReady",
            "Running",
        ]
        assert found.status.suggestion_count == 2
        assert {one.name: one.value for one in found.status.settings} == {"given": "2"}
        await train_to_the_end(fakes)
        await fakes.until(lambda: _gone(fakes))

    assert (await conditions_of(fakes))["DeploymentReady"] == ("False", "Suggestion is succeeded")
    assert (await conditions_of(fakes))["Succeeded"] == ("True", "Experiment is succeeded")
    assert (await suggestion_of(fakes)).spec.requests == 4
    assert (await suggestion_of(fakes)).status.suggestion_count == 4
    assert service.validated == 1
    reminded = service.questions[1].experiment.spec.algorithm.algorithm_settings
    assert [(one.name, one.value) for one in reminded] == [("given", "2")]


async def _has_condition(fakes: FakeServices, kind: str, status: str) -> bool:
    return (await conditions_of(fakes)).get(kind, ("", ""))[0] == status


async def _gone(fakes: FakeServices) -> bool:
    kept = (await conditions_of(fakes))["DeploymentReady"][1] != "Suggestion is succeeded"
    return not kept and not await there(fakes, "Deployment") and not await there(fakes, "Service")


@pytest.mark.parametrize("policy", [ResumePolicy.LONG_RUNNING, ResumePolicy.FROM_VOLUME])
async def test_a_restarted_experiment_has_its_search_again(policy: ResumePolicy) -> None:
    service = KatibSearchService()
    async with beside(service) as fakes:
        await _has_its_search_again(fakes, policy)


async def _has_its_search_again(fakes: FakeServices, policy: ResumePolicy) -> None:
    item = theirs(max_trial_count=1, parallel_trial_count=1, resume_policy=policy)
    await fakes.memory.create(render_experiment(item))
    kept = policy is ResumePolicy.LONG_RUNNING
    async with fakes.controller():
        await fakes.until(lambda: there(fakes, "Deployment"))
        await make_available(fakes)
        await train_to_the_end(fakes)
        if kept:
            assert await there(fakes, "Deployment")
        else:
            await fakes.until(lambda: _gone(fakes))
            assert await there(fakes, "PersistentVolumeClaim")
        raised: Any = {"spec": {"maxTrialCount": 2}}
        where = Ref(
            api_version="kubeflow.org/v1beta1", kind="Experiment", namespace="ns", name="exp"
        )
        await fakes.memory.patch(where, raised)
        await fakes.until(lambda: there(fakes, "Deployment"))
        await make_available(fakes)
        await fakes.until(lambda: _has_trials(fakes, 2))
        await train_to_the_end(fakes)


async def _has_trials(fakes: FakeServices, count: int) -> bool:
    return len(await fakes.trials()) == count


async def test_a_controller_that_dies_in_between_leaves_nothing_deployed() -> None:
    service = KatibSearchService()
    async with beside(service) as fakes:
        await fakes.memory.create(render_experiment(theirs(max_trial_count=1)))
        async with fakes.controller():
            await fakes.until(lambda: there(fakes, "Deployment"))
        await make_available(fakes)
        async with fakes.controller():
            await train_to_the_end(fakes)
        async with fakes.controller():
            await fakes.until(lambda: _gone(fakes))


async def test_an_exhausted_search_of_katibs_ends_the_experiment_when_its_trials_have() -> None:
    service = KatibSearchService(size=3)
    async with beside(service) as fakes:
        fakes.katib_config = DEPLOYED.replace("image: example/search:1", "endpoint: theirs.team:1")
        fakes.addresses["theirs.team:1"] = fakes.addresses["exp-theirs.ns:6789"]
        await fakes.memory.create(render_experiment(theirs(max_trial_count=10)))
        async with fakes.controller():
            await fakes.until(lambda: _has_trials(fakes, 2))
            await train_to_the_end(fakes)

        status = (await fakes.experiment()).status
        assert not await there(fakes, "Deployment")
    assert status.conditions[-1].reason == "ExperimentSuggestionEndReached"
    assert status.trials_succeeded == 3
    assert len(service.questions) < 12, "asked when something has changed, and not for ever"


async def test_a_search_that_stumbles_is_asked_less_and_less_and_says_why() -> None:
    service = KatibSearchService()
    async with beside(service) as fakes:
        await fakes.memory.create(render_experiment(theirs()))
        service.stumbles = "list index out of range"
        async with fakes.controller():
            await fakes.until(lambda: there(fakes, "Deployment"))
            await make_available(fakes)
            await fakes.until(lambda: _asked(service, 3))
            stalled = (await suggestion_of(fakes)).status.conditions[-1]
            questions = len(service.questions)
            service.stumbles = ""
            await fakes.until(lambda: _has_trials(fakes, 2))
            assert "Stalled" not in await conditions_of(fakes)

    assert (stalled.type, stalled.reason) == ("Stalled", "SearchNotAnswering")
    assert stalled.message.endswith(
        "the suggestion service at exp-theirs.ns:6789 did not answer: UNKNOWN: list index out of range"
    )
    assert questions <= 4
    assert [e.reason for e in fakes.events.all if "out of range" in e.message] == [
        "ReconcileError"
    ] * (questions)


async def _asked(service: KatibSearchService, times: int) -> bool:
    return len(service.questions) >= times


async def test_a_search_that_is_away_for_a_moment_is_no_failure() -> None:
    service = KatibSearchService()
    async with fake_services() as fakes:
        fakes.katib_config = DEPLOYED.replace("image: example/search:1", "endpoint: theirs.team:1")
        async with katib_search_service(service) as address:
            port = int(address.rpartition(":")[2])
        fakes.addresses["theirs.team:1"] = address
        await fakes.memory.create(render_experiment(theirs(max_trial_count=2)))
        async with fakes.controller():
            await fakes.until(lambda: _is_known(fakes))
            async with katib_search_service(service, port):
                await train_to_the_end(fakes)

        assert (await fakes.experiment()).status.trials_succeeded == 2
    assert [e.message for e in fakes.events.all if e.reason == "ReconcileError"] == []


async def _is_known(fakes: FakeServices) -> bool:
    return bool((await fakes.memory.list(Scope(SUGGESTION, "ns"))).items)


async def test_what_a_deployed_search_refuses_fails_the_experiment_and_is_taken_away() -> None:
    service = KatibSearchService(refuses="gamma should be in the range of (0, 1)")
    async with beside(service) as fakes:
        await fakes.memory.create(render_experiment(theirs()))
        async with fakes.controller():
            await fakes.until(lambda: there(fakes, "Deployment"))
            await make_available(fakes)
            await fakes.until(lambda: _not_deployed(fakes))

        failure = (await suggestion_of(fakes)).status.conditions
        status = (await fakes.experiment()).status
    (message,) = [one.message for one in failure if one.type == "Failed"]
    assert message == (
        "Validation failed: ValidateAlgorithmSettings Error: gamma should be in the range of (0, 1)"
    )
    assert status.conditions[-1].type == "Failed"


async def _not_deployed(fakes: FakeServices) -> bool:
    return (await conditions_of(fakes)).get("DeploymentReady") == ("False", "Suggestion is failed")


async def test_early_stopping_is_deployed_beside_our_search() -> None:
    service = KatibSearchService()
    async with beside(service) as fakes:
        fakes.katib_config = "runtime: {earlyStoppings: [{algorithmName: medianstop, image: i}]}"
        item = experiment(early_stopping=EarlyStoppingSpec(name="medianstop"))
        await fakes.memory.create(render_experiment(item))
        async with fakes.controller():
            await fakes.until(lambda: there(fakes, "Deployment", "exp-random"))
            await make_available(fakes, "exp-random")
            await fakes.until(lambda: _has_trials(fakes, 2))

        (rule, *_) = (await fakes.trials())[0].spec.stop_rules
        assert await there(fakes, "ServiceAccount", "exp-random")
        assert service.rules_for[0] == fakes.store.address
    assert (rule.name, rule.value, rule.start_step) == ("loss", "0.9", 4)
    assert service.questions == []


async def test_a_deployment_that_cannot_come_up_says_so() -> None:
    async with beside(KatibSearchService()) as fakes:
        await fakes.memory.create(render_experiment(theirs()))
        async with fakes.controller():
            await fakes.until(lambda: there(fakes, "Deployment"))
            failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
            status: Any = {"conditions": [failure]}
            await fakes.memory.patch(ref("Deployment"), {"status": status}, status=True)
            await fakes.until(lambda: _has_condition(fakes, "Stalled", "True"))

        stalled = (await suggestion_of(fakes)).status.conditions[-1]
    assert (
        "Deployment ns/exp-theirs (apps/v1) does not become available: exceeded quota"
        in stalled.message
    )


async def test_what_somebody_else_has_deployed_is_left_alone() -> None:
    async with beside(KatibSearchService()) as fakes:
        other: Any = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "exp-theirs", "namespace": "ns"},
        }
        await fakes.memory.create(other)
        await fakes.memory.create(render_experiment(theirs()))
        async with fakes.controller():
            await fakes.until(lambda: _is_known(fakes))
            await fakes.until(lambda: _has_condition(fakes, "Stalled", "True"))

        stalled = (await suggestion_of(fakes)).status.conditions[-1]
        assert "does not belong to this experiment; delete it" in stalled.message
        assert await there(fakes, "Deployment")


async def test_katibs_service_is_sent_the_history_that_katib_sends() -> None:
    service = KatibSearchService()
    async with beside(service) as fakes:
        fakes.katib_config = DEPLOYED.replace("image: example/search:1", "endpoint: theirs.team:1")
        fakes.addresses["theirs.team:1"] = fakes.addresses["exp-theirs.ns:6789"]
        item = replace(theirs(max_trial_count=3, parallel_trial_count=1))
        await fakes.memory.create(render_experiment(item))
        losses = iter(("nan", "0.5", "0.25"))
        async with fakes.controller():

            async def over() -> bool:
                for name in await fakes.jobs():
                    await fakes.train(name, next(losses))
                return completed(await fakes.experiment())

            await fakes.until(over)

    assert [len(question.trials) for question in service.questions] == [0, 0, 1]
    assert [q.total_request_number for q in service.questions] == [1, 2, 3]
