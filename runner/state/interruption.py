"""Objects of a run that has stopped before their end: `get` shows them as Interrupted.

The files of such an experiment still say Running, because nothing could write them after a kill. So
the state is derived when an object is read: it has not ended, and no run holds the lock.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from api.documents import mapping_at, mappings_at, text_at
from api.types import ConditionType, JsonObject
from runner.state.directory import StateDirectory
from runner.state.last_command import read_command

INTERRUPTED: Final = "Interrupted"
"""The type of the condition."""
_ENDS = frozenset(
    {
        ConditionType.SUCCEEDED,
        ConditionType.FAILED,
        ConditionType.KILLED,
        ConditionType.EARLY_STOPPED,
        ConditionType.METRICS_UNAVAILABLE,
    }
)


def with_interruption(document: JsonObject, state: StateDirectory) -> JsonObject:
    """Add the condition Interrupted to an experiment or trial, if it has not ended.

    Call it only if no run works on the experiment.
    """
    conditions = mappings_at(document, "status", "conditions")
    true = {one.get("type") for one in conditions if one.get("status") == "True"}
    if true & _ENDS:
        return document
    condition: JsonObject = {
        "type": INTERRUPTED,
        "status": "True",
        "reason": "RunInterrupted",
        "message": how_to_continue(state),
    }
    status = {**mapping_at(document, "status"), "conditions": [*conditions, condition]}
    return {**document, "status": status}


def how_to_continue(state: StateDirectory) -> str:
    """Return a sentence with the line that continues the experiment."""
    command = read_command(state.command)
    line = "run its file again" if command is None else command.line(str(Path.cwd()))
    return f"experiment {state.path.name} was interrupted; to continue: {line}"


def interruptions(documents: Iterable[JsonObject]) -> list[str]:
    """Return the messages of all conditions Interrupted, each once."""
    conditions = (one for doc in documents for one in mappings_at(doc, "status", "conditions"))
    messages = (text_at(one, "message") for one in conditions if one.get("type") == INTERRUPTED)
    return list(dict.fromkeys(messages))
