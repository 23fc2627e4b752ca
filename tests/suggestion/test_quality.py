"""Search from history alone finds as much as the library's own stateful run, and more than dice.

Few seeds and few trials, so that it takes seconds; `make bench ARGS=suggestion` has the long run
over every function. A median of eight seeds is rough: the factor allows for that, and a search that
had lost its state would miss it by far.
"""

from __future__ import annotations

from functools import partial

import pytest

from bench.suggestion import FUNCTIONS, LIBRARIES, Function, gap, ours

SPHERE, BRANIN, *_ = FUNCTIONS
CASES = [
    ("tpe", SPHERE, 40, 8),
    ("multivariate-tpe", SPHERE, 40, 8),
    ("cmaes", SPHERE, 90, 12),
    ("bayesianoptimization", BRANIN, 16, 3),
]


@pytest.mark.parametrize(("name", "function", "trials", "seeds"), CASES)
def test_it_is_as_good_as_the_library_and_better_than_random(
    name: str, function: Function, trials: int, seeds: int
) -> None:
    runs = range(seeds)
    found = gap(partial(ours, name, function, trials), function, runs)
    library = gap(partial(LIBRARIES[name], function, trials), function, runs)
    dice = gap(partial(ours, "random", function, trials), function, runs)

    assert found <= 1.5 * library
    assert found < dice
