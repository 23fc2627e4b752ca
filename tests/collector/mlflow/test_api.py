"""MLflow's API as a value: each request gets an answer, points, and a state to keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import SetupError
from collector.mlflow.api import MOST_STATE_BYTES, MlflowApi
from collector.mlflow.exchange import Answer, LoggedPoint, Request
from collector.mlflow.fields import MOST_MESSAGES
from collector.mlflow.metric_history import MOST_VALUES
from collector.mlflow.recent_points import MOST_RECENT, NO_STEP, RecentPoints
from collector.mlflow.routes import PREFIX

NOW = 1_700_000_000_000


class Trainer:
    """Calls the API as a client does."""

    def __init__(
        self, *metrics: str, state: bytes = b"", accepted: tuple[LoggedPoint, ...] = ()
    ) -> None:
        self.api = MlflowApi(
            metrics or ("loss",),
            artifacts="file:///kept/",
            seed="s",
            state=state,
            accepted=accepted,
        )
        self.state = state
        self.points: list[LoggedPoint] = []

    def ask(
        self, method: str, path: str, body: bytes = b"", query: Mapping[str, str] | None = None
    ) -> Answer:
        answer = self.api.answer(
            Request(method=method, path=path, query=query or {}, body=body), NOW
        )
        self.state = answer.state or self.state
        return answer

    def send(self, method: str, path: str, fields: Mapping[str, object]) -> Answer:
        if method == "GET":
            query = {name: str(value) for name, value in fields.items()}
            return self.ask(method, PREFIX + path, query=query)
        return self.ask(method, PREFIX + path, json.dumps(fields).encode())

    def call(self, method: str, path: str, /, **fields: object) -> dict[str, Any]:
        """Return the body of an answer with status 200; its points are kept."""
        answer = self.send(method, path, fields)
        body: dict[str, Any] = json.loads(answer.reply.body)
        assert answer.reply.status == 200, body
        self.points += answer.points
        self.api.accepted(answer.points)
        return body

    def refused(self, method: str, path: str, /, **fields: object) -> tuple[int, str, str]:
        before = self.state
        answer = self.send(method, path, fields)
        body = json.loads(answer.reply.body)
        assert not answer.points
        assert self.state == before
        return answer.reply.status, body["error_code"], body["message"]

    def run(self, **fields: object) -> str:
        return str(self.call("POST", "runs/create", **fields)["run"]["info"]["run_id"])

    def metric(self, run: str, **fields: object) -> None:
        self.call(
            "POST",
            "runs/log-metric",
            run_id=run,
            **{"key": "loss", "value": 0.5, "timestamp": NOW, **fields},
        )


def test_a_metric_of_the_trial_is_a_point_with_its_time_and_step() -> None:
    trainer = Trainer()
    trainer.metric(trainer.run(), value=0.25, step=7, timestamp=NOW + 3)
    assert trainer.points == [LoggedPoint("loss", "0.25", NOW + 3, 7)]


def test_a_metric_that_the_experiment_does_not_name_is_no_point_and_can_be_read_again() -> None:
    trainer = Trainer()
    run = trainer.run()
    trainer.metric(run, key="lr", value=0.1)
    assert trainer.points == []
    data = trainer.call("GET", "runs/get", run_id=run)["run"]["data"]
    assert data["metrics"] == [{"key": "lr", "value": 0.1, "timestamp": NOW, "step": 0}]


@pytest.mark.parametrize(
    ("value", "text", "shown"),
    [
        ("NaN", "nan", "NaN"),
        ("Infinity", "inf", "Infinity"),
        ("-Infinity", "-inf", "-Infinity"),
        (3, "3.0", 3.0),
        ("0.1", "0.1", 0.1),
        (1e-320, "1e-320", 1e-320),
    ],
)
def test_each_double_is_stored_and_shown_as_it_is(value: object, text: str, shown: object) -> None:
    trainer = Trainer()
    run = trainer.run()
    trainer.metric(run, value=value)
    assert trainer.points[0].value == text
    assert (
        trainer.call("GET", "runs/get", run_id=run)["run"]["data"]["metrics"][0]["value"] == shown
    )


def test_a_batch_is_taken_whole_or_not_at_all() -> None:
    trainer = Trainer("loss", "acc")
    run = trainer.run()
    good = {"key": "loss", "value": 1, "timestamp": NOW, "step": 1}
    refusal = trainer.refused("POST", "runs/log-batch", run_id=run, metrics=[good, {"key": "acc"}])
    assert refusal == (
        400,
        "INVALID_PARAMETER_VALUE",
        "Missing value for required parameter 'metrics[1].value'",
    )
    trainer.call(
        "POST",
        "runs/log-batch",
        run_id=run,
        metrics=[good, {**good, "key": "acc"}],
        params=[{"key": "a", "value": "1"}],
        tags=[{"key": "b", "value": "2"}],
    )
    assert [point.name for point in trainer.points] == ["loss", "acc"]
    data = trainer.call("GET", "runs/get", run_id=run)["run"]["data"]
    assert {"key": "a", "value": "1"} in data["params"]
    assert {"key": "b", "value": "2"} in data["tags"]


def test_a_request_that_is_sent_again_gives_no_second_point() -> None:
    trainer = Trainer()
    run = trainer.run()
    for _ in range(2):
        trainer.metric(run, step=1)
    trainer.metric(run, step=2)
    assert [point.step for point in trainer.points] == [1, 2]


def test_points_that_could_not_be_kept_come_again() -> None:
    trainer = Trainer()
    run = trainer.run()
    body = json.dumps({"run_id": run, "key": "loss", "value": 1, "timestamp": NOW}).encode()
    first = trainer.ask("POST", f"{PREFIX}runs/log-metric", body)
    assert trainer.ask("POST", f"{PREFIX}runs/log-metric", body).points == first.points != ()


def test_a_restart_knows_the_runs_and_the_points_of_before() -> None:
    before = Trainer()
    run = before.run(run_name="mine")
    before.call("POST", "runs/log-parameter", run_id=run, key="lr", value="0.1")
    before.metric(run)
    after = Trainer(state=before.state, accepted=tuple(before.points))
    after.metric(run)
    assert after.points == []
    shown = after.call("GET", "runs/get", run_id=run)["run"]
    assert shown == before.call("GET", "runs/get", run_id=run)["run"]
    assert after.run() != run


def test_the_value_with_the_highest_step_is_the_metric_of_a_run() -> None:
    trainer = Trainer()
    run = trainer.run()
    for step, value in ((1, 0.5), (3, 0.1), (2, 0.3)):
        trainer.metric(run, step=step, value=value)
    metrics = trainer.call("GET", "runs/get", run_id=run)["run"]["data"]["metrics"]
    assert [(metric["step"], metric["value"]) for metric in metrics] == [(3, 0.1)]
    history = trainer.call("GET", "metrics/get-history", run_id=run, metric_key="loss")["metrics"]
    assert [metric["step"] for metric in history] == [1, 3, 2]


def test_metrics_of_a_nested_run_are_counted_and_are_no_points() -> None:
    trainer = Trainer()
    parent = trainer.run()
    child = trainer.run(tags=[{"key": "mlflow.parentRunId", "value": parent}])
    body = json.dumps({"run_id": child, "key": "loss", "value": 1}).encode()
    answer = trainer.ask("POST", f"{PREFIX}runs/log-metric", body)
    assert (answer.reply.status, answer.points, answer.nested) == (200, (), 1)


def test_an_experiment_is_created_once_and_found_by_name_and_id() -> None:
    trainer = Trainer()
    status, code, _ = trainer.refused("GET", "experiments/get-by-name", experiment_name="mine")
    assert (status, code) == (404, "RESOURCE_DOES_NOT_EXIST")
    identity = trainer.call("POST", "experiments/create", name="mine")["experiment_id"]
    assert int(identity) >= 0
    by_name = trainer.call("GET", "experiments/get-by-name", experiment_name="mine")
    assert by_name == trainer.call("GET", "experiments/get", experiment_id=identity)
    assert by_name["experiment"]["lifecycle_stage"] == "active"
    assert (
        trainer.refused("POST", "experiments/create", name="mine")[1] == "RESOURCE_ALREADY_EXISTS"
    )
    trainer.call(
        "POST", "experiments/set-experiment-tag", experiment_id=identity, key="a", value="b"
    )
    names = [each["name"] for each in trainer.call("POST", "experiments/search")["experiments"]]
    assert names == ["Default", "mine"]


def test_a_run_ends_and_is_listed_with_its_end() -> None:
    trainer = Trainer()
    first, second = trainer.run(start_time=NOW, user_id="me"), trainer.run()
    info = trainer.call(
        "POST", "runs/update", run_id=first, status="FINISHED", end_time=NOW + 9, run_name="best"
    )["run_info"]
    assert (info["status"], info["end_time"], info["run_name"]) == ("FINISHED", NOW + 9, "best")
    assert info["artifact_uri"] == f"file:///kept/0/{first}/artifacts"
    runs = trainer.call("POST", "runs/search", experiment_ids=["0"], order_by=["start_time DESC"])[
        "runs"
    ]
    assert [run["info"]["run_id"] for run in runs] == [second, first]
    assert trainer.call("POST", "runs/search", experiment_ids=["1"])["runs"] == []


def test_a_model_is_created_finished_and_found() -> None:
    trainer = Trainer()
    made = trainer.call(
        "POST", "logged-models", experiment_id="0", name="m", params=[{"key": "a", "value": "1"}]
    )["model"]
    model = made["info"]["model_id"]
    trainer.call("POST", f"logged-models/{model}/params", params=[{"key": "b", "value": "2"}])
    trainer.call("PATCH", f"logged-models/{model}/tags", tags=[{"key": "c", "value": "3"}])
    trainer.call("PATCH", f"logged-models/{model}", status="LOGGED_MODEL_READY")
    shown = trainer.call("GET", f"logged-models/{model}")["model"]
    assert shown["info"]["status"] == "LOGGED_MODEL_READY"
    assert [pair["key"] for pair in shown["data"]["params"]] == ["a", "b"]
    assert trainer.call("POST", "logged-models/search", experiment_ids=["0"])["models"] == [shown]


def test_a_param_cannot_change() -> None:
    trainer = Trainer()
    run = trainer.run()
    for _ in range(2):
        trainer.call("POST", "runs/log-parameter", run_id=run, key="lr", value="0.1")
    _, code, message = trainer.refused(
        "POST", "runs/log-parameter", run_id=run, key="lr", value="1"
    )
    assert code == "INVALID_PARAMETER_VALUE"
    assert message.startswith("Changing param values is not allowed.")


def test_a_tag_can_change_and_vanish() -> None:
    trainer = Trainer()
    run = trainer.run()
    for value in ("1", "2"):
        trainer.call("POST", "runs/set-tag", run_id=run, key="a", value=value)
    tags = trainer.call("GET", "runs/get", run_id=run)["run"]["data"]["tags"]
    assert {"key": "a", "value": "2"} in tags
    trainer.call("POST", "runs/delete-tag", run_id=run, key="a")
    assert trainer.refused("POST", "runs/delete-tag", run_id=run, key="a")[0] == 404


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"run_id": "none"}, "Run with id=none not found"),
        ({"run_id": 5}, "Run with id=5 not found"),
        ({"run_id": []}, "'run_id'"),
        ({}, "Missing value for required parameter 'run_id'"),
        ({"key": ""}, "'key'"),
        ({"key": "k" * 251}, "250 are allowed"),
        ({"value": "much"}, "'value': write a number"),
        ({"value": True}, "'value': write a number"),
        ({"value": None}, "'value'"),
        ({"value": 10**400}, "a double can hold"),
        ({"step": 1.5}, "'step'"),
        ({"step": 1 << 63}, "'step'"),
        ({"step": "many"}, "'step'"),
        ({"timestamp": -1}, "invalid timestamp -1"),
        ({"timestamp": 1 << 60}, "invalid timestamp"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(fields: dict[str, object], part: str) -> None:
    trainer = Trainer()
    known = {"run_id": trainer.run(), "key": "loss", "value": 1, "timestamp": NOW}
    given_fields = {**known, **fields} if fields else {"key": "loss", "value": 1}
    body = json.dumps(given_fields).encode()
    answer = trainer.ask("POST", f"{PREFIX}runs/log-metric", body)
    refusal = json.loads(answer.reply.body)
    assert answer.reply.status in (400, 404)
    assert part in refusal["message"]
    assert not answer.points


@pytest.mark.parametrize(
    ("method", "path", "part"),
    [
        ("POST", "/api/2.0/mlflow/registered-models/create", "registered_model_name"),
        ("POST", "/api/3.0/mlflow/traces", "tracing"),
        ("PUT", "/api/2.0/mlflow-artifacts/artifacts/a", "use a server of MLflow"),
        ("GET", "/api/2.0/mlflow/runs/create", "use a server of MLflow"),
        ("DELETE", "/api/2.0/mlflow/logged-models/m-1", "use a server of MLflow"),
        ("GET", "/", "use a server of MLflow"),
    ],
)
def test_other_calls_are_refused_with_what_to_do(method: str, path: str, part: str) -> None:
    reply = Trainer().ask(method, path, b"{}").reply
    body = json.loads(reply.body)
    assert (reply.status, body["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
    assert part in body["message"]


@pytest.mark.parametrize(
    "fields", [{"filter": "metrics.loss < 1"}, {"order_by": ["metrics.loss ASC"]}]
)
def test_a_search_that_would_be_answered_wrongly_is_refused(fields: dict[str, object]) -> None:
    status, code, _ = Trainer().refused("POST", "runs/search", experiment_ids=["0"], **fields)
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b"1" * 5_000])
def test_a_body_that_is_not_an_object_is_refused(body: bytes) -> None:
    reply = Trainer().ask("POST", f"{PREFIX}runs/create", body).reply
    assert (reply.status, json.loads(reply.body)["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_the_state_stays_small_and_runs_that_have_ended_are_forgotten_first() -> None:
    trainer = Trainer()
    kept = trainer.run()
    for _ in range(60):
        run = trainer.run(tags=[{"key": "note", "value": "x" * 8_000}])
        trainer.call("POST", "runs/update", run_id=run, status="FINISHED")
        assert len(trainer.state) <= MOST_STATE_BYTES
    trainer.metric(kept)
    assert trainer.points


def test_a_run_that_is_too_large_is_refused_and_stays_as_it_was() -> None:
    trainer = Trainer()
    run = trainer.run()
    messages = []
    for number in range(60):
        fields = {"run_id": run, "key": str(number), "value": "x" * 8_000}
        body = json.dumps(fields).encode()
        messages.append(json.loads(trainer.ask("POST", f"{PREFIX}runs/set-tag", body).reply.body))
    assert "log fewer, or shorter ones" in messages[-1]["message"]
    assert len(trainer.state) <= MOST_STATE_BYTES
    trainer.metric(run)
    assert trainer.points


def test_a_history_that_is_not_whole_is_refused() -> None:
    trainer = Trainer()
    run = trainer.run()
    for first in range(0, MOST_VALUES + 1, 1_000):
        metrics = [
            {"key": "loss", "value": 1, "step": first + n, "timestamp": NOW} for n in range(1_000)
        ]
        trainer.call("POST", "runs/log-batch", run_id=run, metrics=metrics)
    assert trainer.refused("GET", "metrics/get-history", run_id=run, metric_key="loss")[0] == 400
    assert trainer.call("GET", "metrics/get-history", run_id=run, metric_key="acc") == {
        "metrics": []
    }


def test_of_many_points_the_last_ones_are_remembered() -> None:
    recent = RecentPoints()
    points = [LoggedPoint("loss", "1.0", NOW, step) for step in range(MOST_RECENT + 1)]
    recent.remember(points)
    assert recent.new(points) == (points[0],)


@pytest.mark.parametrize(
    "state", [b"{", b"[]", b"{}", b'{"version": 2}', b'{"version": 1}', b"[" * 100_000]
)
def test_a_damaged_state_is_refused(state: bytes) -> None:
    with pytest.raises(SetupError, match="start the pod anew"):
        Trainer(state=state)


_SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_JSON = _SCALAR | st.lists(
    _SCALAR | st.dictionaries(st.sampled_from(["key", "value"]), _SCALAR), max_size=2
)
_NAMES = st.sampled_from(
    [
        "run_id",
        "run_uuid",
        "key",
        "value",
        "step",
        "timestamp",
        "metrics",
        "params",
        "tags",
        "status",
        "end_time",
        "filter",
        "order_by",
        "experiment_ids",
        "name",
        "experiment_id",
        "metric_key",
    ]
)
_PATHS = st.sampled_from(
    [
        "runs/create",
        "runs/get",
        "runs/update",
        "runs/search",
        "runs/log-metric",
        "runs/log-batch",
        "runs/log-parameter",
        "runs/set-tag",
        "runs/delete-tag",
        "runs/log-inputs",
        "experiments/create",
        "experiments/get",
        "experiments/search",
        "logged-models",
        "logged-models/x",
        "logged-models/x/tags",
        "metrics/get-history",
    ]
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["GET", "POST", "PATCH"]), _PATHS, st.dictionaries(_NAMES, _JSON)
        ),
        max_size=4,
    )
)
def test_no_request_ends_the_api_and_each_state_can_be_read_again(
    calls: list[tuple[str, str, dict[str, object]]],
) -> None:
    trainer = Trainer()
    run = trainer.run()
    for method, path, fields in calls:
        body = json.dumps({"run_id": run, **fields}).encode()
        answer = trainer.ask(method, PREFIX + path, body)
        assert answer.reply.status in (200, 400, 404)
        assert isinstance(json.loads(answer.reply.body), dict)
        Trainer(state=trainer.state)


def test_a_request_has_a_bounded_number_of_metrics() -> None:
    trainer = Trainer()
    run = trainer.call("POST", "runs/create")["run"]["info"]["run_id"]
    metrics = [{"key": "loss", "value": 1.0, "step": step} for step in range(MOST_MESSAGES + 1)]
    answer = trainer.send("POST", "runs/log-batch", {"run_id": run, "metrics": metrics})
    assert answer.reply.status == 400
    assert b"1001 elements: 1000 are allowed" in answer.reply.body
    assert answer.points == ()


def test_a_model_that_is_too_large_for_the_state_is_refused_and_not_forgotten_at_once() -> None:
    trainer = Trainer()
    params = [{"key": str(number), "value": "x" * 7_000} for number in range(60)]
    answer = trainer.send("POST", "logged-models", {"name": "large", "params": params})
    assert answer.reply.status == 400
    assert b"log fewer" in answer.reply.body


def test_a_metric_with_a_negative_step_that_is_sent_again_after_a_restart_is_no_second_point() -> (
    None
):
    trainer = Trainer()
    run = trainer.call("POST", "runs/create")["run"]["info"]["run_id"]
    fields = {"run_id": run, "key": "loss", "value": 1.0, "step": -3, "timestamp": NOW}
    [point] = trainer.send("POST", "runs/log-metric", fields).points
    kept = point._replace(step=NO_STEP)  # as the journal has it
    restarted = Trainer(state=trainer.state, accepted=(kept,))
    assert restarted.send("POST", "runs/log-metric", fields).points == ()
    assert len(restarted.send("POST", "runs/log-metric", {**fields, "step": 0}).points) == 1
