"""The result of a search."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from trialwatch.sdk.spaces import AS_WRITTEN, Decoder, Value, decoded

WITHOUT_PANDAS: Final = (
    "trialwatch: result.trials is a list of records; for a DataFrame: pip install pandas"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial."""

    name: str
    state: str
    """`succeeded`, `failed`, `stopped early`, `no metrics`, `killed`, `interrupted`."""
    parameters: Mapping[str, Value]
    metrics: Mapping[str, float]
    """The value that stands for the trial: by default the best one."""
    seconds: float | None
    """How long it has run."""
    cause: str
    """Why it has failed, or "" if it has not."""

    @property
    def record(self) -> dict[str, Any]:
        """The trial as one row: name, state, parameters, metrics, seconds, cause."""
        return {
            "name": self.name,
            "state": self.state,
            **self.parameters,
            **self.metrics,
            "seconds": self.seconds,
            "cause": self.cause,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a search has found."""

    name: str
    """The experiment's name, for `trialwatch get` and `trialwatch logs`."""
    state: str
    """`succeeded`, `failed`, or `interrupted`: call `tune` again to continue."""
    reason: str
    """Why the search has ended."""
    objective: str
    """The metric that decides."""
    best: Trial | None
    """The best trial; None if an interrupted search has no value yet."""
    records: Sequence[Trial] = field(repr=False)
    """All trials, in the order of suggestion."""
    report: str
    """The path of a page with a table and plots; "" if there is none."""

    @property
    def trials(self) -> Any:  # noqa: ANN401 - pandas need not be installed
        """All trials, one row each: a `pandas.DataFrame`, or without pandas a list of dicts."""
        rows = [trial.record for trial in self.records]
        try:
            pandas = importlib.import_module("pandas")
        except ImportError:
            _say_how_to_get_pandas()
            return rows
        return pandas.DataFrame(rows)


@cache
def _say_how_to_get_pandas() -> None:
    """Print it once."""
    print(WITHOUT_PANDAS, file=sys.stderr)


def result_of(message: Mapping[str, Any], decoders: Mapping[str, Decoder]) -> Result:
    """Return the result that the child has sent.

    Args:
        message: its message `result`.
        decoders: how the text of each parameter becomes a value.
    """
    trials = [_trial(one, decoders) for one in message["trials"]]
    return Result(
        name=message["name"],
        state=message["state"],
        reason=message["reason"],
        objective=message["objective"],
        best=next((trial for trial in trials if trial.name == message["best"]), None),
        records=trials,
        report=message["report"],
    )


def _trial(sent: Mapping[str, Any], decoders: Mapping[str, Decoder]) -> Trial:
    parameters: Mapping[str, str] = sent["parameters"]
    return Trial(
        name=sent["name"],
        state=sent["state"],
        parameters={
            name: decoded(text, decoders.get(name, AS_WRITTEN)) for name, text in parameters.items()
        },
        metrics={name: float(text) for name, text in sent["metrics"].items()},
        seconds=sent["seconds"],
        cause=sent["cause"],
    )
