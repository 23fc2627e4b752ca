"""The arguments of `trialwatch.tune`, as the words of the command line `trialwatch tune`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fspath

from trialwatch.sdk.errors import TuneError
from trialwatch.sdk.spaces import Space, space_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The arguments of a call beside program and space; each has the name of its flag."""

    maximize: str | None = None
    minimize: str | None = None
    trials: int | None = None
    parallel: int | None = None
    gpus: str | None = None
    gpus_per_trial: int | None = None
    pin: bool = False
    goal: float | None = None
    also: Sequence[str] = ()
    algorithm: str | None = None
    enqueue: Sequence[str] = ()
    seed: int | None = None
    early_stopping: str | None = None
    metrics_format: str | Sequence[str] = ()
    file: str | PathLike[str] | None = None
    name: str | None = None
    state_dir: str | PathLike[str] | None = None
    database: str | None = None
    fresh: bool = False
    retry_failed: bool = False

    @property
    def metric(self) -> str:
        """The metric that decides.

        Raises:
            TuneError: none is given, or two.
        """
        if self.maximize and self.minimize:
            raise TuneError(
                f"one metric decides: keep maximize={self.maximize!r} or"
                f" minimize={self.minimize!r}, and show the other metric with also=[...]"
            )
        metric = self.maximize or self.minimize
        if not metric:
            raise TuneError('write maximize="METRIC" or minimize="METRIC", such as "accuracy"')
        return metric


_NUMBERS = ("trials", "parallel", "gpus_per_trial", "goal", "seed")
_TEXTS = (
    "maximize",
    "minimize",
    "gpus",
    "algorithm",
    "early_stopping",
    "file",
    "name",
)
_PLACES = ("state_dir", "database")
_SWITCHES = ("pin", "fresh", "retry_failed")


def tune_words(
    program: Sequence[str], space: Mapping[str, Space], options: Options
) -> tuple[str, ...]:
    """Return the words behind `trialwatch`.

    Args:
        program: the words of the program, with `{NAME}` in the place of each value.
        space: the space of each parameter.
        options: the other arguments.

    Raises:
        TuneError: a value cannot be used; says which one.
    """
    words = ["tune"]
    for name in (*_TEXTS[:2], *_NUMBERS, *_TEXTS[2:]):
        value = getattr(options, name)
        if value is not None:
            words.append(f"--{name.replace('_', '-')}={_text(name, value)}")
    for name in _PLACES:
        value = getattr(options, name)
        if value is not None:  # two words: the password in a word that is a URL is not stored
            words += [f"--{name.replace('_', '-')}", _text(name, value)]
    formats = options.metrics_format
    formats = [formats] if isinstance(formats, str) else formats
    words += [f"--metrics-format={_text('metrics_format', one)}" for one in formats]
    words += [f"--also={_text('also', metric)}" for metric in _several("also", options.also)]
    words += [f"--enqueue={_text('enqueue', one)}" for one in _several("enqueue", options.enqueue)]
    words += [f"--{name.replace('_', '-')}" for name in _SWITCHES if getattr(options, name)]
    words += [f"--param={name}={space_text(name, one)}" for name, one in space.items()]
    return (*words, "--", *program)


def program_words(command: str | Sequence[object]) -> tuple[str, ...]:
    """Return the words of a command.

    Args:
        command: one line, split at its blanks as a shell splits it, or a list of words.

    Raises:
        TuneError: the line is empty, or a quote does not end.
    """
    if not isinstance(command, str | Sequence):
        raise TuneError(
            f"{command!r} cannot be tuned: give a command as a text or a list, or a function"
        )
    if isinstance(command, str):
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise TuneError(f"the command {command!r} cannot be split: {error}") from None
    else:
        words = [fspath(one) if isinstance(one, PathLike) else str(one) for one in command]
    if not words:
        raise TuneError('the command is empty: write one such as "python train.py --lr={lr}"')
    return tuple(words)


def _several(name: str, values: Sequence[str]) -> Sequence[str]:
    if isinstance(values, str):
        raise TuneError(f"{name}={values!r} must be a list: write {name}=[{values!r}]")
    return values


def _text(name: str, value: object) -> str:
    if name in _NUMBERS:
        kinds: tuple[type, ...] = (int, float) if name == "goal" else (int,)
        if isinstance(value, bool) or not isinstance(value, kinds):
            kind = "a number" if name == "goal" else "a whole number"
            raise TuneError(f"{name}={value!r} is not {kind}")
        return str(value)
    if isinstance(value, PathLike):
        return str(fspath(value))
    if not isinstance(value, str):
        raise TuneError(f"{name}={value!r} is not a text")
    return value
