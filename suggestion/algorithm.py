"""What an algorithm is: its settings, what it refuses, and the search that it makes of them.

An `Algorithm` is what an entry point of the group `trialwatch.algorithms` names; the algorithms
here are written in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from api.errors import Fault, SpecError
from api.faults import invalid, nearest
from api.types import ExperimentSpec, Setting
from suggestion.history import History
from suggestion.space import Point, Space

SETTINGS = "spec.algorithm.algorithmSettings"
RANDOM_STATE = "random_state"

Values = Mapping[str, Any]
"""Settings by name, each as the type that its rule reads."""


class Search(Protocol):
    """An algorithm with its settings."""

    def suggest(self, space: Space, history: History, count: int, seed: int) -> tuple[Point, ...]:
        """Choose the next `count` points; fewer only where the space has no more of them.

        It is a pure function, and asking for n at once is asking n times for one, with the
        first ones in the history as running.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One setting: how its text is read, and what must hold."""

    name: str
    read: Callable[[str], Any]
    """Raises ValueError where the text means nothing."""
    write: str
    """What to write instead, as in `a whole number`."""
    holds: Callable[[Any], bool] = lambda _: True
    why: str = ""
    """The sentence where it does not hold; {} stands for the value that was given."""

    def value(self, text: str) -> Any:  # noqa: ANN401 - a setting's type is its algorithm's affair
        """Read the text.

        Raises:
            ValueError: it means nothing, or is out of bounds; the sentence says what to write.
        """
        short = text[:40]
        try:
            value = self.read(text)
        except ValueError:
            why = f"failed to validate {self.name}({short}): write {self.write}"
            raise ValueError(why) from None
        if not self.holds(value):
            raise ValueError(f"{self.why.replace('{}', short)}; write {self.write}")
        return value


def _nothing_wrong(_space: Space, _spec: ExperimentSpec, _values: Values) -> Iterator[Fault]:
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """One search algorithm, as it is found by name."""

    make: Callable[..., Search]
    """Takes the settings that were given, but for random_state, as keywords."""
    rules: tuple[Rule, ...] = ()
    seed_rule: str = "random_state should be great or equal than zero"
    judge: Callable[[Space, ExperimentSpec, Values], Iterator[Fault]] = _nothing_wrong
    """What is wrong with the experiment as a whole; its settings are right by themselves."""
    seeded: bool = True
    """Whether it draws at random, so that a seed must be chosen where none is given."""

    def read(self, name: str, settings: Sequence[Setting]) -> Values:
        """Read the settings; `name` is the algorithm's, for what is said of them.

        Raises:
            SpecError: all that is wrong with them.
        """
        return read_values(name, (*self.rules, _seed(self.seed_rule)), settings, SETTINGS)


def read_values(
    algorithm: str, rules: Sequence[Rule], settings: Sequence[Setting], path: str
) -> Values:
    """Read settings by their rules; of two with one name the last counts.

    Raises:
        SpecError: all that is wrong with them, each with its place below `path`.
    """
    by_name = {rule.name: rule for rule in rules}
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for index, setting in enumerate(settings):
        rule = by_name.get(setting.name)
        if rule is None:
            faults.append(_unknown(f"{path}[{index}].name", setting.name, algorithm, by_name))
            continue
        try:
            values[setting.name] = rule.value(setting.value)
        except ValueError as error:
            faults.append(invalid(f"{path}[{index}].value", setting.value, str(error)))
    if faults:
        raise SpecError(tuple(faults))
    return values


def _seed(why: str) -> Rule:
    return whole(RANDOM_STATE, least=0, why=why)


def _unknown(path: str, setting: str, algorithm: str, known: Iterable[str]) -> Fault:
    near = nearest(setting, known) or f"; it knows {', '.join(known)}"
    return invalid(path, setting, f"unknown setting {setting[:40]} for algorithm {algorithm}{near}")


def whole(name: str, *, least: int, why: str) -> Rule:
    """Make the rule of a whole number that is not below `least`."""
    return Rule(
        name=name,
        read=int,
        write=f"a whole number from {least}",
        holds=lambda number: bool(number >= least),
        why=why,
    )


def one_of(name: str, words: Sequence[str], why: str, read: Callable[[str], str] = str) -> Rule:
    """Make the rule of a word out of a few; in `why`, {} stands for the word that was given."""
    return Rule(
        name=name,
        read=read,
        write=f"one of {', '.join(words)}",
        holds=lambda word: word in words,
        why=why,
    )
