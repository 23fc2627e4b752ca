"""The interface of an algorithm: its settings, the experiments that it refuses, and its search.

An entry point of the group `trialwatch.algorithms` names an `Algorithm`. The algorithms of this
package have the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from api.errors import Fault, SpecError
from api.faults import invalid, nearest
from api.types import ExperimentSpec, Setting, SuggestedTrial
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History

SETTINGS = "spec.algorithm.algorithmSettings"
RANDOM_STATE = "random_state"
LARGEST_WHOLE = 1_000_000
"""Of a setting that is a whole number and has no smaller bound: as many trials as may be."""
LONGEST_TEXT = 253
"""Characters of a setting that is a text."""
_LARGEST_SEED = 2**63 - 1
_MOST_SETTINGS = 100
"""Of one algorithm; an experiment with more is a mistake."""

Values = Mapping[str, Any]
"""Settings by name; `Rule.read` has converted each from its text."""


class Search(Protocol):
    """An algorithm with its settings."""

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Choose the next `count` points; fewer only if the space has no more points.

        This is a pure function. To ask for n points at once has the same result as to ask n times
        for one point, with the earlier points in the history as running trials.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a search answers."""

    trials: tuple[SuggestedTrial, ...]
    """The points, perhaps with names and labels."""
    settings: tuple[Setting, ...] = ()
    """Settings to send with later requests."""


@runtime_checkable
class ProposingSearch(Search, Protocol):
    """A search that answers more than points."""

    def propose(self, space: SearchSpace, history: History, count: int, seed: int) -> Proposal:
        """Choose the same points as `suggest`; a pure function too."""


@runtime_checkable
class ExplainingSearch(Search, Protocol):
    """A search that can say how it searches."""

    def explain(self, space: SearchSpace) -> str:
        """Return how this space is searched, and why, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One setting: how to read its text, and which values are allowed."""

    name: str
    read: Callable[[str], Any]
    """Converts the text; raises ValueError if it cannot."""
    write: str
    """The remedy in messages, such as `a whole number`."""
    holds: Callable[[Any], bool] = lambda _: True
    """Returns whether a value is allowed."""
    why: str = ""
    """The message if `holds` returns false; {} stands for the text of the setting."""
    most: int | None = None
    """The largest value of a number; None: `holds` bounds it, or it is a word."""

    def value(self, text: str) -> Any:  # noqa: ANN401 - each setting has its own type
        """Read the text.

        Raises:
            ValueError: the text cannot be read, or the value is not allowed; the message says what
                to write.
        """
        short = text[:40]
        try:
            value = self.read(text)
        except ValueError:
            why = f"failed to validate {self.name}({short}): write {self.write}"
            raise ValueError(why) from None
        if not self.holds(value):
            raise ValueError(f"{self.why.replace('{}', short)}; write {self.write}")
        if self.most is not None and value > self.most:
            raise ValueError(f"{self.name} must be at most {self.most}; write {self.write}")
        return value


def _no_faults(_space: SearchSpace, _spec: ExperimentSpec, _values: Values) -> Iterator[Fault]:
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """One search algorithm."""

    make: Callable[..., Search]
    """Makes the search; takes the given settings, except random_state, as keywords."""
    budgeted: bool = False
    """Whether `make` also takes `budget` (maxTrialCount) and `parallel` (parallelTrialCount), each
    a number or None."""
    rules: tuple[Rule, ...] = ()
    required: tuple[str, ...] = ()
    """The settings without a default; `validate` says which of them are missing."""
    seed_rule: str = "random_state should be great or equal than zero"
    validate: Callable[[SearchSpace, ExperimentSpec, Values], Iterator[Fault]] = _no_faults
    """Yields the faults of an experiment whose settings are all readable."""
    admit: Callable[[SearchSpace, ExperimentSpec, Values], Iterator[Fault]] = _no_faults
    """Yields faults that only a new experiment is refused for: the search could run with them."""
    seeded: bool = True
    """Whether the search is random and so needs a seed."""
    has_checkpoints: bool = False
    """Whether each trial has a directory, which begins as a copy of its parent's."""

    @property
    def seed(self) -> Rule:
        """The rule of `random_state`."""
        return whole(RANDOM_STATE, least=0, most=_LARGEST_SEED, why=self.seed_rule)

    def read(self, name: str, settings: Sequence[Setting]) -> Values:
        """Read the settings; messages contain `name`, the name of the algorithm.

        Raises:
            SpecError: the faults of all settings.
        """
        return read_values(name, (*self.rules, self.seed), settings, SETTINGS)


def read_values(
    algorithm: str, rules: Sequence[Rule], settings: Sequence[Setting], path: str
) -> Values:
    """Read settings by their rules; if a name occurs twice, the last setting counts.

    Raises:
        SpecError: the faults of all settings, each with its path below `path`.
    """
    if len(settings) > _MOST_SETTINGS:
        why = f"must have at most {_MOST_SETTINGS} settings; remove those that occur twice"
        raise SpecError((invalid(path, len(settings), why),))
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


def _unknown(path: str, setting: str, algorithm: str, known: Iterable[str]) -> Fault:
    near = nearest(setting, known) or f"; known are {', '.join(known)}"
    return invalid(path, setting, f"unknown setting {setting[:40]} for algorithm {algorithm}{near}")


def whole(name: str, *, least: int, most: int = LARGEST_WHOLE, why: str) -> Rule:
    """Return the rule of a setting that is a whole number from `least` to `most`."""
    return Rule(
        name=name,
        read=int,
        write=f"a whole number from {least} to {most}",
        holds=lambda number: bool(number >= least),
        why=why,
        most=most,
    )


def text_setting(name: str, write: str) -> Rule:
    """Return the rule of a setting that is a text of one line, such as a name or a path."""
    return Rule(
        name=name,
        read=str,
        write=f"{write}, at most {LONGEST_TEXT} characters",
        holds=lambda text: 0 < len(text) <= LONGEST_TEXT and text.isprintable(),
        why=f"{name} must be a text of one line",
    )


def one_of(name: str, words: Sequence[str], why: str, read: Callable[[str], str] = str) -> Rule:
    """Return the rule of a setting that is one of some words; {} in `why` stands for the text."""
    return Rule(
        name=name,
        read=read,
        write=f"one of {', '.join(words)}",
        holds=lambda word: word in words,
        why=why,
    )
