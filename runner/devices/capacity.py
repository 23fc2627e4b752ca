"""How many trials fit on this machine at the same time, and whether one fits at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from api.errors import Fault
from api.faults import invalid
from api.types import JsonObject
from runner.devices.discovery import NO_GPUS, Discovered
from runner.devices.needs import amounts_of, needs_of, outline_of
from runner.devices.words import in_words
from runner.pods.pod_resources import AMD, CPU, GPUS


class ParallelFrom(Enum):
    """Where the number of trials that run at the same time comes from."""

    FLAG = auto()
    FILE = auto()
    DEFAULT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How many trials run at the same time."""

    parallel: int
    reason: str = ""
    """Why, in words; "" if the machine has room for the number that was given."""


def capacity(  # noqa: PLR0913 - two of them only choose
    pod: JsonObject,
    parallel: int,
    given_by: ParallelFrom,
    most: int | None,
    found: Discovered,
    *,
    pin: bool = False,
) -> Capacity:
    """Return how many trials of a pod run at the same time.

    Args:
        pod: the template of the pod.
        parallel: the number of the flag or the file, or the default.
        given_by: where that number comes from.
        most: `maxTrialCount`.
        found: the devices of this machine.
        pin: whether each trial has CPUs of its own.

    | the number is from | runs at the same time |
    |---|---|
    | the flag | the number; trials for which no device is free wait |
    | the file | the number, or fewer if fewer fit |
    | neither, GPUs are needed | as many as fit |
    | neither | the default, or fewer if fewer fit |
    """
    fits = _fits(pod, found)
    if not fits:
        return Capacity(parallel=parallel)
    tightest = min(fits, key=lambda kind: fits[kind])
    room, needs = fits[tightest], needs_of(outline_of(pod))
    reason = _reason(tightest, needs[tightest], found)
    match given_by:
        case ParallelFrom.FLAG:
            waits = parallel > room and (pin or tightest in GPUS)
            return Capacity(parallel=parallel, reason=f"others wait: {reason}" if waits else "")
        case ParallelFrom.DEFAULT if any(kind in GPUS for kind in fits):
            wanted = room if most is None else min(room, most)
        case _:
            wanted = min(parallel, room)
    changed = wanted != parallel
    return Capacity(parallel=wanted, reason=f"{wanted} at a time: {reason}" if changed else "")


def _fits(pod: JsonObject, found: Discovered) -> Mapping[str, int]:
    """Return by kind of device how many trials fit; one always fits on the CPUs."""
    fits = {}
    for kind, count in needs_of(outline_of(pod)).items():
        if kind == CPU or not found.without_gpus:
            fits[kind] = max(1, len(found.pool.get(kind, ())) // count)
    return fits


def _reason(kind: str, count: int, found: Discovered) -> str:
    have = in_words({kind: len(found.pool.get(kind, ()))})
    source = f" ({found.sources[kind]})" if kind in GPUS else ""
    return f"each trial needs {in_words({kind: count})}, and this machine has {have}{source}"


def faults_of(pod: JsonObject, path: str, found: Discovered, *, pin: bool) -> Iterator[Fault]:
    """Yield a fault for each kind of device of which one trial needs more than there are."""
    needs, amounts = needs_of(outline_of(pod)), amounts_of(pod, path)
    for kind, count in needs.items():
        have = len(found.pool.get(kind, ()))
        if kind == CPU:
            if pin and count > have:
                why = f"{_reason(kind, count, found)}: request less, or run without --pin"
                yield Fault(f"{path}.spec.containers", why)
        elif count > have and not found.without_gpus:
            yield invalid(amounts[kind].path, amounts[kind].value, _remedy(kind, count, found))


def _remedy(kind: str, count: int, found: Discovered) -> str:
    have = len(found.pool.get(kind, ()))
    instead = f"run without GPUs by --gpus {NO_GPUS}"
    if have:
        return f"{_reason(kind, count, found)}: write {have} or less, or {instead}"
    maker = "AMD" if kind == AMD else "NVIDIA"
    return (
        f"a trial needs {in_words({kind: count})}, and this machine has no {maker} GPU"
        f" ({found.sources[kind]}): {instead}, or name devices by --gpus 0,1"
    )
