"""A search from history alone is as good as the library's own stateful run, and better than random.

A rule chooses the cases, not their results: every search with a stateful run of its library, on the
function that depends least on luck, with the trials and seeds of the bench (40, and 0 to 19).
`bayesianoptimization` takes fifty times as long for a trial, so it has two parameters instead of
four, 5 random trials, 10 trials by its model, and 4 seeds.

The comparison is by ranks (Mann-Whitney test): ratios of medians are imprecise even with twenty
seeds. The seeds are fixed, so the result is too; the level is the probability that a new version of a
library fails a test by chance. The test itself is tested, too: random search in place of the search,
as if it had lost its history, must be recognized as worse than the library's run.

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
def test_a_search_is_as_good_as_its_library_and_better_than_random(case: Case) -> None:
    found, library, dice = (
        [run(case.function, case.trials, seed) for seed in range(case.seeds)]
        for run in (case.found, case.library, by("random"))
    )

    assert _chance(dice, library) < LEVEL, "these seeds cannot tell dice from a search"
    assert _chance(dice, found) < LEVEL
    assert _chance(found, library) > LEVEL


def _chance(losses: list[float], others: list[float]) -> float:
    """Return the probability of losses as high as these if both runs are equally good."""
    return float(mannwhitneyu(losses, others, alternative="greater").pvalue)
