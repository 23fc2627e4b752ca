"""What Katib's controller needs to find in a Suggestion before it goes on with an experiment.

Katib keeps every suggestion in `status.suggestions`, and counts them to see what it has asked for.
trialwatch's controller removes a suggestion when its trial exists. So on the way back the trials'
own assignments are written there again; otherwise Katib would never make another trial.
"""

from __future__ import annotations

from collections.abc import Iterable

from api.documents import mapping_at, mappings_at, text_at
from api.names import EXPERIMENT_LABEL
from api.types import JsonObject


def completed_status(suggestion: JsonObject, trials: Iterable[JsonObject]) -> JsonObject | None:
    """Return the patch of a Suggestion's status; None if it has all of its suggestions.

    Args:
        suggestion: the Suggestion of an experiment.
        trials: trials of its namespace; those of other experiments are ignored.
    """
    waiting = mappings_at(suggestion, "status", "suggestions")
    there = {text_at(one, "name") for one in waiting}
    missing = [
        _assignment(trial)
        for trial in sorted(trials, key=_age)
        if text_at(trial, "metadata", "labels", EXPERIMENT_LABEL)
        == text_at(suggestion, "metadata", "name")
        and text_at(trial, "metadata", "name") not in there
    ]
    if not missing:
        return None
    every = [*missing, *waiting]
    return {"status": {"suggestions": every, "suggestionCount": len(every)}}


def _age(trial: JsonObject) -> tuple[str, str]:
    return text_at(trial, "metadata", "creationTimestamp"), text_at(trial, "metadata", "name")


def _assignment(trial: JsonObject) -> JsonObject:
    spec = mapping_at(trial, "spec")
    kept = ("parameterAssignments", "earlyStoppingRules", "labels")
    name = {"name": text_at(trial, "metadata", "name")}
    return {**name, **{key: spec[key] for key in kept if spec.get(key)}}
