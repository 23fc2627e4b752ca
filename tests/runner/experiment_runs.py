"""Small experiments, and a folder in which a test calls `trialwatch`."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from api.objects.yamlout import dump_objects
from api.objects.yamltext import load_objects

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
PRINTS = ["sh", "-c", "echo loss=${trialParameters.lr}"]


def experiment(
    *,
    name: str = "quick",
    command: Sequence[str] = PRINTS,
    job: dict[str, Any] | None = None,
    job_spec: dict[str, Any] | None = None,
    **spec: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    """Make one of 4 trials, 2 at a time; whatever of `spec` is named is put in place."""
    container = {"name": "main", "image": "none", "command": list(command)}
    pod = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    template: dict[str, Any] = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "spec": {"backoffLimit": 0, "template": pod, **(job_spec or {})},
    }
    if job is not None:
        template = {**template, **job, "spec": {**template["spec"], **job.get("spec", {})}}
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": {"name": name},
        "spec": {
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "algorithm": {"algorithmName": "random"},
            "parallelTrialCount": 2,
            "maxTrialCount": 4,
            "parameters": [
                {
                    "name": "lr",
                    "parameterType": "double",
                    "feasibleSpace": {"min": "0.01", "max": "0.5"},
                }
            ],
            "trialTemplate": {
                "primaryContainerName": "main",
                "trialParameters": [{"name": "lr", "reference": "lr"}],
                "trialSpec": template,
            },
            **spec,
        },
    }


class Machine:
    """A folder in which `trialwatch` is called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[subprocess.Popen[str]] = []

    def write(self, document: dict[str, Any], name: str = "e.yaml") -> None:
        (self.folder / name).write_text(dump_objects([document]))

    def start(self, *words: str, stdin: int | None = None, **environ: str) -> subprocess.Popen[str]:
        """Start the program; its output comes when it has ended."""
        process = subprocess.Popen(
            [sys.executable, "-m", "trialwatch", *words],
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "HOME": str(self.folder),  # no cluster is meant
                "KUBECONFIG": "",
                "TRIALWATCH_DEVICE_LOCKS": str(self.folder / "device-locks"),  # own GPUs
                **environ,
            },
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def call(self, *words: str, stdin: int | None = None, **environ: str) -> tuple[int, str, str]:
        """Call the program; return its status, its output and what it said beside."""
        process = self.start(*words, stdin=stdin, **environ)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    def run(
        self, document: dict[str, Any] | None = None, *flags: str
    ) -> tuple[int, dict[str, Any]]:
        """Run an experiment to its end; return the status and the object."""
        if document is not None:
            self.write(document)
        status, out, err = self.call("run", "e.yaml", "--output", "json", *flags)
        assert out, err
        found: dict[str, Any] = json.loads(out)
        return status, found

    def state(self, name: str = "quick") -> Path:
        return self.folder / ".trialwatch" / "default" / name

    def trials(self, name: str = "quick") -> dict[str, dict[str, Any]]:
        """Return the trials that are kept, by name."""
        found = {}
        for path in sorted((self.state(name) / "trials").glob("*.yaml")):
            [document] = load_objects(path.read_text())
            found[path.stem] = dict(document)
        return found

    def stored(self, metric: str = "loss", name: str = "quick") -> dict[str, list[str]]:
        """Return the values in the store, by trial, of attempts that did not fail or break off."""
        path = self.state(name) / "observations.db"
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        rows = connection.execute(
            "SELECT trial_name, value FROM observation_logs WHERE metric_name = ?"
            " ORDER BY time, id",
            (metric,),
        ).fetchall()
        connection.close()
        found: dict[str, list[str]] = {}
        for trial, value in rows:
            found.setdefault(trial, []).append(value)
        return found

    def printed(self, trial: str, name: str = "quick") -> str:
        """Return what the last pod of a trial printed."""
        pods = sorted(
            (self.state(name) / "logs" / trial).iterdir(), key=lambda p: p.stat().st_mtime
        )
        return (pods[-1] / "main.log").read_text()

    def close(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()


def state_of(trial: dict[str, Any]) -> str:
    """Return the last condition that holds."""
    conditions = trial.get("status", {}).get("conditions", [])
    return str([one["type"] for one in conditions if one["status"] == "True"][-1])


def message_of(trial: dict[str, Any]) -> str:
    conditions = trial["status"]["conditions"]
    return str([one["message"] for one in conditions if one["status"] == "True"][-1])


def wait_for(what: Any, why: str = "it never came true") -> None:  # noqa: ANN401 - anything that can be called
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, why
        time.sleep(0.02)
