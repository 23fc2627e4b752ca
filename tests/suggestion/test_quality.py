"""Search from history alone finds as much as the library's own stateful run, and more than dice.

The cases are chosen by a rule, not by what comes out: every search that has a library's own run
beside it, in the one valley that leaves least to luck, with the trials and seeds of the bench (40,
and 0 to 19). `bayesianoptimization` costs fifty times as much for a trial, so it has two parameters
in place of four, 5 random trials and 10 by its model, and 4 seeds.

They are judged by ranks, not by medians, whose multiple is rough even with twenty seeds (Mann and
Whitney's test). The seeds are fixed, so the answer is too; the level says how likely it is that a
library's new version turns a test red by the dice alone. And the judge is judged: dice in the
search's place, as if it had lost its history, must be told from the library's run.

`python -m bench suggestion` has every function, and medians.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest
from scipy.stats import mannwhitneyu

from bench.suggestion import FUNCTIONS, LIBRARIES, Function, library_skopt, ours

LEVEL = 0.02
VALLEY = FUNCTIONS[0]
SMALL = replace(VALLEY, parameters=VALLEY.parameters[:2])

Run = Callable[[Function, int, int], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    found: Run
    library: Run
    function: Function = VALLEY
    trials: int = 40
    seeds: int = 20


def by(name: str, **settings: int) -> Run:
    return lambda function, trials, seed: ours(name, function, trials, seed, settings)


CASES = {
    name: Case(found=by(name), library=LIBRARIES[name])
    for name in LIBRARIES
    if name != "bayesianoptimization"
} | {
    "bayesianoptimization": Case(
        found=by("bayesianoptimization", n_initial_points=5),
        library=partial(library_skopt, n_initial_points=5),
        function=SMALL,
        trials=15,
        seeds=4,
    )
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_as_good_as_the_library_and_better_than_random(case: Case) -> None:
    found, library, dice = (
        [run(case.function, case.trials, seed) for seed in range(case.seeds)]
        for run in (case.found, case.library, by("random"))
    )

    assert _chance(dice, library) < LEVEL, "these seeds cannot tell dice from a search"
    assert _chance(dice, found) < LEVEL
    assert _chance(found, library) > LEVEL


def _chance(losses: list[float], others: list[float]) -> float:
    """Return how likely losses as high as these are, if they are no higher than the others'."""
    return float(mannwhitneyu(losses, others, alternative="greater").pvalue)
