"""Answers requests one after the other, and keeps the state small."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from api.types import JsonObject
from collector.mlflow.endpoint import Call, Outcome
from collector.mlflow.exchange import Answer, LoggedPoint, Reply, Request
from collector.mlflow.experiments import DEFAULT
from collector.mlflow.fields import fields_of
from collector.mlflow.metric_history import MetricHistory
from collector.mlflow.recent_points import RecentPoints
from collector.mlflow.refusals import Refusal, invalid
from collector.mlflow.routes import route
from collector.mlflow.state import RUNNING, State
from collector.mlflow.state_document import state_from_bytes, state_to_bytes

MOST_STATE_BYTES: Final = 1 << 18
"""The state as bytes: some hundred runs, or some thousand params."""


class MlflowApi:
    """The API for the trainers of one pod. Not for several threads at once."""

    def __init__(
        self,
        metrics: Collection[str],
        *,
        artifacts: str,
        seed: str,
        state: bytes = b"",
        accepted: Iterable[LoggedPoint] = (),
    ) -> None:
        """Begin anew, or continue from the state that an answer had.

        Args:
            metrics: the names of the trial's metrics; all other metrics are not points.
            artifacts: the URI of a directory that the trainer can write to.
            seed: random text, from which ids are derived; a state has its own.
            state: the last state that was kept, if there is one.
            accepted: the points that were kept last, the oldest first.

        Raises:
            SetupError: the state is damaged.
        """
        self._metrics = frozenset(metrics)
        self._artifacts = artifacts.rstrip("/")
        self._recent = RecentPoints(accepted)
        self._history = MetricHistory()
        fresh = State(seed=seed, experiments={DEFAULT.experiment_id: DEFAULT})
        self._state = state_from_bytes(state) if state else fresh

    def answer(self, request: Request, millis: int) -> Answer:
        """Return the answer to a request that came at this time, in milliseconds since 1970."""
        try:
            outcome = self._outcome(request, millis)
            kept, state = (None, self._state) if outcome.state is None else _kept(outcome.state)
        except Refusal as refusal:
            body: JsonObject = {"error_code": refusal.code, "message": refusal.message}
            return Answer(reply=_reply(refusal.status, body))
        self._state = state
        run = outcome.run
        if run is not None:
            self._history.add(run.run_id, run.metrics, outcome.points)
        wanted = [point for point in outcome.points if point.name in self._metrics]
        nested = run is not None and run.nested
        return Answer(
            reply=_reply(200, outcome.body),
            points=() if nested else self._recent.new(wanted),
            state=kept,
            nested=len(wanted) if nested else 0,
        )

    def accepted(self, points: Iterable[LoggedPoint]) -> None:
        """Note that the points of an answer are kept: the same ones are not points again."""
        self._recent.remember(points)

    def _outcome(self, request: Request, millis: int) -> Outcome:
        endpoint, path_id = route(request.method, request.path)
        call = Call(
            state=self._state,
            fields=fields_of(request.query, request.body),
            millis=millis,
            artifacts=self._artifacts,
            history=self._history,
            path_id=path_id,
        )
        return endpoint(call)


def _kept(state: State) -> tuple[bytes, State]:
    """Return the state as bytes; without runs that have ended, as far as it is too large.

    Raises:
        Refusal: the runs that have not ended are too large.
    """
    data = state_to_bytes(state)
    while len(data) > MOST_STATE_BYTES:
        state = _smaller(state)
        data = state_to_bytes(state)
    return data, state


def _smaller(state: State) -> State:
    """Return the state without the older half of the runs that have ended, and their models."""
    ended = [run.run_id for run in state.runs.values() if run.status != RUNNING]
    models = list(state.models)[:-1]  # the newest one may be the one that this request makes
    if not ended and not models:
        raise invalid(
            f"the sidecar keeps {MOST_STATE_BYTES} bytes of params, tags and runs for MLflow:"
            " log fewer, or shorter ones"
        )
    forgotten = set(ended[: (len(ended) + 1) // 2])
    old = set(models[: (len(models) + 1) // 2])
    return replace(
        state,
        runs={key: run for key, run in state.runs.items() if key not in forgotten},
        models={key: model for key, model in state.models.items() if key not in old},
    )


def _reply(status: int, body: JsonObject) -> Reply:
    return Reply(status=status, body=json.dumps(body).encode())
