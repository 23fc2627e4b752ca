"""The four programs as processes on this machine, with work to do, and a Prometheus that scrapes them."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from api import names
from api.objects.experiments import render_experiment
from kube.cluster import Ref, Scope
from kube.errors import NotFound
from kube.testing.apiserver import served
from kube.testing.memory import MemoryCluster
from tests.certificate_authority import Authority
from tests.controller.cluster_ports import JOB, complete
from tests.controller.controller_process import ControllerProcess, controller_process
from tests.controller.experiment_harness import experiment
from tests.dbmanager.database_servers import free_port
from tests.dbmanager.dbmanager_process import program as dbmanager_program
from tests.dbmanager.dbmanager_server import Client, client_of
from tests.manifests.monitoring.prometheus_tools import tool
from tests.suggestion.test_program import program as suggestion_program
from tests.webhook.experiments.experiment_documents import experiment as submitted
from tests.webhook.trial_objects import team
from tests.webhook.webhook_process import Program as Webhook
from tests.webhook.webhook_process import program as webhook_program
from webhook.server.experiment_handler import MUTATE

T = "2026-01-02T03:04:05Z"
TIMES = ("--metrics-grace", "500ms", "--metrics-poll", "50ms", "--stop-grace", "1s")


@dataclass(kw_only=True)
class Programs:
    """The running programs; `work` lets each of them do something."""

    memory: MemoryCluster
    webhook: Webhook
    store: Client
    pod: dict[str, Any]
    targets: Mapping[str, str]
    """Where each job serves its metrics."""
    _deleted: set[str] = field(default_factory=set)

    async def begin(self) -> None:
        """Create experiments: one that goes on, and one for each way to end."""
        specs: dict[str, dict[str, Any]] = {
            "endless": {"max_trial_count": 1000, "parallel_trial_count": 1},
            "succeeds": {"max_trial_count": 1},
            "fails": {"max_trial_count": 1, "max_failed_trial_count": 0},
            "silent": {"max_trial_count": 1},
        }
        for name, spec in specs.items():
            made = experiment(name=name, uid=f"uid-{name}", **spec)
            await self.memory.create(render_experiment(made))

    async def work(self) -> None:
        """Review a pod and an experiment, and end the jobs that run."""
        await self.webhook.review(self.pod)
        await self.webhook.experiment(MUTATE, submitted())
        listing = await self.memory.list(Scope(JOB, "ns"))
        found: list[Any] = list(listing.items)
        for job in found:
            if not job.get("status"):
                await self._end(job["metadata"]["name"])
        await self._delete_what_succeeded()

    async def _end(self, job: str) -> None:
        if job.startswith("fails"):
            await complete(self.memory, job, "Failed")
            return
        if not job.startswith("silent"):
            metadata = (("trialwatch-namespace", "ns"),)
            await self.store.report(job, (T, "loss", "0.5"), metadata=metadata)
        await complete(self.memory, job)

    async def _delete_what_succeeded(self) -> None:
        ref = Ref(
            api_version="kubeflow.org/v1beta1", kind="Experiment", namespace="ns", name="succeeds"
        )
        try:
            found: Any = await self.memory.get(ref)
        except NotFound:
            await self.memory.collect_garbage()
            return
        conditions = found.get("status", {}).get("conditions", [])
        if conditions and conditions[-1]["type"] == "Succeeded" and ref.name not in self._deleted:
            self._deleted.add(ref.name)
            await self.memory.delete(ref)


@asynccontextmanager
async def running_programs(folder: Path) -> AsyncIterator[Programs]:
    """Start the programs over a cluster in memory; end them with the block."""
    memory = MemoryCluster(namespaces=("ns", "team", names.CORE_NAMESPACE))
    pod = await team(memory)
    store_metrics, search_metrics, plain_store, plain_search = (
        f"127.0.0.1:{free_port()}" for _ in range(4)
    )
    Authority().signed("localhost").write(folder)
    tls = ("--tls-cert", f"{folder}/tls.crt", "--tls-key", f"{folder}/tls.key", "--plain-listen")
    for name in ("store", "search", "hook"):
        (folder / name).mkdir()
    database = f"sqlite:///{folder}/store/observations.db"
    with (
        dbmanager_program(folder / "store", database, *tls, plain_store) as store,
        suggestion_program(
            folder / "search", "--metrics-listen", search_metrics, *tls, plain_search
        ),
    ):
        store.end()
        store.start(metrics=store_metrics)
        services = ("--db-manager", plain_store, "--suggestion", plain_search)
        plain = ("--plain-listen", "127.0.0.1:0", "--linger", "0s")
        async with (
            served(memory, token="sesame") as api,
            webhook_program(api, folder / "hook", *plain) as webhook,
            controller_process(
                folder / "hook" / "kubeconfig", folder / "controller", *services, *TIMES
            ) as controller,
            client_of(plain_store) as client,
        ):
            await webhook.ready()
            await _until_it_leads(controller)
            yield Programs(
                memory=memory,
                webhook=webhook,
                store=client,
                pod=pod,
                targets={
                    names.OWN_CONTROLLER: f"127.0.0.1:{controller.port}",
                    names.OWN_WEBHOOK: webhook.plain.removeprefix("http://"),
                    names.DB_MANAGER_SERVICE: store_metrics,
                    names.OWN_SUGGESTION: search_metrics,
                },
            )


async def _until_it_leads(controller: ControllerProcess) -> None:
    async with asyncio.timeout(60):
        while not await controller.leads():  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.05)


@dataclass(kw_only=True)
class Prometheus:
    """A client of a running Prometheus."""

    url: str
    session: aiohttp.ClientSession

    async def data(self, path: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
        """Return the data of an answer of the HTTP API."""
        async with self.session.get(f"{self.url}/api/v1/{path}", params=parameters) as answer:
            document = json.loads(await answer.text())
        assert document["status"] == "success", document
        return document["data"]

    async def values(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Return the series of an expression: labels, and the value now."""
        data = await self.data("query", query=expression)
        return [(series["metric"], float(series["value"][1])) for series in data["result"]]


@asynccontextmanager
async def prometheus(
    folder: Path, targets: Mapping[str, str], rules: str
) -> AsyncIterator[Prometheus]:
    """Start a Prometheus that scrapes each second, as the PodMonitor says; end it with the block."""
    (folder / "rules.yaml").write_text(rules)
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(_settings(targets)))
    address = f"127.0.0.1:{free_port()}"
    with _started(folder, address) as process:
        async with aiohttp.ClientSession() as session:
            client = Prometheus(url=f"http://{address}", session=session)
            await _answers(client, process)
            yield client


def _settings(targets: Mapping[str, str]) -> dict[str, Any]:
    pods = (f"pod-{number}" for number in itertools.count())
    scraped = [
        {
            "targets": [address],
            "labels": {"job": job, "namespace": names.CORE_NAMESPACE, "pod": pod},
        }
        for (job, address), pod in zip(targets.items(), pods, strict=False)
    ]
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [
            {"job_name": "pods", "honor_labels": True, "static_configs": scraped},
        ],
    }


@contextmanager
def _started(folder: Path, address: str) -> Iterator[subprocess.Popen[bytes]]:
    command = (
        tool("prometheus"),
        "--config.file=prometheus.yaml",
        "--storage.tsdb.path=data",
        f"--web.listen-address={address}",
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


async def _answers(client: Prometheus, process: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                async with client.session.get(f"{client.url}/-/ready") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                assert process.poll() is None, "Prometheus has ended"
            await asyncio.sleep(0.1)
