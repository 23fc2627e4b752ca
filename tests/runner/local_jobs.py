"""Trials and jobs for tests, and a machine with a store that runs them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.types import (
    CollectorKind,
    CollectorSpec,
    JsonObject,
    LogFormat,
    Objective,
    ObjectiveType,
    ObjectMeta,
    PathKind,
    Trial,
    TrialSpec,
)
from runner.database import StoredObservations, database
from runner.jobs.injection import TrialObjects
from runner.jobs.job_run import JobRun
from runner.jobs.run_context import JobFolders, RunContext
from runner.sockets import socket_directory
from tests.runner.local_pods import Node, node
from webhook.model.config import Config

FILE = CollectorSpec(
    kind=CollectorKind.FILE,
    path="/katib/mnist.log",
    path_kind=PathKind.FILE,
    format=LogFormat.TEXT,
)


def trial(name: str = "trial", collector: CollectorSpec | None = None) -> Trial:
    return Trial(
        metadata=ObjectMeta(name=name, namespace="ns", uid="u"),
        spec=TrialSpec(
            objective=Objective(type=ObjectiveType.MINIMIZE, metric="loss", additional=("acc",)),
            primary_container_name="main",
            collector=collector or CollectorSpec(),
        ),
    )


def job(*containers: JsonObject, name: str = "trial", pod: Any = None, **spec: Any) -> JsonObject:  # noqa: ANN401 - JSON
    owner = {"apiVersion": "kubeflow.org/v1beta1", "kind": "Trial", "name": name, "uid": "u"}
    template = {"spec": {"restartPolicy": "Never", "containers": list(containers), **(pod or {})}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": "ns", "uid": "j", "ownerReferences": [owner]},
        "spec": {"backoffLimit": 0, "template": template, **spec},
    }


@dataclass
class Cluster:
    """The smallest one: a machine and a store."""

    node: Node
    here: RunContext
    observations: StoredObservations
    seen: list[JsonObject] = field(default_factory=list)

    def job(self, document: JsonObject, owner: Trial | None = None) -> JobRun:
        owner = owner or trial()
        folder = self.node.folder / "state" / owner.metadata.name
        place = JobFolders(pods=folder / "pods", logs=folder / "logs")
        return JobRun(TrialObjects(trial=owner, job=document), self.here, place, self.seen.append)

    async def run(self, document: JsonObject, owner: Trial | None = None) -> JobRun:
        made = self.job(document, owner)
        await made.run()
        return made

    async def values(self, metric: str = "loss", owner: Trial | None = None) -> list[str]:
        return await self.observations.values(owner or trial(), metric)

    def log(self, container: str = "main", name: str = "trial") -> str:
        logs = (self.node.folder / "state" / name / "logs").glob(f"*/{container}.log")
        return "".join(log.read_text() for log in sorted(logs))


@asynccontextmanager
async def cluster(folder: Path, **environ: str) -> AsyncIterator[Cluster]:
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(node(folder, **environ))
        sockets = stack.enter_context(socket_directory(folder))
        store = await stack.enter_async_context(database(f"sqlite:///{folder}/o.db", sockets))
        here = RunContext(
            spawner=made.line,
            machine=made.machine,
            config=Config(db_manager=store.address),
            checkpoints=folder / "checkpoints",
        )
        yield Cluster(made, here, StoredObservations(store.store))


def status_of(run: JobRun) -> Any:  # noqa: ANN401 - JSON
    """Return the status of a job's document."""
    return run.document["status"]


def conditions(run: JobRun) -> dict[str, tuple[str, str]]:
    """Return the conditions that hold: type -> reason, message."""
    return {
        one["type"]: (one["reason"], one["message"])
        for one in status_of(run).get("conditions", [])
        if one["status"] == "True"
    }
