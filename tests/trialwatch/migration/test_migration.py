"""A migration on a cluster in memory: forth, back, and interrupted at any act."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.errors import SetupError, UserError
from api.names import CONFIG_MAP, CONFIG_MAP_KEY, EXPERIMENT_LABEL
from kube.cluster import Ref
from tests.trialwatch.migration.katib_cluster import (
    IMAGES,
    NAMESPACE,
    FolderKubectl,
    KatibCluster,
    deployment,
    experiment,
    installation,
    katib_installed,
    snapshot,
)
from trialwatch.migration import acts
from trialwatch.migration import installed_names as names
from trialwatch.migration.cluster_survey import look
from trialwatch.migration.effects import Effects
from trialwatch.migration.katib_config import Stage
from trialwatch.migration.performer import Performer
from trialwatch.migration.plan import STAGES, Step, steps_back, steps_forth
from trialwatch.migration.report import plan_lines, survey_lines
from trialwatch.migration.survey import Survey, survey_of
from trialwatch.migration.taking_over import take

_EVERY_ACT = 25
"""One more than the acts of the way forth, and at least as many as those of the way back."""


async def no_pause(_seconds: float) -> None:
    return


def performer(cluster: KatibCluster) -> Performer:
    effects = Effects(cluster=cluster, namespace=NAMESPACE, patience=1, pause=no_pause)
    return Performer(
        effects=effects, kubectl=FolderKubectl(cluster), folder=Path("/f"), images=IMAGES
    )


async def seen(cluster: KatibCluster) -> Survey:
    return survey_of(await look(cluster, NAMESPACE), IMAGES)


async def forth(cluster: KatibCluster, last: Stage = Stage.CONTROLLER) -> None:
    await take(steps_forth(await seen(cluster), last), performer(cluster), lambda _: None)


async def back(cluster: KatibCluster, last: Stage = Stage.KATIB) -> None:
    await take(steps_back(await seen(cluster), last), performer(cluster), lambda _: None)


def acts_of(steps: tuple[Step, ...]) -> list[acts.Act]:
    return [act for step in steps for act in step.acts]


async def test_all_steps_are_done_and_there_is_nothing_left_to_do() -> None:
    async with katib_installed(experiment("a")) as cluster:
        await forth(cluster)

        survey = await seen(cluster)
        assert survey.done == set(STAGES)
        assert steps_forth(survey, Stage.CONTROLLER) == ()


async def test_going_back_leaves_the_cluster_as_it_was() -> None:
    async with katib_installed(experiment("a")) as cluster:
        before = await snapshot(cluster)

        await forth(cluster)
        assert await snapshot(cluster) != before
        await back(cluster)

        assert await snapshot(cluster) == before


@pytest.mark.parametrize("last", STAGES)
async def test_one_may_stop_at_any_step_and_go_back_to_it(last: Stage) -> None:
    async with katib_installed() as cluster:
        await forth(cluster, last)
        halfway = await snapshot(cluster)
        assert (await seen(cluster)).done >= {stage for stage in STAGES if stage <= last}

        await forth(cluster)
        await back(cluster, last)

        assert await snapshot(cluster) == halfway


@pytest.mark.parametrize("count", range(_EVERY_ACT))
async def test_interrupted_after_any_act_it_goes_on_when_it_is_said_again(count: int) -> None:
    async with katib_installed() as straight:
        await forth(straight)
        wanted = await snapshot(straight)
    async with katib_installed() as cluster:
        before = await snapshot(cluster)
        await _first(cluster, steps_forth(await seen(cluster), Stage.CONTROLLER), count)

        await forth(cluster)
        assert await snapshot(cluster) == wanted

        await _first(cluster, steps_back(await seen(cluster), Stage.KATIB), count)
        await back(cluster)
        assert await snapshot(cluster) == before


async def _first(cluster: KatibCluster, steps: tuple[Step, ...], count: int) -> None:
    """Perform the first acts only, as a command that is killed."""
    acting = performer(cluster)
    for act in acts_of(steps)[:count]:
        await acting.perform(act)


@pytest.mark.parametrize("count", range(_EVERY_ACT))
async def test_a_part_of_a_migration_can_be_taken_back_at_once(count: int) -> None:
    async with katib_installed() as cluster:
        before = await snapshot(cluster)
        await _first(cluster, steps_forth(await seen(cluster), Stage.CONTROLLER), count)

        await back(cluster)

        assert await snapshot(cluster) == before


@pytest.mark.parametrize("stage", STAGES)
async def test_what_was_applied_and_is_not_ready_yet_is_taken_back(stage: Stage) -> None:
    async with katib_installed() as cluster:
        before = await snapshot(cluster)
        steps = steps_forth(await seen(cluster), Stage.CONTROLLER)
        done = acts_of(tuple(step for step in steps if step.stage < stage))
        own = acts_of(tuple(step for step in steps if step.stage == stage))
        deployment_name = next(act.deployment for act in own if isinstance(act, acts.Ready))
        await _first(cluster, steps, len(done) + own.index(acts.Ready(deployment_name)))
        cluster.starting = deployment_name

        await back(cluster)

        assert await snapshot(cluster) == before


async def test_katibs_controller_has_no_pods_before_trialwatchs_is_applied() -> None:
    async with katib_installed() as cluster:
        every = acts_of(steps_forth(await seen(cluster), Stage.CONTROLLER))

    stop, start = acts.Stop(names.KATIB_CONTROLLER), acts.Apply("controller")
    assert every.index(stop) < every.index(start)
    assert len(every) + 1 == _EVERY_ACT


async def test_the_suggestions_of_running_experiments_are_complete_after_the_way_back() -> None:
    suggestion: dict[str, Any] = {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Suggestion",
        "metadata": {"name": "a", "namespace": "team"},
    }
    trial: dict[str, Any] = {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Trial",
        "metadata": {"name": "a-1", "namespace": "team", "labels": {EXPERIMENT_LABEL: "a"}},
        "spec": {"parameterAssignments": [{"name": "x", "value": "1"}]},
    }
    async with katib_installed(experiment("a"), suggestion, trial) as cluster:
        await forth(cluster)
        await back(cluster)

        ref = Ref(api_version="kubeflow.org/v1beta1", kind="Suggestion", namespace="team", name="a")
        found: Any = await cluster.get(ref)
        assert [one["name"] for one in found["status"]["suggestions"]] == ["a-1"]
        assert found["status"]["suggestionCount"] == 1


async def test_without_katib_the_error_says_what_to_give() -> None:
    cluster = KatibCluster()

    with pytest.raises(UserError, match=r"there is no Katib in the namespace kubeflow.*--core-nam"):
        await seen(cluster)


async def test_another_database_is_refused_by_its_name() -> None:
    cluster = KatibCluster()
    for document in installation(database="oracle"):
        await cluster.create(document)

    with pytest.raises(SetupError, match=r"DB_NAME='oracle'.*mysql and postgres"):
        await seen(cluster)


@pytest.mark.parametrize("kind", ["PrometheusMetric", "TensorFlowEvent", "Push"])
async def test_a_running_experiment_of_any_collector_kind_lets_all_steps_be_taken(
    kind: str,
) -> None:
    async with katib_installed(experiment("running", collector=kind)) as cluster:
        survey = await seen(cluster)

        assert Stage.WEBHOOK in [step.stage for step in steps_forth(survey, Stage.WEBHOOK)]


async def test_a_way_back_without_what_was_saved_says_what_to_do() -> None:
    async with katib_installed() as cluster:
        await cluster.create(deployment(names.CONTROLLER))

        with pytest.raises(UserError, match="no ConfigMap trialwatch-migration in kubeflow"):
            steps_back(await seen(cluster), Stage.KATIB)


async def test_what_keeps_a_deployment_from_being_ready_is_said() -> None:
    async with katib_installed() as cluster:
        effects = Effects(cluster=cluster, namespace=NAMESPACE, patience=1, pause=no_pause)

        with pytest.raises(Exception, match=r"waited 1 s .* absent does not exist; correct it and"):
            await effects.ready("absent")


async def test_the_report_says_who_serves_what_and_what_stays_katibs() -> None:
    async with katib_installed(experiment("a"), experiment("b", "Failed")) as cluster:
        await forth(cluster, Stage.WEBHOOK)
        survey = await seen(cluster)

    assert survey_lines(survey) == [
        "Katib v0.19.0 in the namespace kubeflow, with MySQL",
        "experiments: 1 running (team/a), 1 ended",
        "store      trialwatch",
        "webhook    trialwatch",
        "search     Katib",
        "controller Katib",
        "algorithms that stay Katib's, with its images: evolution",
        "UI: Katib's stays, because trialwatch has none; it reads the same objects",
    ]
    lines = plan_lines(steps_forth(survey, Stage.SEARCH))
    assert (
        lines[0]
        == "1. search: new experiments search with trialwatch's image, and its service starts"
    )
    assert "     kubectl apply -k search" in lines


async def test_an_edit_of_katib_config_is_neither_lost_nor_a_reason_to_begin_anew() -> None:
    async with katib_installed() as cluster:
        await forth(cluster)
        await _edit(cluster, CONFIG_MAP)
        edited = await snapshot(cluster)
        assert steps_forth(await seen(cluster), Stage.CONTROLLER) == ()

        with pytest.raises(UserError, match=r"katib-config was edited .* ConfigMap trialwatch-m"):
            await back(cluster)

        assert await snapshot(cluster) == edited
        await _edit(cluster, names.SAVED)
        await back(cluster)
        config: Any = await cluster.get(names.config_map(NAMESPACE, CONFIG_MAP))
        assert "webhookPort: 9443" in config["data"][CONFIG_MAP_KEY]


async def _edit(cluster: KatibCluster, name: str) -> None:
    """Change a setting of katib-config, as an administrator does."""
    ref = names.config_map(NAMESPACE, name)
    document: Any = await cluster.get(ref)
    text = document["data"][CONFIG_MAP_KEY].replace("8443", "9443")
    await cluster.patch(ref, {"data": {CONFIG_MAP_KEY: text}})
