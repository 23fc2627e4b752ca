"""The example with MLflow, run for real, with MLflow's own client and few trials."""

from __future__ import annotations

from pathlib import Path

from api.objects.validation import faults_of
from tests.examples.test_experiments import EXAMPLES, complaint, experiment
from tests.examples.test_runs import run, stored

SCORE = "training_accuracy_score"


def test_the_example_has_no_fault() -> None:
    assert faults_of(experiment("mlflow"), check_filter=complaint) == ()


def test_the_example_runs_to_its_optimal_trial_without_a_server(tmp_path: Path) -> None:
    text = (EXAMPLES / "mlflow.yaml").read_text()
    short = tmp_path / "short.yaml"
    short.write_text(text.replace("maxTrialCount: 6", "maxTrialCount: 2"))

    status = run(short, tmp_path / "state")["status"]

    assert status["trials"] == status["trialsSucceeded"] == 2
    (folder,) = (tmp_path / "state" / "kubeflow").iterdir()
    scores = {
        trial: stored(folder / "observations.db", trial, SCORE)
        for trial in status["succeededTrialList"]
    }
    assert all(len(values) == 1 and 0.3 < float(values[0]) <= 1 for values in scores.values())
    best = status["currentOptimalTrial"]["bestTrialName"]
    assert scores[best] == max(scores.values())
