"""Whether the first trials of an experiment all failed at once, for the same cause.

Then the others would fail too: a mistyped command, a missing module. The experiment ends, and the
user corrects it, instead of waiting for every trial and all its retries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from api.faults import without_numbers
from api.types import Trial
from controller.reconcile.experiment_states import Completion, failed_because
from controller.reconcile.trial_states import TrialState, has_ended, state_of
from runner.jobs.failed_starts import FailedStarts

_TRIALS: Final = 2
_STARTS: Final = 3
"""How many trials must have failed, with how many starts together."""


def common_failure(
    trials: Sequence[Trial], failures: Mapping[str, FailedStarts]
) -> Completion | None:
    """Return the end of an experiment whose first trials failed at once; None if it goes on.

    `failures` has the failed starts of each trial, if any. A trial that runs must have failed like
    the others too, else it may succeed.
    """
    ended = [trial for trial in trials if has_ended(trial)]
    running = [trial for trial in trials if state_of(trial) is TrialState.RUNNING]
    if len(ended) < _TRIALS or any(state_of(trial) is not TrialState.FAILED for trial in ended):
        return None
    found = [failures.get(trial.metadata.name) for trial in (*ended, *running)]
    starts = sum(one.number for one in found if one)
    forms = {without_numbers(one.common_cause) if one else "" for one in found}
    if starts < _STARTS or len(forms) > 1 or "" in forms:
        return None
    return failed_because(
        f"Experiment has failed because its first {len(ended)} trials failed at once for the same"
        " cause"
    )
