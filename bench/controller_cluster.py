"""An API server without nodes, and real processes of all services of an experiment."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import grpc.aio
import psutil
import yaml

from bench.controller_jobs import Jobs
from kube.cluster import Cluster, Kind, Scope
from kube.connect import connected
from kube.errors import NotFound
from tests.cluster.control_plane import ControlPlane, control_plane, free_ports
from tests.controller.controller_process import ControllerProcess, controller_process
from tests.polling import eventually

USER = "controller"
EXPERIMENT = Kind(api_version="kubeflow.org/v1beta1", kind="Experiment")
SUGGESTION = Kind(api_version="kubeflow.org/v1beta1", kind="Suggestion")
_CRDS = Path(__file__).parents[1] / "manifests" / "crds"
_NAMESPACES = ("kubeflow", "bench")
NAMESPACE = _NAMESPACES[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectionRuntime:
    """The running services."""

    plane: ControlPlane
    cluster: Cluster
    controller: ControllerProcess
    jobs: Jobs
    pids: dict[str, int]
    store_metrics: str

    def cpu(self, name: str) -> float:
        """Return the CPU seconds of a process."""
        return float(sum(psutil.Process(self.pids[name]).cpu_times()[:2]))

    def peak_mib(self) -> float:
        """Return the controller's peak memory."""
        status = Path(f"/proc/{self.pids[USER]}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    async def asked_of_store(self) -> str:
        """Return a metric of the DB manager, as Prometheus reads it."""
        async with aiohttp.ClientSession() as session, session.get(self.store_metrics) as answer:
            return await answer.text()


@asynccontextmanager
async def surroundings() -> AsyncIterator[ElectionRuntime]:
    """Start all services, empty, and end them afterwards."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trialwatch-bench-")))
        (folder / "plane").mkdir()
        plane = stack.enter_context(control_plane(folder / "plane"))
        cluster = await stack.enter_async_context(connected(plane.kubeconfig("bench")))
        await _install(cluster)
        store_metrics = f"127.0.0.1:{free_ports(1)[0]}"
        database = ("--database", f"sqlite:///{folder}/store.db", "--metrics-listen", store_metrics)
        store = await stack.enter_async_context(_served(folder, "dbmanager", *database))
        search = await stack.enter_async_context(_served(folder, "suggestion"))
        flags = ("--db-manager", store.address, "--suggestion", search.address)
        running = controller_process(plane.kubeconfig(USER), folder / "controller", *flags)
        controller = await stack.enter_async_context(running)
        stack.push_async_callback(_end, controller)
        await controller.ready()
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(store.address))
        jobs = Jobs(cluster, channel)
        await stack.enter_async_context(jobs.played())
        yield ElectionRuntime(
            plane=plane,
            cluster=cluster,
            controller=controller,
            jobs=jobs,
            pids={
                USER: controller.process.pid,
                "suggestion": search.pid,
                "dbmanager": store.pid,
                "kube-apiserver": plane.api_server.pid,
                "etcd": plane.etcd.pid,
            },
            store_metrics=f"http://{store_metrics}/metrics",
        )


async def _end(controller: ControllerProcess) -> None:
    """End the controller as in a cluster, while the API server still runs."""
    if controller.process.returncode is None:
        controller.end()
    await controller.ended()


async def _install(cluster: Cluster) -> None:
    for name in _NAMESPACES:
        metadata = {"name": name}
        await cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    for file in sorted(_CRDS.glob("*s.yaml")):
        await cluster.create(yaml.safe_load(file.read_text()))
    async with asyncio.timeout(60):
        for kind in (
            EXPERIMENT,
            SUGGESTION,
            Kind(api_version=EXPERIMENT.api_version, kind="Trial"),
        ):
            while not await _serves(cluster, kind):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.1)


async def _serves(cluster: Cluster, kind: Kind) -> bool:
    try:
        await cluster.list(Scope(kind, NAMESPACE))
    except NotFound:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Served:
    pid: int
    address: str


@asynccontextmanager
async def _served(folder: Path, module: str, *flags: str) -> AsyncIterator[_Served]:
    """Run a program that serves gRPC."""
    port_file = folder / f"{module}-port"
    own = ("--listen", "127.0.0.1:0", "--port-file", str(port_file))
    environ = {name: value for name, value in os.environ.items() if "KATIB" not in name}
    with (folder / f"{module}.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *own, *flags, stderr=log, stdout=log, env=environ
        )
    try:
        await eventually(lambda: port_file.exists() or process.returncode is not None)
        yield _Served(process.pid, f"127.0.0.1:{int(port_file.read_text())}")
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
