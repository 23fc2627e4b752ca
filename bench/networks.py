"""Architecture search on handwritten digits against random architectures, at the same budget.

Each of the 512 networks of `examples/nas/enas.yaml` was really trained once
(`bench/digit_networks.py`), so a search of forty trials is played from these results. Two trials
run at the same time, as in the example.
"""

from __future__ import annotations

import random
import statistics
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from bench.digit_networks import accuracies, example
from suggestion.core.search_task import search_task_of
from suggestion.core.trial_history import PastTrial

if TYPE_CHECKING:
    import argparse

_AT_ONCE = 2


def searched(seed: int, trials: int) -> list[float]:
    """Return the accuracies of the networks that `enas` tries, in their order."""
    task, known = search_task_of(example()), accuracies()
    history: list[PastTrial] = []
    while len(history) < trials:
        for point in task.search.suggest(task.space, tuple(history), _AT_ONCE, seed):
            loss = -known[point[0].value]
            history.append(PastTrial(assignments=point, loss=loss))
    return [-(past.loss or 0.0) for past in history]


def drawn(seed: int, trials: int) -> list[float]:
    """Return the accuracies of as many different random networks."""
    dice = random.Random(seed)  # noqa: S311 - not for security
    return dice.sample(sorted(accuracies().values()), trials)


def run(arguments: argparse.Namespace) -> None:
    """Print a row for each seed."""
    table = Table("seed", "enas: first quarter", "last quarter", "best", "random: best", "better")
    better = 0
    for seed in range(arguments.seeds):
        found, other = searched(seed, arguments.trials), drawn(seed, arguments.trials)
        quarter = max(arguments.trials // 4, 1)
        better += max(found) > max(other)
        table.add_row(
            str(seed),
            f"{statistics.mean(found[:quarter]):.3f}",
            f"{statistics.mean(found[-quarter:]):.3f}",
            f"{max(found):.4f}",
            f"{max(other):.4f}",
            "yes" if max(found) > max(other) else "no",
        )
    console = Console()
    console.print(table)
    console.print(f"better than random in {better} of {arguments.seeds} seeds")
