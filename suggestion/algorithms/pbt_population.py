"""The generations of `pbt`: which trials are in which, and who becomes whose parent."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from api.names import GENERATION_LABEL, PARENT_LABEL
from suggestion.core.search_space import Point
from suggestion.core.trial_history import PastTrial, seed_at

_MOST_ATTEMPTS = 3
"""Of the same parameters with the same parent."""
_LARGEST = 1e100
"""A larger loss counts as this one: quantiles are computed from sums."""
_MOST_DIGITS = 9
"""Of the number of a generation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One trial of a generation."""

    point: Point
    generation: int
    name: str = ""
    """Of the trial; "" while it is not created."""
    parent: str = ""
    """The name of the trial whose checkpoint it continues; "" if there is none."""
    loss: float | None = None
    running: bool = True

    @property
    def failed(self) -> bool:
        """Whether it has ended without a value."""
        return self.loss is None and not self.running


def _member(past: PastTrial) -> Member:
    number = past.labels.get(GENERATION_LABEL, "")
    readable = number.isascii() and number.isdecimal() and len(number) <= _MOST_DIGITS
    return Member(
        point=past.assignments,
        generation=int(number) if readable else 0,
        name=past.name,
        parent=past.labels.get(PARENT_LABEL, ""),
        loss=past.loss,
        running=past.running,
    )


class Population:
    """All generations so far."""

    def __init__(self, trials: Iterable[PastTrial], size: int, threshold: float, seed: int) -> None:
        """Make it.

        Args:
            trials: with their values, in the order of suggestion.
            size: of a generation.
            threshold: the share of the worst, and of the best (0 to 1).
            seed: of the choice of parents.
        """
        self._size, self._threshold, self._seed = size, threshold, seed
        self._generations: dict[int, list[Member]] = defaultdict(list)
        self._attempts: Counter[tuple[int, str, Point]] = Counter()
        self._failures: dict[tuple[int, str, Point], list[Member]] = defaultdict(list)
        self._current = 0
        for past in trials:
            self.add(_member(past))

    def add(self, member: Member) -> None:
        """Add a trial."""
        self._current = max(self._current, member.generation)
        self._generations[member.generation].append(member)
        key = (member.generation, member.parent, member.point)
        self._attempts[key] += 1
        if member.failed:
            self._failures[key].append(member)

    def to_repeat(self) -> Member | None:
        """Return the next attempt of a trial of the current generation that failed, if any."""
        for key, failed in self._failures.items():
            attempts = self._attempts[key]
            if key[0] == self._current and len(failed) == attempts < _MOST_ATTEMPTS:
                generation, parent, point = key
                return Member(point=point, generation=generation, parent=parent)
        return None

    def next_generation(self) -> int:
        """Return the generation of the next new trial."""
        members = [one for one in self._generations[self._current] if not one.failed]
        measured = sum(one.loss is not None for one in members)
        # A generation of which too few can succeed is filled up with further trials.
        if len(members) >= self._size and measured >= self._size:
            return self._current + 1
        return self._current

    def has_parents(self, generation: int) -> bool:
        """Return whether an earlier generation has a trial with a value."""
        return bool(self._pool(generation))

    def parent(self, generation: int, dice: random.Random) -> tuple[Member, Member | None]:
        """Return the parent of a new trial, and the trial whose parameters it takes over.

        The second is None if the parent is not one of the worst: then its own are changed. Some
        earlier generation must have a trial with a value.
        """
        pool = self._pool(generation)
        worst, others, best = self._segments(pool)
        plan = (*worst, *others)
        used = Counter(one.parent for one in self._generations[generation] if not one.failed)
        unused = [one for one in plan if not used[one.name]]
        parent = unused[0] if unused else dice.choice(plan)
        taken = dice.choice(best)
        return parent, taken if any(parent is one for one in worst) else None

    def _pool(self, generation: int) -> list[Member]:
        """Return the trials that can be parents: those of the newest earlier generation with any.

        It is the generation before, unless the trials of that one were deleted.
        """
        for number in sorted(self._generations, reverse=True):
            members = self._generations[number]
            measured = [one for one in members if one.loss is not None]
            if number < generation and measured:
                return measured
        return []

    def _segments(
        self, pool: Sequence[Member]
    ) -> tuple[Sequence[Member], Sequence[Member], Sequence[Member]]:
        """Return those that exploit, those that explore, and the best, as Katib does.

        The first two are as many as the population has, or fewer.
        """
        losses = [min(max(one.loss or 0.0, -_LARGEST), _LARGEST) for one in pool]
        good, bad = np.quantile(losses, (self._threshold, 1 - self._threshold))
        # In an order that stays the same when a late trial joins the pool.
        shuffled = sorted(
            zip(losses, pool, strict=True), key=lambda pair: seed_at(self._seed, 0, pair[1].name)
        )
        worst = [one for loss, one in shuffled if loss > bad]
        worst = worst[: int(self._size * self._threshold)]
        others = [one for loss, one in shuffled if loss <= bad][: self._size - len(worst)]
        best = [one for loss, one in shuffled if loss <= good]
        return worst, others, best
