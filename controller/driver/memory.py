"""The ports over dictionaries. They behave like the real ones.

Tests drive them, and the simulation is built from them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from api.errors import Unavailable, UserError
from api.names import UNAVAILABLE
from api.types import (
    Assignment,
    Experiment,
    JsonObject,
    SuggestedTrial,
    Suggestion,
    Trial,
)
from controller.driver.memory_objects import MemoryObjects
from controller.driver.ports import Ports
from controller.reconcile.actions import EmitEvent
from controller.reconcile.views import JobFacts, Key, MetricSummary, SuggestionReply, key_of


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
