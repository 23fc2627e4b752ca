"""The brackets of `hyperband`: which trials are in which rung, and which of them are promoted."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from suggestion.core.search_space import Point
from suggestion.core.trial_history import PastTrial

_ROUNDING = 1e-9
"""Powers of a fraction are not exact: 3 ** 5 must fit into 243."""
_Configuration = tuple[tuple[str, str], ...]
"""The assignments without the resource."""


class Ladder:
    """The levels of the resource, from the least to `r_l`, each `eta` times the one before."""

    def __init__(self, r_l: float, eta: float) -> None:
        """Make it; `r_l` is at least 1, `eta` at least 2."""
        self.eta = eta
        self.last = 0
        while eta ** (self.last + 1) <= r_l * (1 + _ROUNDING):
            self.last += 1
        self.texts = tuple(
            str(int(r_l * eta ** (level - self.last) + _ROUNDING)) for level in range(self.last + 1)
        )
        """The resource of each level; a whole number, as in Katib."""

    def first_size(self, level: int) -> int:
        """Return how many trials begin in the bracket whose first rung has this level."""
        s = self.last - level
        return math.ceil((self.last + 1) * self.eta**s / (s + 1) - _ROUNDING)

    def promoted(self, size: int) -> int:
        """Return how many trials of a rung of this size are promoted."""
        return math.ceil(size / self.eta - _ROUNDING)


@dataclass(slots=True, eq=False)
class _Member:
    point: Point
    loss: float | None
    running: bool
    wins: bool = False
    """Whether it is among the best of its rung, whose trials have all ended."""
    promoted: bool = False
    """Whether it runs again with more resource."""


@dataclass(slots=True, eq=False)
class Rung:
    """Trials with the same resource."""

    size: int
    """How many trials it gets."""
    members: list[_Member] = field(default_factory=list)
    winners: list[_Member] | None = None
    """The trials that are promoted; None while a trial may still become one of them."""

    @property
    def has_ended(self) -> bool:
        """Whether all its trials have ended."""
        return len(self.members) >= self.size and not any(one.running for one in self.members)

    def decide(self, promoted: int) -> list[_Member]:
        """Return the winners, at most `promoted`; of equal trials the first, and no failed one."""
        measured = [one for one in self.members if one.loss is not None]
        self.winners = sorted(measured, key=lambda one: one.loss or 0.0)[:promoted]
        for one in self.winners:
            one.wins = True
        return self.winners


@dataclass(slots=True, eq=False)
class Bracket:
    """One run of successive halving: each rung has fewer trials, and more resource."""

    first_level: int
    rungs: list[Rung]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What is done next: a member of a rung is promoted, or a new trial begins in the first."""

    bracket: Bracket
    rung: int
    """The index of the rung that the next trial belongs to."""
    member: _Member | None = None


class Brackets:
    """All brackets that have begun, in order."""

    def __init__(self, ladder: Ladder, resource: str) -> None:
        """Make it without trials; `resource` is the name of the parameter."""
        self._ladder, self._resource = ladder, resource
        self._levels = {text: level for level, text in enumerate(ladder.texts)}
        self._brackets: list[Bracket] = []
        self._first_open = 0
        self._by_level: dict[int, list[Bracket]] = defaultdict(list)
        self._known: dict[tuple[int, _Configuration], list[tuple[Bracket, int, _Member]]] = (
            defaultdict(list)
        )
        self._next: _Waiting | None = None
        self.newest = (self._bracket(0), 0)
        """The bracket of the trial that was added last, and the index of its rung."""

    def add_all(self, trials: Iterable[PastTrial]) -> None:
        """Add trials in the order of suggestion, except those whose resource has another value.

        Trials with less resource are added first: then a promoted trial always finds its origin.
        """
        by_level: dict[int, list[PastTrial]] = defaultdict(list)
        for past in trials:
            level = self._level(past.assignments)
            if level is not None:
                by_level[level].append(past)
        for level in sorted(by_level):
            for past in by_level[level]:
                self.add(past)

    def add(self, past: PastTrial) -> None:
        """Add one trial."""
        self._next = None
        level = self._level(past.assignments)
        if level is None:
            return
        configuration = self._configuration(past.assignments)
        bracket, rung = self._place(level, configuration)
        member = _Member(past.assignments, past.loss, past.running)
        bracket.rungs[rung].members.append(member)
        self._known[level, configuration].append((bracket, rung, member))
        self.newest = (bracket, rung)

    def best_waiting(self) -> Point | None:
        """Return the point to promote next; None: a new configuration begins."""
        member = self._find_next().member
        return None if member is None else member.point

    def next_level(self) -> int:
        """Return the level of the resource of the next trial."""
        following = self._find_next()
        return following.bracket.first_level + following.rung

    def _level(self, point: Point) -> int | None:
        """Return a trial's level; in a space without the resource, all trials have the first."""
        texts = [one.value for one in point if one.name == self._resource]
        return self._levels.get(texts[0]) if texts else 0

    def _configuration(self, point: Point) -> _Configuration:
        return tuple((one.name, one.value) for one in point if one.name != self._resource)

    def _place(self, level: int, configuration: _Configuration) -> tuple[Bracket, int]:
        """Return the bracket of a trial, and the index of its rung; mark what it comes from."""
        for bracket, rung, member in self._known.get((level - 1, configuration), ()):
            self._winners(bracket, rung)
            if member.wins and not member.promoted:
                member.promoted = True
                return bracket, rung + 1
        return self._open_bracket(level), 0

    def _winners(self, bracket: Bracket, index: int) -> list[_Member]:
        """Return the trials of a rung that are promoted; none while a trial of it runs."""
        rung, last = bracket.rungs[index], index + 1 == len(bracket.rungs)
        if last or not rung.has_ended:
            return []
        if rung.winners is not None:
            return rung.winners
        winners = rung.decide(self._ladder.promoted(rung.size))
        bracket.rungs[index + 1].size = len(winners)  # fewer than planned if trials failed
        return winners

    def _open_bracket(self, level: int) -> Bracket:
        """Return the first bracket that begins at this level and has a free place."""
        brackets = self._by_level[level]
        while not brackets or len(brackets[-1].rungs[0].members) >= brackets[-1].rungs[0].size:
            self._bracket(len(self._brackets))
        return next(one for one in brackets if len(one.rungs[0].members) < one.rungs[0].size)

    def _bracket(self, number: int) -> Bracket:
        """Return a bracket by its number; begin it if it is the next one."""
        if number == len(self._brackets):
            level = number % (self._ladder.last + 1)
            sizes = [self._ladder.first_size(level)]
            while len(sizes) <= self._ladder.last - level:
                sizes.append(self._ladder.promoted(sizes[-1]))
            self._brackets.append(Bracket(level, [Rung(size) for size in sizes]))
            self._by_level[level].append(self._brackets[-1])
        return self._brackets[number]

    def _find_next(self) -> _Waiting:
        number = self._first_open
        while self._next is None:
            bracket = self._bracket(number)
            self._next = self._waiting_in(bracket)
            if self._next is None and number == self._first_open and _has_ended(bracket):
                self._first_open += 1
            number += 1
        return self._next

    def _waiting_in(self, bracket: Bracket) -> _Waiting | None:
        for rung in range(len(bracket.rungs) - 1):
            for member in self._winners(bracket, rung):
                if not member.promoted:
                    return _Waiting(bracket, rung + 1, member)
        if len(bracket.rungs[0].members) < bracket.rungs[0].size:
            return _Waiting(bracket, 0)
        return None


def _has_ended(bracket: Bracket) -> bool:
    return all(rung.has_ended for rung in bracket.rungs)
