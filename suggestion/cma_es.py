"""`cmaes`: a cloud of trials that moves, stretches and shrinks towards the best.

A generation is as many trials as the population has members, by their numbers in the history. The
cloud of this moment is the fold of all generations whose trials have all ended; those still
running are waited for by nobody, the next trials are drawn from the cloud as it is. A member that
failed counts as the worst of its generation, and so does one that still runs when all of the next
generation have ended: a trial that hangs holds nobody up.

Parameters that are lists are drawn at random: distance means nothing there. Each value of a
stepped range is a cell of the unit interval, and a trial stands at a random place of its cell:
were it always the middle, the cloud would shrink to nothing as soon as one cell holds them all.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cmaes
import numpy as np
from numpy.typing import NDArray

from api.errors import Fault
from api.faults import invalid
from api.types import ExperimentSpec
from suggestion.algorithm import Algorithm, Rule, Values, one_of
from suggestion.dimensions import Dimension, Listed, Stepped
from suggestion.history import History, one_by_one, seed_at
from suggestion.space import Point, Space

_Vector = NDArray[np.float64]
_NONE, _IPOP, _BIPOP = "none", "ipop", "bipop"
_FIRST_SIGMA = 1 / 6
"""Of the unit interval: the range is three standard deviations to each side of its middle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CmaEs:
    """CMA-ES on the unit cube of all ranges."""

    sigma: float = 0.0
    """The first step, as a share of each range; 0 leaves the choice to us."""
    restart_strategy: str = _NONE

    def suggest(self, space: Space, history: History, count: int, seed: int) -> tuple[Point, ...]:
        """Draw the next points from the cloud of this moment."""
        moving = _moving(space)
        cloud = _Restarts(len(moving), self.sigma or _FIRST_SIGMA, self.restart_strategy, seed)
        members = _members(space, moving, history, seed)
        while cloud.tell(members):
            pass

        def choose(past: History) -> Point:
            index = len(past)
            dice = random.Random(seed_at(seed, index, "cmaes lists"))  # noqa: S311 - no secrets
            shares = [dice.random() for _ in space.dimensions]
            for place, share in zip(moving, cloud.draw(index), strict=True):
                shares[place] = float(share)
            return space.point(shares)

        return one_by_one(choose, history, count)


class _Restarts:
    """The cloud and, where it has shrunk to nothing, the next one, as the strategy says."""

    def __init__(self, dimensions: int, sigma: float, strategy: str, seed: int) -> None:
        self._dimensions, self._sigma = dimensions, sigma
        self._strategy, self._seed = strategy, seed
        self._told = 0
        self._restarts = 0
        self._cloud = self._new(np.full(dimensions, 0.5), None)
        self._least = self._cloud.population_size
        self._spent = {"large": 0, "small": 0}
        self._kind = "large"
        self._doublings = 0

    def tell(self, members: Sequence[_Member]) -> bool:
        """Take in the next generation; say no where it is not complete."""
        size = self._cloud.population_size
        generation = members[self._told : self._told + size]
        later = members[self._told + size : self._told + 2 * size]
        if not (_ended(generation, size) or (len(generation) == size and _ended(later, size))):
            return False
        self._told += size
        losses = [member.loss for member in generation if member.loss is not None]
        if losses:
            worst = max(losses)
            first = self._told - size
            self._cloud.tell(
                [
                    (
                        self.draw(first + i) if m.place is None else m.place,
                        worst if m.loss is None else m.loss,
                    )
                    for i, m in enumerate(generation)
                ]
            )
            self._spent[self._kind] += size
            if self._strategy != _NONE and self._cloud.should_stop():
                self._restart()
        return True

    def draw(self, index: int) -> _Vector:
        self._cloud.reseed_rng(seed_at(self._seed, index, "cmaes"))
        place: _Vector = self._cloud.ask()
        return place

    def _restart(self) -> None:
        """Begin anew: IPOP with twice as many members, BIPOP with whatever had less so far."""
        self._restarts += 1
        dice = np.random.default_rng(seed_at(self._seed, self._restarts, "cmaes restart"))
        self._kind = "large"
        if self._strategy == _BIPOP and self._spent["small"] < self._spent["large"]:
            self._kind = "small"
        if self._kind == "large":
            self._doublings += 1
            size = self._least * 2**self._doublings
        else:
            size = int(self._least * (2**self._doublings / 2) ** (dice.random() ** 2))
        self._cloud = self._new(dice.random(self._dimensions), max(size, self._least))

    def _new(self, mean: _Vector, size: int | None) -> cmaes.CMA:
        bounds = np.tile([0.0, 1.0], (self._dimensions, 1))
        return cmaes.CMA(mean=mean, sigma=self._sigma, bounds=bounds, population_size=size)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """One trial of the history as a member of its generation."""

    place: _Vector | None
    """None where its values are not of this space."""
    loss: float | None
    running: bool


def _ended(generation: Sequence[_Member], size: int) -> bool:
    return len(generation) == size and not any(member.running for member in generation)


def _moving(space: Space) -> tuple[int, ...]:
    """Return the dimensions that the cloud is in: ranges with more than one value."""
    return tuple(
        index
        for index, dimension in enumerate(space.dimensions)
        if not isinstance(dimension, Listed) and dimension.size != 1
    )


def _members(
    space: Space, moving: Sequence[int], history: History, seed: int
) -> tuple[_Member, ...]:
    members: list[_Member] = []
    for index, past in enumerate(history):
        shares = space.shares(past.assignments)
        place = None
        if shares is not None:
            dice = random.Random(seed_at(seed, index, "cmaes cells"))  # noqa: S311 - no secrets
            place = np.array([_within_cell(space.dimensions[i], shares[i], dice) for i in moving])
        running = past.running and past.loss is None
        members.append(_Member(place=place, loss=past.loss, running=running))
    return tuple(members)


def _within_cell(dimension: Dimension, share: float, dice: random.Random) -> float:
    if not isinstance(dimension, Stepped):
        return share
    low, high = dimension.cell(share)
    return low + dice.random() * (high - low)


def _judge(space: Space, _spec: ExperimentSpec, _values: Values) -> Iterator[Fault]:
    found = len(_moving(space))
    if found < 2:  # noqa: PLR2004 - the sentence says it
        why = (
            "CMA-ES only supports two or more dimensional continuous search space.; write two"
            " parameters of type double or int, or take tpe instead"
        )
        yield invalid("spec.parameters", f"{found} of type double or int with a choice", why)


def _read_strategy(text: str) -> str:
    return text.lower()


ALGORITHM = Algorithm(
    make=CmaEs,
    rules=(
        Rule(
            name="sigma",
            read=float,
            write="a number from 0 to 1, a share of each range; 0 leaves the choice to us",
            holds=lambda sigma: 0 <= sigma <= 1,
            why="sigma should be greate or equal than zero, and not above one",
        ),
        one_of(
            "restart_strategy",
            (_NONE, _IPOP, _BIPOP),
            "restart_strategy {} is not supported in CMAES optimization",
            read=_read_strategy,
        ),
    ),
    seed_rule="random_state should be greate or equal than zero",
    judge=_judge,
)
