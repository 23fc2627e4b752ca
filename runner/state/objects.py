"""The port `Objects` with a state directory: reads from memory, writes to files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import count

from api.objects.experiments import parse_experiment, render_experiment
from api.objects.suggestions import parse_suggestion, render_suggestion
from api.objects.trials import parse_trial, render_trial
from api.types import Experiment, ObjectMeta, Suggestion, Trial
from controller.driver.memory_objects import MemoryObjects
from controller.reconcile.views import Key, key_of
from runner.state.directory import StateDirectory
from runner.state.documents import read_document, write_document

Changed = Callable[[Experiment | Suggestion | Trial], None]


class FileObjects(MemoryObjects):
    """The objects of one experiment. A change returns after its file is written.

    All methods that write raise SetupError if the file cannot be written.
    """

    def __init__(
        self, state: StateDirectory, now: Callable[[], datetime], changed: Changed
    ) -> None:
        """Read all objects; `changed` is called after each change with the changed object.

        Raises:
            SetupError: a file is damaged.
        """
        super().__init__(now)
        self._state, self._changed = state, changed
        for path in sorted(state.trials.glob("*.yaml")):
            if (document := read_document(path)) is not None:
                trial = parse_trial(document, unknown_fields=False)
                self.all_trials[key_of(trial)] = trial
        if (document := read_document(state.suggestion)) is not None:
            suggestion = parse_suggestion(document, unknown_fields=False)
            self.suggestions[key_of(suggestion)] = suggestion
        if (document := read_document(state.experiment)) is not None:
            experiment = parse_experiment(document, unknown_fields=False)
            self.experiments[key_of(experiment)] = experiment
        every: list[Experiment | Suggestion | Trial] = [
            *self.all_trials.values(),
            *self.suggestions.values(),
            *self.experiments.values(),
        ]
        last = max((_version(item.metadata) for item in every), default=0)
        self._versions = count(last + 1)

    @property
    def stored_experiment(self) -> Experiment | None:
        """The stored experiment, if any."""
        return next(iter(self.experiments.values()), None)

    @property
    def stored_suggestion(self) -> Suggestion | None:
        """The stored suggestion, if any."""
        return next(iter(self.suggestions.values()), None)

    async def create(self, item: Suggestion | Trial) -> None:
        """Store a new object."""
        await super().create(item)
        self._save(item)

    async def write_spec(self, item: Suggestion) -> Suggestion:
        """Store `spec`."""
        written = await super().write_spec(item)
        self._save(item)
        return written

    async def write_status(self, item: Experiment | Suggestion | Trial) -> None:
        """Store `status`."""
        await super().write_status(item)
        self._save(item)

    async def delete(self, trial: Trial) -> None:
        """Mark a trial as being deleted."""
        await super().delete(trial)
        self._save(trial)

    async def release(self, item: Experiment | Trial) -> None:
        """Remove trialwatch's finalizer."""
        await super().release(item)
        self._save(item)

    def apply(self, experiment: Experiment) -> None:
        """Store an experiment as `kubectl apply` does."""
        super().apply(experiment)
        self._save(experiment)

    def put(self, *items: Experiment | Suggestion) -> None:
        """Replace objects unconditionally, for example to restart a completed experiment."""
        for item in items:
            meta = replace(item.metadata, resource_version=str(next(self._versions)))
            if isinstance(item, Experiment):
                self.experiments[key_of(item)] = replace(item, metadata=meta)
            else:
                self.suggestions[key_of(item)] = replace(item, metadata=meta)
            self._save(item)

    def forget(self, item: Suggestion | Trial) -> None:
        """Remove an object at once, with its file."""
        if isinstance(item, Trial):
            self.all_trials.pop(key_of(item), None)
            self._save_trial(key_of(item))
        else:
            self.suggestions.pop(key_of(item), None)
            self._state.suggestion.unlink(missing_ok=True)

    def _save(self, item: Experiment | Suggestion | Trial) -> None:
        key = key_of(item)
        if isinstance(item, Experiment):
            write_document(self._state.experiment, render_experiment(self.experiments[key]))
        elif isinstance(item, Suggestion):
            write_document(self._state.suggestion, render_suggestion(self.suggestions[key]))
        else:
            self._save_trial(key)
        self._changed(item)

    def _save_trial(self, key: Key) -> None:
        path = self._state.trials / f"{key.name}.yaml"
        trial = self.all_trials.get(key)
        if trial is None:
            path.unlink(missing_ok=True)
        else:
            write_document(path, render_trial(trial))


def _version(metadata: ObjectMeta) -> int:
    return int(metadata.resource_version) if metadata.resource_version.isdecimal() else 0
