"""`controller.driver.ports.Objects` over dictionaries; behaves like the API server.

Objects have versions. A write with an old version is a conflict. A finalizer keeps an object that
is being deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import TypeVar

from api.names import EXPERIMENT_FINALIZER, EXPERIMENT_LABEL, TRIAL_FINALIZER
from api.types import (
    ConfigMapSource,
    Experiment,
    ObjectMeta,
    Suggestion,
    Trial,
)
from controller.driver.ports import Conflict
from controller.reconcile.times import format_time
from controller.reconcile.views import Key, key_of

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
