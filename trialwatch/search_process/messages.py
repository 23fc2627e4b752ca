"""Messages to the parent: JSON lines on a pipe."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from api.types import ConditionType, Json
from trialwatch.view.closing import closing
from ui.model.experiment_summary import ExperimentSummary, TrialRow, TrialState


class Messages:
    """Writes messages; drops them without a reader, because the trials must still be ended."""

    def __init__(self, descriptor: int) -> None:
        """Take the descriptor, which is closed at the end."""
        self._file = open(descriptor, "w", encoding="utf-8")  # noqa: SIM115 - see __exit__
        self._lock = threading.Lock()
        self._is_open = True

    def __enter__(self) -> Self:
        """Do nothing yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the pipe."""
        with suppress(BrokenPipeError):  # what was not read is still in the buffer
            self._file.close()

    def send(self, event: str, **content: Json) -> None:
        """Send a message; any thread may call this."""
        line = json.dumps({"event": event, **content})
        with self._lock:
            if not self._is_open:
                return
            try:
                self._file.write(f"{line}\n")
                self._file.flush()
            except BrokenPipeError:
                self._is_open = False


def result_content(summary: ExperimentSummary, report: str) -> dict[str, Json]:
    """Return the content of the message `result`.

    `without_best` says why there is no best trial, "" if there is one.
    """
    outcomes = {None: "interrupted", ConditionType.FAILED: "failed"}
    *_, last = closing(summary)
    return {
        "name": summary.name,
        "state": outcomes.get(summary.outcome, "succeeded"),
        "reason": summary.reason,
        "objective": summary.objective.metric,
        "best": summary.best.name if summary.best else "",
        "without_best": "" if summary.best else last,
        "report": report,
        "trials": _rows(summary.rows),
    }


def _rows(rows: Sequence[TrialRow]) -> list[Json]:
    return [
        {
            "name": row.name,
            "state": row.state.value,
            "parameters": {one.name: one.value for one in row.assignments},
            "metrics": dict(row.metrics),
            "seconds": row.seconds,
            "cause": "" if row.state is TrialState.SUCCEEDED else row.cause,
        }
        for row in rows
    ]
