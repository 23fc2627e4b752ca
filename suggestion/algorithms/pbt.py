"""`pbt`: population-based training: trials go on from checkpoints, with changed parameters.

A generation is a population of trials. The first one begins with random parameters. Each trial of a
later one continues the checkpoint of its parent, a trial of the generation before:

| the parent | the trial's parameters |
|---|---|
| is one of the worst (`truncation_threshold`) | exploit: those of a random one of the best |
| is not | explore: the parent's, each times 0.8 or 1.2; in a list, the next or the previous |
| is not; with `resample_probability` | explore: each with this probability a new one |

A generation begins when as many trials of the last one have succeeded as the population has. Until
then, further trials of the current generation are suggested, so that no place stays free. A trial
that failed is repeated with the same parameters and parent, three times in all.

Labels on the trials say generation and parent, so the history has all that the search needs. The
search makes no directories: `suggestion.service.checkpoints` does.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from api.errors import Fault
from api.faults import invalid
from api.names import GENERATION_LABEL, PARENT_LABEL
from api.types import Assignment, ExperimentSpec, SuggestedTrial
from suggestion.algorithms.pbt_population import Member, Population
from suggestion.algorithms.random_search import random_point
from suggestion.core.algorithm import SETTINGS, Algorithm, Proposal, Rule, Values, whole
from suggestion.core.dimensions import Continuous, Dimension, Listed
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History, seed_at

_FACTORS = (0.8, 1.2)
_MOST_MEMBERS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pbt:
    """Population-based training, with Katib's settings."""

    suggestion_trial_dir: str = ""
    """Where a trial finds the directory of its checkpoint; not used by the search itself."""
    n_population: int = 5
    truncation_threshold: float = 0.0
    resample_probability: float | None = None
    """None: parameters are multiplied."""

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Return the next points."""
        return tuple(one.assignments for one in self.propose(space, history, count, seed).trials)

    def propose(self, space: SearchSpace, history: History, count: int, seed: int) -> Proposal:
        """Return the same points, labelled with their generations and parents."""
        known = [past for past in history if past.assignments]
        population = Population(known, self.n_population, self.truncation_threshold, seed)
        unknown = sum(past.running and not past.assignments for past in history)
        trials: list[SuggestedTrial] = []
        # Running trials of which nothing is known count as the next ones: they are not returned.
        for index in range(len(history) - unknown, len(history) + count):
            member = self._next(space, population, index, seed)
            population.add(member)
            labels = {GENERATION_LABEL: str(member.generation)}
            if member.parent:
                labels[PARENT_LABEL] = member.parent
            trials.append(SuggestedTrial(name="", assignments=member.point, labels=labels))
        return Proposal(trials=tuple(trials[unknown:]))

    def _next(self, space: SearchSpace, population: Population, index: int, seed: int) -> Member:
        again = population.to_repeat()
        if again is not None:
            return again
        generation = population.next_generation()
        if not population.has_parents(generation):
            return Member(point=random_point(space, index, seed), generation=generation)
        dice = random.Random(seed_at(seed, index, "pbt"))  # noqa: S311 - not for security
        parent, best = population.parent(generation, dice)
        point = self._explored(space, parent.point, dice) if best is None else best.point
        return Member(point=point, generation=generation, parent=parent.name)

    def _explored(self, space: SearchSpace, point: Point, dice: random.Random) -> Point:
        values = {one.name: one.value for one in point}
        return tuple(
            Assignment(name=d.name, value=self._value(d, values.get(d.name, ""), dice))
            for d in space.dimensions
        )

    def _value(self, dimension: Dimension, text: str, dice: random.Random) -> str:
        factor, drawn, share = dice.choice(_FACTORS), dice.random(), dice.random()
        if dimension.share(text) is None:  # of another space
            return dimension.text(share)
        if self.resample_probability is None:
            return perturbed(dimension, text, factor)
        return dimension.text(share) if drawn < self.resample_probability else text


def perturbed(dimension: Dimension, text: str, factor: float) -> str:
    """Return a value times the factor, within its range, and different from it if that can be.

    With steps, it is the nearest value. In a list, it is the next or the previous one.
    """
    if isinstance(dimension, Continuous):
        low, high = dimension.distribution.low, dimension.distribution.high
        return repr(min(max(float(text) * factor, low), high))
    index = dimension.index(text)
    if index is None:
        return text
    direction = 1 if factor > 1 else -1
    if isinstance(dimension, Listed):
        return dimension.value((index + direction) % dimension.size)
    number = float(dimension.value(index))
    if number < 0:
        direction = -direction
    low, high = float(dimension.value(0)), float(dimension.value(dimension.size - 1))
    moved = dimension.index(repr(min(max(number * factor, low), high)))
    if moved is None or moved == index:  # the step is larger than the change
        moved = index + direction
    return dimension.value(min(max(moved, 0), dimension.size - 1))


def _validate(_space: SearchSpace, _spec: ExperimentSpec, values: Values) -> Iterator[Fault]:
    missing = [name for name in ALGORITHM.required if name not in values]
    if missing:
        why = (
            f"Required params missing: {', '.join(missing)}; write suggestion_trial_dir, the"
            " directory of a trial's checkpoint, n_population, such as 10, and"
            " truncation_threshold, such as 0.2"
        )
        yield invalid(SETTINGS, ", ".join(values), why)


def _probability(text: str) -> float | None:
    return None if text.lower() in ("null", "none", "") else float(text)


def _is_share(value: float) -> bool:
    return 0 <= value <= 1


ALGORITHM = Algorithm(
    make=Pbt,
    rules=(
        Rule(
            name="suggestion_trial_dir",
            read=str,
            write="a path that begins with /, at most 253 characters",
            holds=lambda path: path.startswith("/") and len(path) <= 253 and path.isprintable(),  # noqa: PLR2004 - the message has the number
            why="suggestion_trial_dir must be the absolute path of a directory",
        ),
        whole(
            "n_population", least=5, most=_MOST_MEMBERS, why="Param(n_population) should be >= 5"
        ),
        Rule(
            name="truncation_threshold",
            read=float,
            write="a number from 0 to 1; 0.2 is usual",
            holds=_is_share,
            why="Param(truncation_threshold) should be between 0 and 1, inclusive",
        ),
        Rule(
            name="resample_probability",
            read=_probability,
            write="a number from 0 to 1, or null",
            holds=lambda share: share is None or _is_share(share),
            why=(
                "Param(resample_probability) should be null to perturb at 0.8 or 1.2, or be between"
                " 0 and 1, inclusive, to resample"
            ),
        ),
    ),
    required=("suggestion_trial_dir", "n_population", "truncation_threshold"),
    validate=_validate,
    has_checkpoints=True,
)
