"""A webhook in this process over plain HTTP, with a cluster in memory."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from jsonpath import patch as rfc6902

from api.types import JsonObject
from kube.events import EventRecorder, EventSource
from kube.testing.memory import MemoryCluster
from serving.addresses import Address
from serving.http import Server
from tests.polling import beside
from webhook.driver.cluster_lookups import ClusterLookups, lookup_caches
from webhook.driver.cluster_rights import ClusterRights, ClusterWithRights
from webhook.driver.decision_driver import DecisionDriver
from webhook.driver.finalizer_release import FinalizerRelease
from webhook.model.config import Config
from webhook.model.images import ImageCommand
from webhook.model.lookups import ImageLookup, ImageUnknown
from webhook.server import trial_handler, uninstall_handler
from webhook.server.experiment_handler import MUTATE, VALIDATE, ExperimentHandler
from webhook.server.http import ServerParts, application
from webhook.server.metrics import Metrics
from webhook.server.pod_handler import PATH, PodHandler
from webhook.server.trial_handler import TrialHandler
from webhook.server.uninstall_handler import UninstallHandler

NAMESPACE = "team"
ADMINISTRATOR: JsonObject = {"username": "admin", "groups": ["system:masters"]}
HERE = Address(host="127.0.0.1", port=0)


@dataclass(slots=True)
class Registry:
    """The commands of some images; all others are unknown."""

    commands: Mapping[str, ImageCommand] = field(default_factory=dict)
    deadlines: list[float] = field(default_factory=list)

    async def command_of(self, wanted: ImageLookup, deadline: float) -> ImageCommand | ImageUnknown:
        self.deadlines.append(deadline)
        return self.commands.get(wanted.image, ImageUnknown("there is no such image"))


@dataclass(slots=True)
class Settings:
    """Settings that never change."""

    config: Config = field(default_factory=Config)
    trouble: str = ""

    async def run(self) -> None:
        await asyncio.Event().wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A running webhook, and a client."""

    url: str
    session: aiohttp.ClientSession
    metrics: Metrics
    events: EventRecorder
    missing: list[str]

    async def review(self, pod: object, *, within: str = "10s", **fields: object) -> dict[str, Any]:
        """Send a review of a pod and return its response; checks what every response must have."""
        body = json.dumps(asked(pod, **fields))
        answer = await self.post(body.encode(), within=within)
        assert answer.status == 200, answer.text
        review = json.loads(answer.text)
        assert (review["apiVersion"], review["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
        response: dict[str, Any] = review["response"]
        assert response["uid"] == fields.get("uid", "uid-1")
        return response

    async def experiment(
        self,
        path: str,
        document: object,
        old: object = None,
        *,
        within: str = "10s",
        **fields: object,
    ) -> dict[str, Any]:
        """Send a review of an experiment to one of the two paths; return its response."""
        body = json.dumps(experiment_asked(document, old, **fields)).encode()
        answer = await self.post(body, within=within, path=path)
        assert answer.status == 200, answer.text
        response: dict[str, Any] = json.loads(answer.text)["response"]
        assert response["uid"] == "uid-1"
        return response

    async def post(
        self,
        body: bytes,
        *,
        content_type: str = "application/json",
        within: str = "10s",
        path: str = PATH,
    ) -> Answer:
        headers = {"Content-Type": content_type}
        url = f"{self.url}{path}?timeout={within}"
        # In a file: aiohttp warns of large bytes.
        async with self.session.post(url, data=io.BytesIO(body), headers=headers) as answer:
            return Answer(answer.status, await answer.text())

    async def get(self, path: str) -> Answer:
        async with self.session.get(f"{self.url}{path}") as answer:
            return Answer(answer.status, await answer.text())

    async def metric(self, name: str, **labels: str) -> float:
        """Return the value of a metric from `/metrics`."""
        text = (await self.get("/metrics")).text
        said = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
        wanted = f"{name}{{{said}}}" if said else name
        values = [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(wanted)]
        return float(values[0]) if values else 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str


def asked(pod: object, **fields: object) -> JsonObject:
    """Return a review of a pod, as the API server sends it."""
    request: dict[str, Any] = {
        "uid": "uid-1",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "operation": "CREATE",
        "userInfo": ADMINISTRATOR,
        "namespace": NAMESPACE,
        "object": pod,
        **fields,
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


def experiment_asked(document: object, old: object = None, **fields: object) -> JsonObject:
    """Return a review of an experiment, as the API server sends it."""
    resource = {"group": "kubeflow.org", "version": "v1beta1", "resource": "experiments"}
    kind = {"group": "kubeflow.org", "version": "v1beta1", "kind": "Experiment"}
    return asked(
        document,
        **{
            "kind": kind,
            "resource": resource,
            "operation": "CREATE" if old is None else "UPDATE",
            "oldObject": old,
            **fields,
        },
    )


def patched(pod: JsonObject, response: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a pod
    """Return the pod that the API server would create, by an independent library."""
    if "patch" not in response:
        return pod
    assert response["patchType"] == "JSONPatch"
    operations = json.loads(base64.b64decode(response["patch"]))
    return rfc6902.apply(operations, json.loads(json.dumps(pod)))


@asynccontextmanager
async def webhook(
    cluster: ClusterWithRights | None = None,
    *,
    registry: Registry | None = None,
    settings: Settings | None = None,
    watching: bool = True,
    read_seconds: float = 10.0,
) -> AsyncIterator[Webhook]:
    """Run a webhook; without `watching` it has no caches."""
    cluster = cluster or MemoryCluster(namespaces=(NAMESPACE,))
    metrics, missing = Metrics(), list[str]()
    clock = asyncio.get_running_loop().time
    events = EventRecorder(
        cluster,
        EventSource(component="trialwatch-webhook"),
        counted=metrics.count_event,
        clock=clock,
    )
    watched = lookup_caches(cluster) if watching else ()
    metrics.show_caches(watched)
    lookups = ClusterLookups(cluster, watched, counted=metrics.count_lookup)
    config = settings or Settings()
    authors = ClusterRights(cluster)
    pods = PodHandler(DecisionDriver(lookups, registry or Registry()), config, events, metrics)
    experiments = {
        path: ExperimentHandler(path, lookups, authors, config, metrics)
        for path in (MUTATE, VALIDATE)
    }
    trials = TrialHandler(authors, config, metrics)
    uninstall = UninstallHandler(FinalizerRelease(cluster), metrics)
    parts = ServerParts(
        handlers={
            PATH: pods,
            **experiments,
            trial_handler.PATH: trials,
            uninstall_handler.PATH: uninstall,
        },
        metrics=metrics,
        missing=lambda: missing,
        read_seconds=read_seconds,
    )
    server = Server(application(parts))
    async with AsyncExitStack() as stack:
        background = (events.run(), uninstall.run(), *(one.run() for one in watched))
        await stack.enter_async_context(beside(*background))
        for one in watched:
            await one.synced()
        address = await server.listen(HERE, "--listen")
        stack.push_async_callback(server.close)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Webhook(
            url=f"http://{address}",
            session=session,
            metrics=metrics,
            events=events,
            missing=missing,
        )
