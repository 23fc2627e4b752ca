"""`cmaes`: a normal distribution of trials that moves, stretches and shrinks towards the best.

A generation is as many trials as the population has members, by their numbers in the history. The
current distribution is the result of all generations whose trials have ended. Running trials do not
block: the next trials are drawn from the current distribution. A member that failed counts as the
worst of its generation. So does a member that still runs when the whole next generation has ended,
so a trial that hangs does not stop the search.

Parameters that are lists are drawn at random, because they have no distances. Each value of a
stepped range is a cell of the unit interval, and a trial is at a random position in its cell: with
the middle for all, the distribution would collapse as soon as all members are in one cell.

The distribution after the generations so far is remembered, so the next question of the same
experiment learns only from new ones (`suggestion.core.prefix_memory`).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cmaes
import numpy as np
from numpy.typing import NDArray

from api.errors import Fault
from api.faults import invalid
from api.types import ExperimentSpec
from suggestion.core.algorithm import LARGEST_WHOLE, SETTINGS, Algorithm, Rule, Values, one_of
from suggestion.core.dimensions import Dimension, Listed, Stepped
from suggestion.core.prefix_memory import PrefixMemory
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History, one_by_one, seed_at

_Vector = NDArray[np.float64]
_NONE, _IPOP, _BIPOP = "none", "ipop", "bipop"
_FIRST_SIGMA = 1 / 6
"""Of the unit interval: each end is three standard deviations from the middle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CmaEs:
    """CMA-ES on the unit cube of all ranges."""

    sigma: float = 0.0
    """The first standard deviation, in the parameters' own units; 0: not set."""
    sigma_share: float = 0.0
    """The first standard deviation, as a share of each range; 0: not set."""
    restart_strategy: str = _NONE

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Draw the next points from the current distribution."""
        ranges = _range_indexes(space)
        remembered = LEARNED.take((self, space, seed), history)
        strategy = remembered[0] if remembered else self._unlearned(space, ranges, seed)
        strategy.learn(_members(space, ranges, history, seed, strategy.learned))

        def choose(past: History) -> Point:
            index = len(past)
            rng = random.Random(seed_at(seed, index, "cmaes lists"))  # noqa: S311 - not for security
            shares = [rng.random() for _ in space.dimensions]
            for position, share in zip(ranges, strategy.draw(index), strict=True):
                shares[position] = float(share)
            return space.point(shares)

        points = one_by_one(choose, history, count)
        LEARNED.put((self, space, seed), history[: strategy.decided], strategy)
        return points

    def _unlearned(self, space: SearchSpace, ranges: Sequence[int], seed: int) -> _Restarts:
        return _Restarts(self._spreads(space, ranges), self.restart_strategy, seed)

    def _spreads(self, space: SearchSpace, ranges: Sequence[int]) -> _Vector:
        """Return the first standard deviation in each range, as a share of it; at most 1."""
        if not self.sigma:
            return np.full(len(ranges), self.sigma_share or _FIRST_SIGMA)
        dimensions = (space.dimensions[index] for index in ranges)
        widths = (
            dimension.distribution.high - dimension.distribution.low
            for dimension in dimensions
            if not isinstance(dimension, Listed)
        )
        return np.array([min(1.0, self.sigma / width) for width in widths])


class _Restarts:
    """The current distribution; starts a new one when it has converged, as the strategy says."""

    def __init__(self, spreads: _Vector, strategy: str, seed: int) -> None:
        self._dimensions, self._spreads = len(spreads), spreads
        self._strategy, self._seed = strategy, seed
        self.learned = 0
        """Trials of the generations that the distribution has learned from."""
        self.decided = 0
        """The first trials on which it depends: also a generation that did not wait for another."""
        self._restarts = 0
        self._cloud = self._new(np.full(self._dimensions, 0.5), None)
        self._least = self._cloud.population_size
        self._spent = {"large": 0, "small": 0}
        self._kind = "large"
        self._doublings = 0

    def learn(self, members: Sequence[_Member]) -> None:
        """Learn from all complete generations; `members` are the trials from `learned` on."""
        done = 0
        while True:
            size = self._cloud.population_size
            generation = members[done : done + size]
            later = members[done + size : done + 2 * size]
            if _ended(generation, size):
                needed = size
            elif len(generation) == size and _ended(later, size):
                needed = 2 * size
            else:
                return
            self.decided = max(self.decided, self.learned + needed)
            done += size
            self._tell(generation)

    def _tell(self, generation: Sequence[_Member]) -> None:
        first = self.learned
        self.learned += len(generation)
        losses = [member.loss for member in generation if member.loss is not None]
        if not losses:
            return
        worst = max(losses)
        self._cloud.tell(
            [
                (
                    self.draw(first + i) if m.place is None else m.place,
                    worst if m.loss is None else m.loss,
                )
                for i, m in enumerate(generation)
            ]
        )
        self._spent[self._kind] += len(generation)
        if self._strategy != _NONE and self._cloud.should_stop():
            self._restart()

    def draw(self, index: int) -> _Vector:
        self._cloud.reseed_rng(seed_at(self._seed, index, "cmaes"))
        place: _Vector = self._cloud.ask()
        return place

    def _restart(self) -> None:
        """Restart: IPOP doubles the population, BIPOP takes the size that has had fewer trials."""
        self._restarts += 1
        rng = np.random.default_rng(seed_at(self._seed, self._restarts, "cmaes restart"))
        self._kind = "large"
        if self._strategy == _BIPOP and self._spent["small"] < self._spent["large"]:
            self._kind = "small"
        if self._kind == "large":
            self._doublings += 1
            size = self._least * 2**self._doublings
        else:
            size = int(self._least * (2**self._doublings / 2) ** (rng.random() ** 2))
        self._cloud = self._new(rng.random(self._dimensions), max(size, self._least))

    def _new(self, mean: _Vector, size: int | None) -> cmaes.CMA:
        bounds = np.tile([0.0, 1.0], (self._dimensions, 1))
        least = float(min(self._spreads))
        shape = None  # equal in all directions
        if any(self._spreads != least):
            shape = np.diag((self._spreads / least) ** 2)
        return cmaes.CMA(mean=mean, sigma=least, bounds=bounds, population_size=size, cov=shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """One trial of the history as a member of its generation."""

    place: _Vector | None
    """Its shares of the ranges; None if its values are not in this space."""
    loss: float | None
    running: bool


def _ended(generation: Sequence[_Member], size: int) -> bool:
    return len(generation) == size and not any(member.running for member in generation)


def _range_indexes(space: SearchSpace) -> tuple[int, ...]:
    """Return the indexes of the dimensions that are ranges with more than one value."""
    return tuple(
        index
        for index, dimension in enumerate(space.dimensions)
        if not isinstance(dimension, Listed) and dimension.size != 1
    )


LEARNED: PrefixMemory[_Restarts] = PrefixMemory("assignments", "loss", "running")
"""The distributions of the last experiments. Whether a trial runs matters too: a generation with a
trial that runs is not learned from, unless the next one has ended; one with a trial that failed is.
"""


def _members(
    space: SearchSpace, ranges: Sequence[int], history: History, seed: int, first: int
) -> tuple[_Member, ...]:
    """Return the members of the trials from number `first` on."""
    dimensions = [space.dimensions[i] for i in ranges]
    cells = any(isinstance(dimension, Stepped) for dimension in dimensions)
    members: list[_Member] = []
    for index, past in enumerate(history[first:], first):
        shares = space.shares(past.assignments)
        place = None
        if shares is not None:
            place = np.array([shares[i] for i in ranges])
            if cells:
                rng = random.Random(seed_at(seed, index, "cmaes cells"))  # noqa: S311 - not for security
                pairs = zip(dimensions, place, strict=True)
                place = np.array([_within_cell(d, float(share), rng) for d, share in pairs])
        running = past.running and past.loss is None
        members.append(_Member(place=place, loss=past.loss, running=running))
    return tuple(members)


def _within_cell(dimension: Dimension, share: float, rng: random.Random) -> float:
    if not isinstance(dimension, Stepped):
        return share
    low, high = dimension.cell(share)
    return low + rng.random() * (high - low)


def _validate(space: SearchSpace, _spec: ExperimentSpec, values: Values) -> Iterator[Fault]:
    if values.get("sigma") and values.get("sigma_share"):
        why = "sigma and sigma_share are both set; delete one of them"
        yield invalid(SETTINGS, "sigma_share", why)
    count = len(_range_indexes(space))
    if count < 2:  # noqa: PLR2004 - the message has the number
        why = (
            "CMA-ES only supports two or more dimensional continuous search space.; write two"
            " parameters of type double or int, or take tpe instead"
        )
        yield invalid("spec.parameters", f"{count} of type double or int with a choice", why)


def _read_strategy(text: str) -> str:
    return text.lower()


ALGORITHM = Algorithm(
    make=CmaEs,
    rules=(
        Rule(
            name="sigma",
            read=float,
            write=f"a number from 0 to {LARGEST_WHOLE}, in the units of the parameters; 0: default",
            holds=lambda sigma: 0 <= sigma < math.inf,
            why="sigma should be greate or equal than zero",
            most=LARGEST_WHOLE,
        ),
        Rule(
            name="sigma_share",
            read=float,
            write="a number from 0 to 1, a share of each range; 0 is the default",
            holds=lambda share: 0 <= share <= 1,
            why="sigma_share should be from 0 to 1",
        ),
        one_of(
            "restart_strategy",
            (_NONE, _IPOP, _BIPOP),
            "restart_strategy {} is not supported in CMAES optimization",
            read=_read_strategy,
        ),
    ),
    seed_rule="random_state should be greate or equal than zero",
    validate=_validate,
)
