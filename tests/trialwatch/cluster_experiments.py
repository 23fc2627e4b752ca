"""Experiments in a cluster in memory over HTTP, and the command line that reads them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from api.names import EXPERIMENT_LABEL, NUMBER_LABEL, TRIAL_LABEL
from api.objects.experiments import render_experiment
from api.objects.trials import render_trial
from api.types import JsonObject, ObjectMeta, Trial
from kube.cluster import ref_of
from kube.testing.apiserver import ApiServer
from kube.testing.memory import MemoryCluster
from tests.trialwatch.view.watched_experiment import experiment, mixed_fortunes
from trialwatch.sources.documents import namespace_of

ROOT = Path(__file__).parents[2]
PATIENCE = 60


async def put(cluster: MemoryCluster, document: JsonObject) -> JsonObject:
    """Create an object with its status, which is a part of its own."""
    made = await cluster.create(document)
    return await cluster.patch(ref_of(made), {"status": document["status"]}, status=True)


async def experiment_in(
    cluster: MemoryCluster, namespace: str, name: str = "random", best: str = "random-0001"
) -> list[JsonObject]:
    """Put an experiment with trials of all fates into a namespace; return all objects."""
    trials = mixed_fortunes()
    made = experiment(trials, best, name=name)
    placed = replace(made, metadata=ObjectMeta(name=name, namespace=namespace))
    documents = [render_experiment(placed)]
    for number, trial in enumerate(trials, start=1):
        documents.append(render_trial(_placed(trial, namespace, name, number)))
    return [await put(cluster, one) for one in documents]


def _placed(trial: Trial, namespace: str, of: str, number: int) -> Trial:
    name = trial.metadata.name.replace("random", of)
    labels = {EXPERIMENT_LABEL: of, NUMBER_LABEL: str(number)}
    spec = replace(trial.spec, primary_container_name="training")
    metadata = ObjectMeta(name=name, namespace=namespace, labels=labels)
    return replace(trial, metadata=metadata, spec=spec)


def pod_of(trial: JsonObject, name: str = "p", **parts: Any) -> dict[str, Any]:  # noqa: ANN401 - of the document
    """Return a trial's pod, injected by us: its container `training` runs."""
    metadata: Any = trial["metadata"]
    containers = [
        {"name": "training", "command": ["/run/trialwatch/launch", "run", "--", "python3"]}
    ]
    sidecar = {"name": "metrics-logger-and-collector", "restartPolicy": "Always"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace_of(trial),
            "labels": {TRIAL_LABEL: metadata["name"]},
        },
        "spec": {"containers": containers, "initContainers": [sidecar]},
        "status": {"phase": "Running", "containerStatuses": [begun("training")]},
        **parts,
    }


def begun(name: str) -> dict[str, Any]:
    """Return the status of a container that runs."""
    return {"name": name, "state": {"running": {"startedAt": "2026-01-31T12:00:00Z"}}}


class CommandLine:
    """`python -m trialwatch` in a folder of its own, for somebody with a kubeconfig."""

    def __init__(self, folder: Path, server: ApiServer) -> None:
        self.folder = folder
        self.kubeconfig = server.write_kubeconfig(folder / "kubeconfig", namespace="team")

    async def start(self, *words: str, **environ: str) -> asyncio.subprocess.Process:
        return await self.start_python("-m", "trialwatch", *words, **environ)

    async def start_python(self, *words: str, **environ: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *words,
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "HOME": str(self.folder),
                "KUBECONFIG": str(self.kubeconfig),
                **environ,
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def __call__(self, *words: str, **environ: str) -> tuple[int, str, str]:
        """Return the status, the output, and what is said beside."""
        process = await self.start(*words, **environ)
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()


def names(table: str) -> Sequence[str]:
    """Return the first column of a table without its head."""
    return [line.split()[0] for line in table.splitlines()[1:]]
