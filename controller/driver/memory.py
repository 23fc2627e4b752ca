"""The ports over dictionaries. They behave like the real ones.

Tests drive them, and the simulation is built from them. Objects have versions; a write with an old
version is a conflict; a finalizer keeps a deleted object, as in Kubernetes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import TypeVar

from api.errors import Unavailable, UserError
from api.names import EXPERIMENT_FINALIZER, EXPERIMENT_LABEL, TRIAL_FINALIZER, UNAVAILABLE
from api.types import (
    Assignment,
    ConfigMapSource,
    Experiment,
    JsonObject,
    ObjectMeta,
    SuggestedTrial,
    Suggestion,
    Trial,
)
from controller.driver.ports import Conflict, Ports
from controller.reconcile.actions import EmitEvent
from controller.reconcile.times import format_time
from controller.reconcile.views import JobFacts, Key, MetricSummary, SuggestionReply, key_of

Item = TypeVar("Item", Experiment, Suggestion, Trial)


class MemoryObjects:
    """Objects, one dictionary for each kind. `now` gives the times of creation and deletion."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.experiments: dict[Key, Experiment] = {}
        self.suggestions: dict[Key, Suggestion] = {}
        self.all_trials: dict[Key, Trial] = {}
        self.templates: dict[ConfigMapSource, str] = {}
        self._now = now
        self._versions = count(1)

    async def experiment(self, key: Key) -> Experiment | None:
        return self.experiments.get(key)

    async def suggestion(self, key: Key) -> Suggestion | None:
        return self.suggestions.get(key)

    async def trial(self, key: Key) -> Trial | None:
        return self.all_trials.get(key)

    async def trials(self, experiment: Key) -> Sequence[Trial]:
        return [
            trial
            for key, trial in self.all_trials.items()
            if key.namespace == experiment.namespace
            and trial.metadata.labels.get(EXPERIMENT_LABEL) == experiment.name
        ]

    async def template(self, source: ConfigMapSource) -> str | None:
        return self.templates.get(source)

    async def create(self, item: Suggestion | Trial) -> None:
        if isinstance(item, Trial):
            self._create(self.all_trials, item)
        else:
            self._create(self.suggestions, item)

    async def write_spec(self, item: Suggestion) -> Suggestion:
        key = key_of(item)
        stored = _unchanged(self.suggestions, item)
        if stored.spec == item.spec:
            return stored  # a write that changes nothing makes no new version
        self.suggestions[key] = replace(
            stored, metadata=self._next(stored.metadata), spec=item.spec
        )
        return self.suggestions[key]

    async def write_status(self, item: Experiment | Suggestion | Trial) -> None:
        if isinstance(item, Experiment):
            self._write(self.experiments, item)
        elif isinstance(item, Suggestion):
            self._write(self.suggestions, item)
        else:
            self._write(self.all_trials, item)

    async def delete(self, trial: Trial) -> None:
        self._mark(self.all_trials, key_of(trial))

    async def release(self, item: Experiment | Trial) -> None:
        if isinstance(item, Trial):
            self._release(self.all_trials, key_of(item), TRIAL_FINALIZER)
        else:
            self._release(self.experiments, key_of(item), EXPERIMENT_FINALIZER)

    def apply(self, experiment: Experiment) -> None:
        """Do what `kubectl apply` does: create an object, or change the spec of an existing one."""
        stored = self.experiments.get(key_of(experiment))
        if stored is None:
            self._create(self.experiments, experiment)
        else:
            meta = self._next(stored.metadata)
            changed = replace(stored, metadata=meta, spec=experiment.spec)
            self.experiments[key_of(experiment)] = changed

    def _create(self, kind: dict[Key, Item], item: Item) -> None:
        if key_of(item) in kind:
            return
        meta = self._next(item.metadata)
        meta = replace(meta, uid=f"uid-{meta.resource_version}")
        kind[key_of(item)] = replace(
            item, metadata=replace(meta, creation_timestamp=format_time(self._now()))
        )

    def _write(self, kind: dict[Key, Item], item: Item) -> None:
        stored = _unchanged(kind, item)
        if stored.status == item.status:
            return
        # Each kind has a status type of its own; the type variable keeps them apart.
        changed = replace(item, metadata=self._next(stored.metadata), spec=stored.spec)
        kind[key_of(item)] = changed

    def _mark(self, kind: dict[Key, Item], key: Key) -> None:
        stored = kind.get(key)
        if stored is not None and not stored.metadata.deletion_timestamp:
            meta = self._next(stored.metadata)
            self._keep(kind, stored, replace(meta, deletion_timestamp=format_time(self._now())))

    def _release(self, kind: dict[Key, Item], key: Key, finalizer: str) -> None:
        stored = kind.get(key)
        if stored is not None and finalizer in stored.metadata.finalizers:
            left = tuple(name for name in stored.metadata.finalizers if name != finalizer)
            self._keep(kind, stored, replace(self._next(stored.metadata), finalizers=left))

    def _keep(self, kind: dict[Key, Item], item: Item, metadata: ObjectMeta) -> None:
        if metadata.deletion_timestamp and not metadata.finalizers:
            del kind[key_of(item)]
        else:
            kind[key_of(item)] = replace(item, metadata=metadata)

    def _next(self, metadata: ObjectMeta) -> ObjectMeta:
        return replace(metadata, resource_version=str(next(self._versions)))


