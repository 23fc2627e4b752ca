"""The calls of MLflow's client: what is accepted is on the disk before the call is answered."""

from __future__ import annotations

import secrets
import threading
import time
from urllib.parse import parse_qsl

from api.errors import TrialwatchError
from api.names import MLFLOW_ARTIFACTS_DIR, MLFLOW_STATE_FILE
from api.report_limits import LARGEST_STEP
from api.timestamps import from_micros, to_micros
from collector.core.ports import MessageLog
from collector.journal.journal import Journal
from collector.journal.last_points import last_points
from collector.mlflow import exchange
from collector.mlflow.api import MlflowApi
from collector.mlflow.exchange import LoggedPoint
from collector.mlflow.recent_points import NO_STEP
from collector.receiving.http_values import Request, Response, json_response
from collector.streams.files import FileSystem
from filters.journal_finder import JournalPoint

PATH = "/api/"
_MOST_FIELDS = 100
"""Of a query."""
_NOT_ACCEPTED = "TEMPORARILY_UNAVAILABLE"
"""MLflow's client sends the request again."""


class MlflowRoute:
    """Answers the requests of the trainers of one pod, one at a time."""

    def __init__(
        self,
        metrics: tuple[str, ...],
        state_dir: str,
        journal: Journal,
        files: FileSystem,
        log: MessageLog,
    ) -> None:
        """Continue from the file in `state_dir`, the directory of the checkpoint.

        Raises:
            SetupError: the file is damaged, or cannot be read.
        """
        self._path = f"{state_dir}/{MLFLOW_STATE_FILE}"
        self._journal, self._files, self._log = journal, files, log
        self._api = MlflowApi(
            metrics,
            artifacts=f"file://{MLFLOW_ARTIFACTS_DIR}",
            seed=secrets.token_hex(16),
            state=files.read(self._path) or b"",
            accepted=map(_logged, last_points(state_dir)),
        )
        self._lock = threading.Lock()
        self._has_nested = False

    def answer(self, request: Request) -> Response:
        """Return the response to a request, after all that follows from it is kept."""
        try:
            query = dict(parse_qsl(request.query, max_num_fields=_MOST_FIELDS))
        except ValueError:
            query = {}  # too many fields: those that are required are missing
        asked = exchange.Request(
            method=request.method, path=request.path, query=query, body=request.body
        )
        with self._lock:
            try:
                return self._answer(asked)
            except TrialwatchError as error:
                return json_response(503, {"error_code": _NOT_ACCEPTED, "message": str(error)})

    def _answer(self, request: exchange.Request) -> Response:
        answer = self._api.answer(request, time.time_ns() // 1_000_000)
        if answer.state is not None:
            self._files.replace(self._path, answer.state)
        if answer.points:
            self._journal.append(map(_journalled, answer.points))
            self._api.accepted(answer.points)
        if answer.nested and not self._has_nested:
            self._has_nested = True
            self._log.write(
                "metrics of a nested run of MLflow are not stored: those of its parent run are"
            )
        return Response(status=answer.reply.status, body=answer.reply.body)


def _journalled(point: LoggedPoint) -> JournalPoint:
    step = point.step if 0 <= point.step <= LARGEST_STEP else None
    return JournalPoint(point.name, point.value, step, from_micros(point.millis * 1000))


def _logged(point: JournalPoint) -> LoggedPoint:
    micros = to_micros(point.timestamp) if point.timestamp else 0
    return LoggedPoint(
        point.name, point.value, micros // 1000, NO_STEP if point.step is None else point.step
    )
