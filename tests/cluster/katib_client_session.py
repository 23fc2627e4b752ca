"""A session with Katib's own client, as a script for the Python that has its SDK.

    python katib_client_session.py KUBECONFIG NAMESPACE DB_MANAGER experiment EXPERIMENT.json
    python katib_client_session.py KUBECONFIG NAMESPACE DB_MANAGER tune IMAGE

What the client has answered is the last line of its output, as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from kubeflow import katib  # type: ignore[import-not-found]

WAITING = {"timeout": 240, "polling_interval": 1}


def experiment(client: katib.KatibClient, db_manager: str, file: str) -> dict[str, Any]:
    """Live through an experiment of two trials, and a third that is allowed later."""
    document = json.loads(Path(file).read_text())
    name = document["metadata"]["name"]
    client.create_experiment(document)
    found = client.wait_for_experiment_condition(name, **WAITING)
    said = {
        "conditions": [one.type for one in client.get_experiment_conditions(name)],
        "ended": [client.is_experiment_succeeded(name), client.is_experiment_running(name)],
        "succeeded": found.status.trials_succeeded,
        "experiments": [one.metadata.name for one in client.list_experiments()],
        "suggestion": client.get_suggestion(name).status.suggestion_count,
        "optimum": optimum(client, name),
        "details": [
            [values(one["parameter_assignments"]), one["metrics"][0].latest]
            for one in client.get_success_trial_details(name)
        ],
    }
    trials = client.list_trials(name)
    said["trials"] = [values(trial.spec.parameter_assignments) for trial in trials]
    said["metrics"] = [measured(client, db_manager, trial.metadata.name) for trial in trials]
    said["logs"] = [[*client.get_job_logs(name, trial.metadata.name)] for trial in trials]
    client.edit_experiment_budget(name, max_trial_count=3)
    client.wait_for_experiment_condition(name, expected_condition="Restarting", **WAITING)
    client.wait_for_experiment_condition(name, **WAITING)
    said["later"] = [len(client.list_trials(name)), optimum(client, name)]
    client.delete_experiment(name)
    return said


def tune(client: katib.KatibClient, db_manager: str, image: str) -> dict[str, Any]:
    """Let the client make the experiment, of a function."""

    def objective(parameters: dict[str, str]) -> None:
        import os  # noqa: PLC0415 - only the function's text goes into the trial

        for epoch in range(1, int(parameters["epochs"]) + 1):
            error = (float(parameters["x"]) - 0.5) ** 2 + 1 / epoch
            print(f"epoch {epoch}: error={error:.6f} {os.environ['UNIT']}")  # noqa: T201

    client.tune(
        name="tuned",
        objective=objective,
        parameters={"x": katib.search.double(min=0, max=1), "epochs": 3},
        base_image=image,
        env_per_trial={"UNIT": "squares"},
        algorithm_name="random",
        algorithm_settings={"random_state": 7},
        objective_metric_name="error",
        objective_type="minimize",
        max_trial_count=3,
        parallel_trial_count=3,
        resources_per_trial={"cpu": "100m", "memory": "64Mi"},
        retain_trials=True,
    )
    client.wait_for_experiment_condition("tuned", **WAITING)
    trials = client.list_trials("tuned")
    return {
        "optimum": optimum(client, "tuned"),
        "trials": [values(trial.spec.parameter_assignments) for trial in trials],
        "metrics": [measured(client, db_manager, trial.metadata.name) for trial in trials],
        "logs": [[*client.get_job_logs("tuned", trial.metadata.name)] for trial in trials],
    }


def optimum(client: katib.KatibClient, name: str) -> list[Any]:
    """Return the parameters of the best trial, and its objective."""
    best = client.get_optimal_hyperparameters(name)
    return [values(best.parameter_assignments), best.observation.metrics[0].min]


def values(assignments: list[Any]) -> dict[str, str]:
    """Return parameters by their names."""
    return {one.name: one.value for one in assignments}


def measured(client: katib.KatibClient, db_manager: str, trial: str) -> list[list[str]]:
    """Return what the store has of a trial."""
    logs = client.get_trial_metrics(trial, db_manager_address=db_manager)
    return [[log.metric.name, log.metric.value] for log in logs]


def main(kubeconfig: str, namespace: str, db_manager: str, what: str, argument: str) -> None:
    """Hold one session, and print what the client answered."""
    client = katib.KatibClient(config_file=kubeconfig, namespace=namespace)
    session = {"experiment": experiment, "tune": tune}[what]
    sys.stdout.write(f"\n{json.dumps(session(client, db_manager, argument))}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