def _unchanged(kind: dict[Key, Item], item: Item) -> Item:
    stored = kind.get(key_of(item))
    if stored is None:
        raise Conflict(f"{key_of(item)} was deleted")
    if stored.metadata.resource_version != item.metadata.resource_version:
        raise Conflict(f"{key_of(item)} was changed by another writer")
    return stored


class MemoryJobs:
    """Jobs whose state the test sets, in `facts`."""

    def __init__(self) -> None:
        self.facts: dict[Key, JobFacts] = {}
        self.created: list[Key] = []
        self.deleted: list[Key] = []

    async def look(self, trial: Trial) -> JobFacts:
        return self.facts.get(key_of(trial), JobFacts())

    async def create(self, trial: Trial, document: JsonObject) -> None:
        key = key_of(trial)
        if not self.facts.get(key, JobFacts()).present:
            self.facts[key] = JobFacts(document=document)
            self.created.append(key)

    async def delete(self, trial: Trial) -> None:
        key = key_of(trial)
        facts = self.facts.get(key)
        if facts is not None and facts.present:
            self.facts[key] = replace(facts, gone=True)
            self.deleted.append(key)


class MemoryObservations:
    """A store of summaries; `away` is the error with which it fails, if not empty."""

    def __init__(self) -> None:
        self.metrics: dict[Key, tuple[MetricSummary, ...]] = {}
        self.away = ""
        self.asked_live: list[Key] = []
        """Every trial whose latest values were read, with or without success."""

    async def summary(self, trial: Trial) -> Sequence[MetricSummary]:
        self._fail_if_away()
        return self.metrics.get(key_of(trial), ())

    async def latest(self, trial: Trial) -> Sequence[MetricSummary]:
        self.asked_live.append(key_of(trial))
        return await self.summary(trial)

    async def report_unavailable(self, trial: Trial) -> None:
        self._fail_if_away()
        metric = trial.spec.objective.metric if trial.spec.objective else ""
        point = MetricSummary(name=metric, count=1, first=UNAVAILABLE, last=UNAVAILABLE)
        self.metrics.setdefault(key_of(trial), (point,))

    async def delete(self, trial: Trial) -> None:
        self._fail_if_away()
        self.metrics.pop(key_of(trial), None)

    def _fail_if_away(self) -> None:
        if self.away:
            raise Unavailable(self.away)


class MemorySuggestions:
    """A search that counts: each parameter gets 0, 1, 2, ..., for up to `size` trials."""

    def __init__(self, size: int | None = None) -> None:
        self.size = size
        self.refuses = ""
        self.away = ""
        self.asked: list[tuple[Experiment, tuple[Trial, ...], int, int]] = []
        """Every request, answered or not."""
        self.turned: Callable[[SuggestionReply], SuggestionReply] = lambda answer: answer
        """Changes a reply before it is returned."""

    async def ask(
        self, experiment: Experiment, trials: Sequence[Trial], asked: int, count: int
    ) -> SuggestionReply:
        self.asked.append((experiment, tuple(trials), asked, count))
        if self.refuses:
            raise UserError(self.refuses)
        if self.away:
            raise Unavailable(self.away)
        end = asked + count if self.size is None else min(asked + count, self.size)
        points = (_counted(experiment, number) for number in range(asked, end))
        return self.turned(SuggestionReply(trials=tuple(points)))


def _counted(experiment: Experiment, number: int) -> SuggestedTrial:
    point = tuple(Assignment(name=p.name, value=str(number)) for p in experiment.spec.parameters)
    return SuggestedTrial(name="", assignments=point)


class MemorySearchServices:
    """Services that exist after they were deployed, and serve while `ready`."""

    def __init__(self, *, deployed: bool = False) -> None:
        """`deployed` is whether experiments have services of their own."""
        self.deployed, self.ready = deployed, True
        self.away = ""
        self.existing: set[Key] = set()

    async def deploys(self, suggestion: Suggestion) -> bool:
        del suggestion
        return self.deployed

    async def deploy(self, suggestion: Suggestion) -> bool:
        self._fail_if_away()
        existed = key_of(suggestion) in self.existing
        self.existing.add(key_of(suggestion))
        return existed and self.ready

    async def remove(self, suggestion: Suggestion) -> None:
        self._fail_if_away()
        self.existing.discard(key_of(suggestion))

    def _fail_if_away(self) -> None:
        if self.away:
            raise Unavailable(self.away)


class MemoryEvents:
    """Keeps every event."""

    def __init__(self) -> None:
        self.all: list[EmitEvent] = []

    def emit(self, event: EmitEvent) -> None:
        self.all.append(event)


class Memory:
    """All ports in memory. Tests read and change its parts."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.objects = MemoryObjects(now)
        self.jobs = MemoryJobs()
        self.observations = MemoryObservations()
        self.suggestions = MemorySuggestions()
        self.services = MemorySearchServices()
        self.events = MemoryEvents()

    def ports(self) -> Ports:
        """Return the ports for a driver."""
        return Ports(
            objects=self.objects,
            jobs=self.jobs,
            observations=self.observations,
            suggestions=self.suggestions,
            services=self.services,
            events=self.events,
        )
