"""Compares the store after a simulated trial with what the trainer wrote."""

from __future__ import annotations

from collections.abc import Iterator

from api.names import OUTCOME_STOPPED
from tests.collector.simulated_trial import Training, World, Written


def faults_of(world: World) -> list[str]:
    """Return all differences, as sentences."""
    stored: dict[str, list[int]] = {}
    for (source, _), batch in world.store.batches.items():
        for point in batch.points:
            stored.setdefault(point.value, []).append(int(source.rpartition("-")[2]))
    for other in ("unavailable", "999999", "999999.0"):
        stored.pop(other, None)
    gap_logged = any("metrics may be missing" in sentence for sentence in world.messages.sentences)
    at_katibs = frozenset(
        {point.value for batch in world.katibs.batches.values() for point in batch.points}
    )
    faults: list[str] = []
    if world.pushes is not None:
        faults += world.pushes.faults(stored, at_katibs)
        stored = world.pushes.without_these(stored)
    for each in world.written:
        attempts = stored.pop(each.value, [])
        if attempts or each.value not in at_katibs:
            faults += _faults_of_value(each, attempts, gap_logged=gap_logged)
    for training in world.trainings:
        faults += _faults_of_training(world, training)
    if world.empty_reports > world.replacements:
        faults.append(f"Katib's DB manager got {world.empty_reports} reports without points")
    if world.open_files:
        faults.append(f"{world.open_files} files are still open")
    return faults + [f"{value} was never written" for value in stored]


def _faults_of_value(each: Written, attempts: list[int], *, gap_logged: bool) -> Iterator[str]:
    name = f"{each.value} of attempt {each.attempt}"
    if attempts:
        if attempts != [each.attempt] and not each.cut:
            yield f"{name} is stored as of {attempts}"
    elif not each.at_risk:
        yield f"{name} is lost"
    elif not each.unseen and not gap_logged:
        yield f"{name} was destroyed, and the log does not say so"


def _faults_of_training(world: World, training: Training) -> Iterator[str]:
    outcomes = {
        batch.outcome
        for (source, _), batch in world.store.batches.items()
        if source.endswith(f"-{training.number}") and batch.outcome
    }
    if outcomes != {training.outcome} and not (world.replaced and not outcomes):
        yield f"attempt {training.number} {training.outcome}: reported {outcomes}"
    if training.outcome == OUTCOME_STOPPED and not world.reported_stops:
        yield "the early stop was not reported"
