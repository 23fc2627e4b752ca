"""The experiments that `trialwatch run` stores on this machine, as a source."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from api.documents import mapping_at
from api.errors import SetupError, UserError
from api.types import JsonObject
from runner.state.cached_documents import CachedDocuments
from runner.state.directory import StateDirectory, all_states, find_trial, state_of
from runner.state.documents import read_document
from runner.state.interruption import with_interruption
from trialwatch.sources.documents import name_of, namespace_of, oldest_first
from trialwatch.sources.local_logs import pieces_of
from trialwatch.sources.source import nothing_called

if TYPE_CHECKING:
    from trialwatch.sources.source import LogWanted

Read = Callable[[Path], JsonObject | None]
_LOOK = 1.0
"""Seconds between two looks of `watch`."""


class LocalSource:
    """`trialwatch.sources.source.Source`: reads a state directory."""

    makes = "start one with `trialwatch run EXPERIMENT.yaml`, or use --context for a cluster"

    def __init__(self, root: Path, namespace: str = "") -> None:
        """`namespace` limits the source to one namespace; "" means all."""
        self._root, self._namespace = root, namespace
        self.where = f"in {root}" + (f" (-n {namespace})" if namespace else "")

    def objects(self, kind: str, name: str = "") -> list[JsonObject]:
        """Read the objects of a kind; those that were moved aside only by a name."""
        return self._objects(kind, name, read_document)

    def watch(self, kind: str, name: str, show: Callable[[Sequence[JsonObject]], None]) -> None:
        """Read the objects again and again, until the user interrupts."""
        read = CachedDocuments()
        while True:
            show(self._objects(kind, name, read))
            time.sleep(_LOOK)

    def _objects(self, kind: str, name: str, read: Read) -> list[JsonObject]:
        states = [one for one in self._states() if name or not one.is_moved_aside()]
        return [one for state in states for one in _objects(kind, state, name, read)]

    def omitted(self, kind: str) -> list[str]:
        """Name the experiments that were moved aside."""
        return [
            f"moved aside: {state.path.name}; to see it: trialwatch get {kind} {state.path.name}"
            for state in self._states()
            if state.is_moved_aside()
        ]

    def trial(self, name: str) -> JsonObject:
        """Read a trial."""
        if not any((state.trials / f"{name}.yaml").exists() for state in self._states()):
            raise nothing_called(self, "trials", name)
        state = find_trial(self._root, name, self._namespace)
        document = read_document(state.trials / f"{name}.yaml")
        if document is None:
            raise SetupError(
                f"trial {name} has just been removed, because its experiment was started again"
            )
        return document

    def trials_of(self, experiment: JsonObject) -> list[JsonObject]:
        """Read an experiment's trials."""
        return list(_objects("trials", self._state(experiment), "", read_document))

    def delete(self, experiment: JsonObject) -> None:
        """Delete the directory of an experiment."""
        state = self._state(experiment)
        if state.is_at_work():
            raise SetupError(
                f"a run is at work on experiment {state.path.name}: end it with Ctrl-C, then delete"
            )
        with state.locked():
            state.remove()

    def report_of(self, experiment: JsonObject) -> Path:
        """Return the path beside the experiment's objects."""
        return self._state(experiment).report

    def print_log(
        self, trial: JsonObject, wanted: LogWanted, write: Callable[[bytes], None]
    ) -> None:
        """Write the log of a container of the trial's last pod."""
        if wanted.previous:
            raise UserError(
                "--previous is only for a cluster: on this machine, only the last start has a log"
            )
        name = name_of(trial)
        state = find_trial(self._root, name, self._namespace or namespace_of(trial))
        for piece in pieces_of(state, name, wanted.container, follow=wanted.follow):
            write(piece)

    def _states(self) -> Sequence[StateDirectory]:
        every = all_states(self._root)
        return [one for one in every if self._namespace in ("", one.path.parent.name)]

    def _state(self, experiment: JsonObject) -> StateDirectory:
        return state_of(self._root, namespace_of(experiment) or "default", name_of(experiment))


def _objects(kind: str, state: StateDirectory, name: str, read: Read) -> Iterable[JsonObject]:
    """Read the objects of one experiment; `name` selects one object or the experiment."""
    at_work = state.is_at_work()  # first: a run that ends now has written all that is read below
    if kind == "trials":
        paths: Sequence[Path] = sorted(state.trials.glob("*.yaml"))
        if name and name != state.path.name:
            paths = [path for path in paths if path.stem == name]
    elif name in ("", state.path.name):
        paths = [state.experiment if kind == "experiments" else state.suggestion]
    else:
        paths = []
    found = oldest_first(doc for path in paths if (doc := read(path)) is not None)
    if state.is_moved_aside():
        return found if kind == "trials" else [_renamed(one, state) for one in found]
    if kind == "suggestions" or at_work:
        return found
    return [with_interruption(one, state) for one in found]


def _renamed(document: JsonObject, state: StateDirectory) -> JsonObject:
    """Give an object that was moved aside the name under which it is found."""
    metadata = {**mapping_at(document, "metadata"), "name": state.path.name}
    return {**document, "metadata": metadata}
