"""`python -m webhook`: a real process, real TLS, a cluster over HTTP."""

from __future__ import annotations

import asyncio
import base64
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from api.types import JsonObject
from kube.cluster import Ref
from kube.resources import KNOWN
from kube.testing.apiserver import ApiServer, served
from kube.testing.memory import MemoryCluster
from tests.polling import eventually
from tests.webhook.experiments.experiment_documents import experiment, in_a_config_map
from tests.webhook.running_webhook import patched
from tests.webhook.trial_objects import job, object_of, pod, team, trial
from tests.webhook.webhook_process import program
from webhook.server.experiment_handler import MUTATE, VALIDATE
from webhook.settings import PROGRAM

REGISTERED = Ref(
    api_version="admissionregistration.k8s.io/v1",
    kind="MutatingWebhookConfiguration",
    name="trialwatch-webhook",
)


@pytest.fixture
def memory() -> MemoryCluster:
    return MemoryCluster(namespaces=("team", "kubeflow"))


@pytest.fixture
async def api(memory: MemoryCluster) -> AsyncIterator[ApiServer]:
    async with served(memory, token="sesame") as server:
        yield server


async def test_a_pod_is_reviewed_over_tls(
    memory: MemoryCluster, api: ApiServer, tmp_path: Path
) -> None:
    wanted = await team(memory)
    async with program(api, tmp_path) as running:
        await running.ready()
        after = patched(wanted, await running.review(wanted))

    args = after["spec"]["initContainers"][0]["args"]
    assert "katib-db-manager.kubeflow:6789" in args


async def test_an_experiment_gets_defaults_and_is_checked_over_tls(
    memory: MemoryCluster, api: ApiServer, tmp_path: Path
) -> None:
    templates = object_of("v1", "ConfigMap", "templates", data={"job": "kind: [Job"})
    await memory.create(templates)
    async with program(api, tmp_path) as running:
        await running.ready()
        sparse = experiment()
        stored = patched(sparse, await running.experiment(MUTATE, sparse))
        passed = await running.experiment(VALIDATE, stored)
        edited = {**stored, "spec": {**stored["spec"], "algorithm": {"algorithmName": "grid"}}}
        refused = await running.experiment(VALIDATE, edited, stored)
        broken = await running.experiment(MUTATE, experiment(in_a_config_map()))

    assert stored["spec"]["parallelTrialCount"] == 3
    assert passed == {"uid": "uid-1", "allowed": True}
    assert [one["field"] for one in refused["status"]["details"]["causes"]] == ["spec"]
    assert "unable to convert spec.trialTemplate" in broken["status"]["message"]


async def test_it_is_alive_but_not_ready_before_it_knows_the_cluster(tmp_path: Path) -> None:
    """A cluster without the CRDs of trials."""
    without = [one for one in KNOWN if one.kind != "Trial"]
    memory = MemoryCluster(without, namespaces=("team", "kubeflow"))
    async with served(memory) as api, program(api, tmp_path, "--linger", "0s") as running:
        await running.until("/readyz", lambda _, text: "install what defines this kind" in text)
        assert (await running.get("/readyz"))[0] == 503
        assert (await running.get("/healthz"))[0] == 200


async def test_after_sigterm_it_serves_until_it_gets_no_more_requests(
    memory: MemoryCluster, api: ApiServer, tmp_path: Path
) -> None:
    wanted = await team(memory)
    async with program(api, tmp_path, "--linger", "1s") as running:
        await running.ready()
        running.end()
        await running.until("/readyz", lambda status, _: status == 503)
        assert "patch" in await running.review(wanted)
        assert await running.ended() == 0

    messages = [line["message"] for line in running.log()]
    assert messages[-1] == "ended"
    assert not any("trace" in line for line in running.log())


async def test_it_makes_its_certificate_and_the_api_server_trusts_it(
    memory: MemoryCluster, api: ApiServer, tmp_path: Path
) -> None:
    service = {"name": "hook", "namespace": "kubeflow", "path": "/mutate-pod"}
    secret = {"name": "trialwatch-webhook-cert", "namespace": "kubeflow"}
    await memory.create({"apiVersion": "v1", "kind": "Secret", "metadata": secret})
    await memory.create(
        {
            "apiVersion": REGISTERED.api_version,
            "kind": REGISTERED.kind,
            "metadata": {"name": REGISTERED.name},
            "webhooks": [{"name": "one", "clientConfig": {"service": service}}],
        }
    )
    plain = ("--plain-listen", "127.0.0.1:0", "--linger", "0s")
    async with program(api, tmp_path, *plain, self_signed=True) as running:
        await running.until("/readyz", lambda status, _: status == 200, at=running.plain)
        registered: Any = await memory.get(REGISTERED)
        bundle = base64.b64decode(registered["webhooks"][0]["clientConfig"]["caBundle"]).decode()
        trust = ssl.create_default_context(cadata=bundle)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", running.port, ssl=trust, server_hostname="hook.kubeflow.svc"
        )
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: hook\r\nConnection: close\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()
        await writer.wait_closed()


class Gated(MemoryCluster):
    """A cluster that answers requests for single objects only once the gate is open."""

    def __init__(self) -> None:
        super().__init__(namespaces=("team", "kubeflow"))
        self.gate = asyncio.Event()

    async def get(self, ref: Ref) -> JsonObject:
        await self.gate.wait()
        return await super().get(ref)


async def test_a_review_under_way_is_finished(tmp_path: Path) -> None:
    memory = Gated()
    async with served(memory) as api, program(api, tmp_path, "--linger", "0s") as running:
        await running.ready()
        reviewing = asyncio.create_task(
            running.review(pod(job("not-there", await memory.create(trial()))))
        )
        await eventually(lambda: api.asked["get Job"] == 1)
        running.end()
        await eventually(lambda: running.log()[-1]["message"].startswith("draining"))
        memory.gate.set()
        response = await reviewing
        assert response["uid"] == "uid-1"
        assert await running.ended() == 0


async def test_the_plain_port_tells_about_the_server_and_reviews_nothing(
    api: ApiServer, tmp_path: Path
) -> None:
    async with program(api, tmp_path, "--plain-listen", "127.0.0.1:0") as running:
        for path, status in (("/healthz", 200), ("/metrics", 200), ("/mutate-pod", 404)):
            assert (await running.get(path, at=running.plain))[0] == status


def run(*words: str) -> tuple[int, str]:
    command = (sys.executable, "-m", "webhook", *words)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr or done.stdout


def test_its_help_is_a_success() -> None:
    assert run("--help") == (0, PROGRAM.usage())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "webhook: give either --cert-dir DIR"),
        (
            ["--cert-dir", ".", "--kubeconfig", "nowhere"],
            "webhook: --kubeconfig: cannot use nowhere: the file does not exist",
        ),
        (["--cert-dir", "."], "webhook: cannot find a cluster"),
        (
            ["--cert-dir", ".", "--kubeconfig", "HERE", "--katib-config", "no"],
            "--katib-config: cannot",
        ),
        (
            ["--cert-dir", ".", "--kubeconfig", "HERE", "--listen", "192.0.2.1:1"],
            "--listen: cannot listen",
        ),
    ],
)
def test_a_wrong_setting_ends_it_with_one_line(words: list[str], says: str, tmp_path: Path) -> None:
    server = ApiServer(MemoryCluster())
    server.url = "http://127.0.0.1:1"
    here = str(server.write_kubeconfig(tmp_path / "kubeconfig"))

    status, text = run(*(here if word == "HERE" else word for word in words))

    last = text.splitlines()[-1]
    assert status == 2
    assert says in last
