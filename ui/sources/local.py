"""The experiments that `trialwatch run` stores on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Final

from api.documents import text_at
from api.errors import RemoteError
from api.objects.experiments import parse_experiment
from api.objects.trials import parse_trial
from api.types import Trial
from controller.reconcile.trial_order import in_order
from controller.reconcile.trial_states import has_ended
from runner.state.cached_documents import CachedDocuments
from runner.state.directory import StateDirectory, all_states, state_of
from runner.state.interruption import how_to_continue, with_interruption
from ui.model.experiment_summary import Latest, RunState
from ui.sources.local_logs import log_piece
from ui.sources.local_stores import LocalStores
from ui.sources.port import (
    ExperimentKey,
    LogPiece,
    NotFound,
    PointBatch,
    StoredExperiment,
    StoredPoints,
)

_LOOK: Final = 0.15
"""Seconds between two looks at the directory of one experiment."""
_LOOK_AT_ALL: Final = 0.5
_MOST_LATEST: Final = 64
"""The most running trials whose newest values are read at a time."""

Version = tuple[object, ...]


class LocalSource:
    """`ui.sources.port.Source`: reads a state directory."""

    makes = "start one with `trialwatch run EXPERIMENT.yaml` or `trialwatch tune`"

    def __init__(self, root: Path) -> None:
        """`root` may be missing yet."""
        self._root = root
        self.where = f"in {root}"
        self._read = CachedDocuments()
        self._known: dict[Path, tuple[Version, StoredExperiment]] = {}
        self._parsed: dict[Path, tuple[object, Trial]] = {}
        self._stores = LocalStores()
        self._reading = asyncio.Lock()

    async def experiments(self) -> Sequence[StoredExperiment]:
        """Read all experiments; those that were moved aside are left out."""
        async with self._reading:
            return await asyncio.to_thread(self._all)

    async def experiment(self, key: ExperimentKey) -> StoredExperiment:
        """Read one experiment, and the newest values of its running trials."""
        state = self._state(key)
        async with self._reading:
            stored = await asyncio.to_thread(self._stored, state)
        if stored is None:
            raise _no_experiment(key, self.where)
        return StoredExperiment(
            experiment=stored.experiment,
            trials=stored.trials,
            run=stored.run,
            latest=await self._latest(key, stored),
            document=stored.document,
        )

    async def changes(self, key: ExperimentKey | None) -> AsyncGenerator[None]:
        """Look at the directories again and again."""
        last: object = None
        while True:
            version = await asyncio.to_thread(self._version, key)
            if last is not None and version != last:
                yield
            last = version
            await asyncio.sleep(_LOOK_AT_ALL if key is None else _LOOK)

    async def stored_points(self, key: ExperimentKey, trial: str) -> StoredPoints:
        """Read the SQLite store of the experiment."""
        return await self._stores.stored(self._state_with(key, trial), key.namespace, trial)

    async def points(
        self, key: ExperimentKey, trial: str, after: str
    ) -> AsyncGenerator[PointBatch]:
        """Follow the SQLite store of the experiment."""
        state = self._state_with(key, trial)
        async for batch in self._stores.follow(state, key.namespace, trial, after):
            yield batch

    async def log(self, key: ExperimentKey, trial: str, place: str, limit: int) -> LogPiece:
        """Read the files of the trainer's container."""
        state = self._state_with(key, trial)
        document = self._read(state.trials / f"{trial}.yaml") or {}
        primary = text_at(document, "spec", "primaryContainerName")
        return await asyncio.to_thread(log_piece, state.logs / trial, primary, place, limit)

    async def close(self) -> None:
        """Close the stores."""
        await self._stores.close()

    def _state(self, key: ExperimentKey) -> StateDirectory:
        for part in key:
            if "/" in part or part in ("", ".", "..") or "\0" in part:
                raise _no_experiment(key, self.where)
        return state_of(self._root, key.namespace, key.name)

    def _state_with(self, key: ExperimentKey, trial: str) -> StateDirectory:
        state = self._state(key)
        if "/" in trial or "\0" in trial or not (state.trials / f"{trial}.yaml").exists():
            raise NotFound(f"there is no trial {trial!r} in experiment {key.name} {self.where}")
        return state

    def _all(self) -> list[StoredExperiment]:
        states = [state for state in all_states(self._root) if not state.is_moved_aside()]
        stored = [self._stored(state) for state in states]
        return [one for one in stored if one is not None]

    def _stored(self, state: StateDirectory) -> StoredExperiment | None:
        version = _version_of(state)  # first: what changes during the read is read again
        known = self._known.get(state.path)
        if known is not None and known[0] == version:
            return known[1]
        at_work = state.is_at_work()
        document = self._read(state.experiment)
        if document is None:
            return None
        shown = document if at_work else with_interruption(document, state)
        interrupted = shown is not document
        stored = StoredExperiment(
            experiment=parse_experiment(document, unknown_fields=False),
            trials=in_order(tuple(self._trials(state))),
            run=RunState(
                interrupted=interrupted, notice=how_to_continue(state) if interrupted else ""
            ),
            document=shown,
        )
        self._known[state.path] = version, stored
        return stored

    def _trials(self, state: StateDirectory) -> list[Trial]:
        trials = []
        for path in sorted(state.trials.glob("*.yaml")):
            document = self._read(path)
            if document is None:
                continue
            known = self._parsed.get(path)
            if known is None or known[0] is not document:
                known = self._parsed[path] = document, parse_trial(document, unknown_fields=False)
            trials.append(known[1])
        return trials

    def _version(self, key: ExperimentKey | None) -> object:
        if key is not None:
            return _version_of(self._state(key))
        return [(state.path, _version_of(state)) for state in all_states(self._root)]

    async def _latest(self, key: ExperimentKey, stored: StoredExperiment) -> Latest:
        """Return the newest values of the running trials, as far as the store answers."""
        state, latest = self._state(key), {}
        running = [trial for trial in stored.trials if not has_ended(trial)]
        for trial in running[:_MOST_LATEST]:
            name = trial.metadata.name
            try:
                latest[name] = await self._stores.latest(state, key.namespace, name)
            except RemoteError:
                return latest  # the objects have older values
        return latest


def _version_of(state: StateDirectory) -> Version:
    """Return what differs after each write: objects are replaced by a rename in these folders."""
    folders = (state.path, state.trials)
    try:
        return (*(folder.stat().st_mtime_ns for folder in folders), state.is_at_work())
    except OSError:
        return ()


def _no_experiment(key: ExperimentKey, where: str) -> NotFound:
    return NotFound(f"there is no experiment {key.name} in the namespace {key.namespace} {where}")
