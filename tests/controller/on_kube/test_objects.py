"""Objects in a cluster: own writes are read at once, those of others soon after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from api.errors import RemoteError
from api.objects.experiments import render_experiment
from api.types import (
    Assignment,
    ConditionType,
    ConfigMapSource,
    ExperimentStatus,
    Observation,
    ObservedMetric,
    SuggestedTrial,
    Trial,
    TrialStatus,
)
from controller.driver.ports import Conflict
from controller.on_kube.objects import (
    EXPERIMENT,
    SUGGESTION,
    TRIAL,
    ChangeListeners,
    ClusterObjects,
)
from controller.reconcile.creation import trial_of
from controller.reconcile.suggestions import suggestion_of, with_requests
from controller.reconcile.trial_transitions import end_trial, mark_running
from controller.reconcile.views import Key
from kube.cluster import Cluster, Kind, Ref
from kube.resources import KNOWN
from kube.testing.apiserver import served
from kube.testing.memory import MemoryCluster
from kube.watch_cache import Pace
from tests.controller.experiment_harness import START, experiment
from tests.kube.test_client import plain
from tests.polling import eventually

KEY = Key(namespace="ns", name="exp")
TRIAL_KEY = Key(namespace="ns", name="exp-1")


@pytest.fixture
def memory() -> MemoryCluster:
    return MemoryCluster(namespaces=("ns", "other"))


@pytest.fixture(params=["in memory", "over HTTP"])
async def cluster(request: pytest.FixtureRequest, memory: MemoryCluster) -> AsyncIterator[Cluster]:
    if request.param == "in memory":
        yield memory
        return
    async with served(memory) as server, plain(server.url) as client:
        yield client


@asynccontextmanager
async def objects_of(
    cluster: Cluster, *, watching: bool = True, notified: list[Key] | None = None
) -> AsyncIterator[ClusterObjects]:
    """Give objects whose watches run, or (the watch lags behind for ever) do not."""
    notified = [] if notified is None else notified
    changed = ChangeListeners(experiment=notified.append, trial=notified.append)
    objects = ClusterObjects(cluster, changed, pace=Pace(first_seconds=0.01))
    mirrors = (objects.experiments, objects.suggestions, objects.all_trials)
    tasks = [asyncio.create_task(mirror.cache.run()) for mirror in mirrors] if watching else []
    try:
        for mirror in mirrors if watching else ():
            await mirror.cache.synced()
        yield objects
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def trial(name: str = "exp-1", value: str = "0.1") -> Trial:
    entry = SuggestedTrial(name=name, assignments=(Assignment(name="lr", value=value),))
    return trial_of(experiment(), entry, None)


async def stored(cluster: Cluster, kind: Kind, key: Key) -> Any:  # noqa: ANN401 - the document's own
    return await cluster.get(
        Ref(api_version=kind.api_version, kind=kind.kind, namespace=key.namespace, name=key.name)
    )


async def test_what_was_created_is_there_at_once_though_the_watch_has_not_seen_it(
    cluster: Cluster,
) -> None:
    async with objects_of(cluster, watching=False) as objects:
        await objects.create(trial())
        await objects.create(suggestion_of(experiment()))

        found = await objects.trial(TRIAL_KEY)
        assert found is not None
        assert found.metadata.uid
        assert found.spec == trial().spec
        assert await objects.trials(KEY) == [found]
        assert await objects.suggestion(KEY) is not None
        assert await objects.trials(Key(namespace="other", name="exp")) == []


async def test_writes_of_others_are_seen_and_reported(cluster: Cluster) -> None:
    async with objects_of(cluster) as objects:
        await cluster.create(render_experiment(experiment()))

        await eventually(lambda: objects.experiments.get(KEY) is not None)
        await cluster.delete(
            Ref(api_version=EXPERIMENT.api_version, kind="Experiment", namespace="ns", name="exp")
        )
        await eventually(lambda: objects.experiments.get(KEY) is None)


async def test_creating_what_is_there_changes_nothing_and_shows_what_it_is(
    cluster: Cluster,
) -> None:
    async with objects_of(cluster, watching=False) as objects:
        await objects.create(trial(value="0.1"))
    async with objects_of(cluster, watching=False) as objects:
        await objects.create(trial(value="0.9"))

        found = await objects.trial(TRIAL_KEY)
        assert found is not None
        assert found.spec.assignments[0].value == "0.1"


async def test_a_status_is_written_alone_and_only_over_the_version_that_was_read(
    cluster: Cluster,
) -> None:
    async with objects_of(cluster, watching=False) as objects:
        await objects.create(trial())
        first = await objects.trial(TRIAL_KEY)
        assert first is not None
        wrong_spec = replace(first.spec, retain_run=True)

        await objects.write_status(
            replace(first, spec=wrong_spec, status=TrialStatus(start_time="2026-01-02T03:04:05Z"))
        )
        second = await objects.trial(TRIAL_KEY)
        assert second is not None
        assert second.status.start_time == "2026-01-02T03:04:05Z"
        assert not second.spec.retain_run

        with pytest.raises(Conflict):
            await objects.write_status(replace(first, status=TrialStatus()))


async def test_after_a_conflict_the_watch_is_trusted_again(cluster: Cluster) -> None:
    await cluster.create(render_experiment(experiment()))
    async with objects_of(cluster) as objects:
        before = await objects.experiment(KEY)
        assert before is not None
        other = {"metadata": {"annotations": {"a": "b"}}}
        ref = Ref(api_version=EXPERIMENT.api_version, kind="Experiment", namespace="ns", name="exp")
        await cluster.patch(ref, other)

        with pytest.raises(Conflict):
            await objects.write_status(replace(before, status=ExperimentStatus(trials=1)))

        def seen() -> bool:
            now = objects.experiments.get(KEY)
            return now is not None and now.metadata.annotations == {"a": "b"}

        await eventually(seen)


async def test_of_a_suggestions_spec_only_the_requests_are_written(cluster: Cluster) -> None:
    document: Any = {
        "apiVersion": SUGGESTION.api_version,
        "kind": "Suggestion",
        "metadata": {"name": "exp", "namespace": "ns"},
        "spec": {"requests": 1, "algorithm": {"algorithmName": "random"}, "theirs": 7},
    }
    await cluster.create(document)
    async with objects_of(cluster) as objects:
        before = await objects.suggestion(KEY)
        assert before is not None

        after = await objects.write_spec(with_requests(before, 5))

        assert after.spec.requests == 5
        assert (await stored(cluster, SUGGESTION, KEY))["spec"] == {
            **document["spec"],
            "requests": 5,
        }
        with pytest.raises(Conflict):
            await objects.write_spec(with_requests(before, 6))


async def test_requests_that_are_written_already_are_not_written_again() -> None:
    memory = MemoryCluster(namespaces=("ns",))
    async with served(memory) as api, plain(api.url) as cluster, objects_of(cluster) as objects:
        await objects.create(suggestion_of(experiment()))
        made = await objects.suggestion(KEY)
        assert made is not None
        first = await objects.write_spec(with_requests(made, 5))

        assert await objects.write_spec(with_requests(first, 5)) == first
        assert api.asked["patch Suggestion"] == 1


async def test_a_trial_that_is_deleted_is_held_by_its_finalizer_and_goes_when_it_is_released(
    cluster: Cluster,
) -> None:
    async with objects_of(cluster) as objects:
        await objects.create(trial())
        made = await objects.trial(TRIAL_KEY)
        assert made is not None

        await objects.delete(made)
        held = await objects.trial(TRIAL_KEY)
        assert held is not None
        assert held.metadata.deletion_timestamp

        await objects.release(held)
        await eventually(lambda: objects.all_trials.get(TRIAL_KEY) is None)
        assert await objects.trials(KEY) == []


async def test_another_trial_that_has_taken_the_name_is_not_deleted(cluster: Cluster) -> None:
    async with objects_of(cluster, watching=False) as objects:
        await objects.create(trial())
        made = await objects.trial(TRIAL_KEY)
        assert made is not None
        old = replace(made, metadata=replace(made.metadata, uid="another"))

        await objects.delete(old)

        assert "deletionTimestamp" not in (await stored(cluster, TRIAL, TRIAL_KEY))["metadata"]


async def test_an_experiment_has_its_defaults(cluster: Cluster) -> None:
    document: Any = render_experiment(experiment())
    del document["spec"]["parallelTrialCount"]
    await cluster.create(document)
    async with objects_of(cluster) as objects:
        found = await objects.experiment(KEY)
        assert found is not None
        assert found.spec.parallel_trial_count == 3


async def test_an_object_that_is_not_valid_counts_as_absent(cluster: Cluster) -> None:
    broken: Any = render_experiment(experiment())
    broken["spec"]["parameters"] = "none"
    await cluster.create(broken)
    async with objects_of(cluster) as objects:
        assert await objects.experiment(KEY) is None


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (ConfigMapSource(name="forms", namespace="ns", path="job"), "kind: Job"),
        (ConfigMapSource(name="forms", namespace="ns", path="other"), None),
        (ConfigMapSource(name="other", namespace="ns", path="job"), None),
    ],
)
async def test_a_template_is_read_from_its_config_map(
    cluster: Cluster, source: ConfigMapSource, text: str | None
) -> None:
    meta = {"name": "forms", "namespace": "ns"}
    await cluster.create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"job": "kind: Job"}}
    )
    async with objects_of(cluster, watching=False) as objects:
        assert await objects.template(source) == text


async def test_a_cluster_without_our_kinds_refuses_and_says_so() -> None:
    others = [one for one in KNOWN if one.api_version != TRIAL.api_version]
    cluster = MemoryCluster(resources=others, namespaces=("ns",))
    async with objects_of(cluster, watching=False) as objects:
        with pytest.raises(RemoteError, match="Trial"):
            await objects.create(trial())


async def test_live_values_of_a_trial_are_no_news_to_its_experiment(cluster: Cluster) -> None:
    notified: list[Key] = []
    async with objects_of(cluster, notified=notified) as objects:
        await objects.create(trial())
        found = await objects.trial(TRIAL_KEY)
        assert found is not None
        await objects.write_status(mark_running(found, START))
        await eventually(lambda: notified.count(KEY) >= 2)
        shown = await objects.trial(TRIAL_KEY)
        assert shown is not None
        before, notified_of_trial = notified.count(KEY), notified.count(TRIAL_KEY)

        await objects.write_status(showing(shown, "0.5"))
        await eventually(lambda: notified.count(TRIAL_KEY) >= notified_of_trial + 2)
        assert notified.count(KEY) == before

        after = await objects.trial(TRIAL_KEY)
        assert after is not None
        await objects.write_status(end_trial(after, ConditionType.SUCCEEDED, START))
        await eventually(lambda: notified.count(KEY) > before)


def showing(item: Trial, text: str) -> Trial:
    metric = ObservedMetric(name="loss", min=text, max=text, latest=text)
    return replace(item, status=replace(item.status, observation=Observation(metrics=(metric,))))
