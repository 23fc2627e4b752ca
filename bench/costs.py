"""Costs: wall-clock seconds, and CPU seconds of all processes involved."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil


@dataclass(slots=True)
class Cost:
    """The costs of one method: wall-clock and CPU seconds."""

    seconds: float = 0.0
    cpu: float = 0.0


def shown_costs(costs: Sequence[Cost]) -> str:
    """Return the medians as text; CPU seconds in parentheses."""
    seconds = statistics.median(cost.seconds for cost in costs)
    return f"{seconds:.2f} ({statistics.median(cost.cpu for cost in costs):.2f})"


@contextmanager
def costing(costs: list[Cost], *pids: int) -> Iterator[Cost]:
    """Measure the block in this process and some others; append the costs.

    Who is given the cost may set its seconds: then they are those of a part.
    """
    cost = Cost()
    cpu, start = _cpu(pids), time.perf_counter()
    yield cost
    cost.seconds = cost.seconds or time.perf_counter() - start
    cost.cpu = _cpu(pids) - cpu
    costs.append(cost)


def _cpu(others: Sequence[int]) -> float:
    """Return the CPU seconds of this process, and of others with their children.

    PostgreSQL has a process for each connection; one that has ended counts as its parent's.
    """
    total = time.process_time()
    for pid in others:
        parent = psutil.Process(pid)
        ended = parent.cpu_times()
        total += ended.children_user + ended.children_system
        for process in (parent, *parent.children()):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
    return total
