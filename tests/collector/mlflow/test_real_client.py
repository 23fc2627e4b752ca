"""MLflow's own client and its autologging, unmodified, against the API."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.mlflow.api import MlflowApi
from tests.collector.mlflow.mlflow_server import MlflowServer, mlflow_server

METRICS = ("loss", "acc", "training_accuracy_score", "val-rmse", "best_cv_score")

BY_HAND = """
import math
import mlflow

mlflow.set_experiment("mine")
with mlflow.start_run(run_name="first") as run:
    mlflow.log_params({"lr": 0.1, "layers": 3})
    mlflow.set_tag("note", "b")
    for step in range(3):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_metrics({"loss": math.nan, "acc": math.inf, "other": 1}, step=9)
    mlflow.log_metric("loss", 5)
    mlflow.log_text("hello", "notes/a.txt")
    with mlflow.start_run(nested=True):
        mlflow.log_metric("loss", 77)
client = mlflow.MlflowClient()
again = client.get_run(run.info.run_id)
assert again.info.status == "FINISHED", again
assert again.data.params == {"lr": "0.1", "layers": "3"}, again
assert again.data.tags["note"] == "b", again
assert math.isnan(again.data.metrics["loss"]), again
assert again.data.metrics["other"] == 1, again
assert len(client.get_metric_history(run.info.run_id, "loss")) == 5
assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["notes"]
assert mlflow.artifacts.load_text(run.info.artifact_uri + "/notes/a.txt") == "hello"
assert [each.info.run_name for each in client.search_runs([run.info.experiment_id])][1] == "first"
assert [each.name for each in client.search_experiments()] == ["Default", "mine"]
assert mlflow.last_active_run().info.run_id == run.info.run_id
"""

REFUSALS = """
import mlflow
from mlflow.exceptions import MlflowException

def refusal(call, *args, **more):
    try:
        call(*args, **more)
    except MlflowException as error:
        print(str(error).splitlines()[0])

client = mlflow.MlflowClient()
run = client.create_run("0").info.run_id
client.log_param(run, "lr", 1)
refusal(client.log_param, run, "lr", 2)
refusal(client.get_run, "unknown")
refusal(client.create_experiment, "Default")
refusal(client.create_registered_model, "mine")
refusal(client.search_runs, ["0"], "metrics.loss < 1")
"""

SKLEARN = """
import mlflow
mlflow.sklearn.autolog(log_models=False)

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

features, classes = load_iris(return_X_y=True)
GridSearchCV(LogisticRegression(max_iter=200), {"C": [0.1, 1]}, cv=2).fit(features, classes)
"""

XGBOOST = """
import mlflow
mlflow.autolog(log_models=False)

import numpy
import xgboost

features = numpy.random.default_rng(0).random((200, 4))
train = xgboost.DMatrix(features[:150], features[:150].sum(axis=1))
val = xgboost.DMatrix(features[150:], features[150:].sum(axis=1))
xgboost.train({"nthread": 1}, train, num_boost_round=5, evals=[(val, "val")])
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MlflowServer]:
    api = MlflowApi(METRICS, artifacts=(tmp_path / "kept").as_uri(), seed="s")
    with mlflow_server(api) as started:
        yield started


def training(server: MlflowServer, code: str, folder: Path) -> str:
    """Run the code as a trainer runs it; return what it prints."""
    environment = {**os.environ, "MLFLOW_TRACKING_URI": server.url, "PYTHONPATH": ""}
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_what_a_training_logs_by_hand_is_collected_and_can_be_read_again(
    server: MlflowServer, tmp_path: Path
) -> None:
    training(server, BY_HAND, tmp_path)
    assert [(point.name, point.value, point.step) for point in server.points] == [
        ("loss", "1.0", 0),
        ("loss", "0.5", 1),
        ("loss", "0.3333333333333333", 2),
        ("loss", "nan", 9),
        ("acc", "inf", 9),
        ("loss", "5.0", 0),
    ]
    assert server.nested == 1
    assert list((tmp_path / "kept").rglob("a.txt"))


def test_a_client_shows_why_a_call_is_refused(server: MlflowServer, tmp_path: Path) -> None:
    shown = training(server, REFUSALS, tmp_path).splitlines()
    assert [line.partition(":")[0] for line in shown] == [
        "INVALID_PARAMETER_VALUE",
        "RESOURCE_DOES_NOT_EXIST",
        "RESOURCE_ALREADY_EXISTS",
        "ENDPOINT_NOT_FOUND",
        "INVALID_PARAMETER_VALUE",
    ]
    assert "leave out registered_model_name" in shown[3]


def test_scikit_learns_autologging_gives_the_score_of_a_search_and_not_of_its_candidates(
    server: MlflowServer, tmp_path: Path
) -> None:
    training(server, SKLEARN, tmp_path)
    names = [point.name for point in server.points]
    assert sorted(names) == ["best_cv_score", "training_accuracy_score"]
    assert all(status == 200 for _, _, status in server.asked)


def test_xgboosts_autologging_gives_the_metric_of_each_round(
    server: MlflowServer, tmp_path: Path
) -> None:
    training(server, XGBOOST, tmp_path)
    assert [(point.name, point.step) for point in server.points] == [
        ("val-rmse", step) for step in range(5)
    ]
    assert all(status == 200 for _, _, status in server.asked)
