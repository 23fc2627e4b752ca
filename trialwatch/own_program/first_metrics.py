"""Ends a run at once if its program does not print the objective, or if every trial fails.

Without this check, a misspelt metric is reported only after all trials.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from api.faults import nearest
from api.names import UNAVAILABLE
from api.objects.validation_update import completed
from api.types import (
    CollectorKind,
    CollectorSpec,
    ConditionType,
    Experiment,
    Objective,
    Trial,
    holds,
)
from controller.reconcile.trial_states import has_ended
from runner.state.directory import StateDirectory
from runner.watcher import CannotSucceed, Snapshot
from trialwatch.tuning.candidates import Candidate, candidates
from trialwatch.tuning.experiment import CONTAINER
from trialwatch.tuning.metrics_table import metrics_table
from trialwatch.tuning.next_line import line_with_metric
from trialwatch.tuning.placeholders import switch_meant
from ui.model.causes import plain_cause

_FAILURES = 3
_SHOWN = 6
_GOOD = (ConditionType.SUCCEEDED, ConditionType.EARLY_STOPPED)


class FirstMetrics:
    """Looks at the first trials that end in this run; `runner.watcher` calls it."""

    def __init__(self, state: StateDirectory, words: Sequence[str]) -> None:
        """Take the directory of the experiment, and the words of the command line."""
        self._state, self._words = state, words
        self._before: frozenset[str] | None = None
        self._passed = False

    def __call__(self, snapshot: Snapshot) -> None:
        """Check a new state of the run.

        Raises:
            CannotSucceed: no trial can succeed; says why, and what to write.
        """
        if self._passed:
            return
        try:
            self._check(snapshot)
        except CannotSucceed:
            self._passed = True
            raise

    def _check(self, snapshot: Snapshot) -> None:
        ended = {trial.metadata.name: trial for trial in snapshot.trials if has_ended(trial)}
        if self._before is None:
            self._before = frozenset(ended)
        self._before &= ended.keys()  # a failed trial that runs again counts
        trials = [trial for name, trial in ended.items() if name not in self._before]
        if any(_is(trial, *_GOOD) for trial in trials):
            self._passed = True
            return
        for trial in trials:
            if _is(trial, ConditionType.METRICS_UNAVAILABLE):
                self._explain_missing(trial, snapshot.experiment)
        failed = [trial for trial in trials if _is(trial, ConditionType.FAILED)]
        if len(failed) >= (1 if completed(snapshot.experiment) else _FAILURES):
            raise _every_trial_fails(failed, self._words)

    def _explain_missing(self, trial: Trial, experiment: Experiment) -> None:
        objective = experiment.spec.objective or Objective()
        if _has_value(trial, objective.metric):
            return  # its values are not finite numbers
        collector = experiment.spec.collector or CollectorSpec()
        if collector.kind is not CollectorKind.STDOUT:
            what = f"no value of {objective.metric!r} was found in {collector.path}"
            raise CannotSucceed(
                f"{what}: {_message(trial)}\n"
                "check that the program writes there, and how it names the metric",
                what,
            )
        found = candidates(self._log(trial), filters=collector.filters)
        raise self._not_printed(objective.metric, found, trial)

    def _not_printed(self, metric: str, found: Sequence[Candidate], trial: Trial) -> CannotSucceed:
        cause = f"the program prints no metric {metric!r}"
        if not found:
            return CannotSucceed(
                f"{cause}, and no other: let it print lines such as"
                f" {metric}=0.93, or write --metrics-format or --file (docs/tune.md); its output is"
                f" shown by\n  trialwatch logs {trial.metadata.name}",
                cause,
            )
        likely = nearest(metric, [one.name for one in found])
        best = next((one.name for one in found if f'"{one.name}"' in likely), found[0].name)
        table = "\n".join(metrics_table(found, _SHOWN))
        line = line_with_metric(self._words, best)
        remedy = f'did you mean "{best}"? Then write' if likely else "write"
        names = ", ".join(one.name for one in found[:_SHOWN])
        return CannotSucceed(
            f"{cause}; it prints\n{table}\n{remedy}\n  {line}", f"{cause}; it prints {names}"
        )

    def _log(self, trial: Trial) -> bytes:
        logs = (self._state.logs / trial.metadata.name).glob(f"*/{CONTAINER}.log")
        newest = max(logs, key=lambda path: path.stat().st_mtime, default=None)
        return b"" if newest is None else _read(newest)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _has_value(trial: Trial, metric: str) -> bool:
    metrics = trial.status.observation.metrics if trial.status.observation else ()
    return any(one.name == metric and one.latest not in ("", UNAVAILABLE) for one in metrics)


def _is(trial: Trial, *kinds: ConditionType) -> bool:
    return any(holds(trial.status.conditions, kind) for kind in kinds)


def _message(trial: Trial) -> str:
    true = [one for one in trial.status.conditions if one.status == "True"]
    return plain_cause(" ".join(true[-1].message.split())) if true else ""


def _every_trial_fails(failed: Sequence[Trial], words: Sequence[str]) -> CannotSucceed:
    first = failed[0].metadata.name
    cause = _message(failed[0]).replace(f"container {CONTAINER} ", "the program ", 1)
    what = "the only trial failed" if len(failed) == 1 else f"the first {len(failed)} trials failed"
    line = switch_meant(words, cause)
    remedy = (
        f"the flag takes no value: write\n  {line}"
        if line
        else (
            "mend the program or the command, then write the same line again; the output of a trial"
            f" is shown by\n  trialwatch logs {first}"
        )
    )
    return CannotSucceed(
        f"{what}, so the search was ended: {_in_lines(cause)}\n{remedy}",
        f"its {what.removeprefix('the ')}: {cause}",
    )


def _in_lines(cause: str) -> str:
    """Return a cause with its lines of output below each other, as the program wrote them."""
    what, separator, output = cause.partition("; its last output: ")
    if not separator:
        return cause
    return "\n    ".join((f"{what}; its last output:", *output.split(" | ")))
