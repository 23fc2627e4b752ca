"""The official client behind the port: the contract over HTTP, and what a network does to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio.client import Configuration

from api.errors import SetupError, TrialwatchError, Unavailable
from api.types import JsonObject
from kube.access import Access, Decision, decision_of
from kube.client import KubernetesCluster
from kube.cluster import Change, Cluster, Kind, Ref, Scope
from kube.connect import connected
from kube.discovery import FORGET_SECONDS
from kube.errors import Conflict, Forbidden, Gone, Invalid, NotFound, UnknownKind
from kube.testing.apiserver import ApiServer, served
from kube.testing.memory import MemoryCluster
from tests.contracts.access import STRANGER, AuthorizerContract, wanted
from tests.contracts.cluster import (
    CONFIG_MAP,
    ClusterContract,
    ForgettingContract,
    config_map,
    heard,
    names,
    ref,
)

TOKEN = "sesame"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    async with served(MemoryCluster(namespaces=("team", "other")), token=TOKEN) as server:
        yield server


@pytest.fixture
async def cluster(server: ApiServer, tmp_path: Path) -> AsyncIterator[Cluster]:
    async with connected(server.write_kubeconfig(tmp_path / "kubeconfig")) as cluster:
        yield cluster


class TestKubernetesCluster(ClusterContract, ForgettingContract, AuthorizerContract):
    @pytest.fixture
    async def long_ago(self, server: ApiServer) -> str:
        await server.cluster.create(config_map())
        server.cluster.forget()
        return "1"


# --- rights ---


async def test_a_question_about_rights_reaches_the_server_as_it_was_asked(
    cluster: KubernetesCluster, server: ApiServer
) -> None:
    heard: list[Access] = []

    async def decide(access: Access) -> Decision:
        heard.append(access)
        return Decision(allowed=True, reason="by a role")

    server.cluster.decide = decide  # type: ignore[method-assign]
    decision = await cluster.decide(wanted(STRANGER))

    assert decision == Decision(allowed=True, reason="by a role")
    assert heard == [wanted(STRANGER)]
    assert server.asked["create SubjectAccessReview"] == 1


@pytest.mark.parametrize(
    "status",
    [None, {}, {"allowed": "true"}, {"allowed": True, "denied": True}, [], {"allowed": False}],
)
def test_an_answer_that_does_not_allow_in_so_many_words_denies(status: Any) -> None:  # noqa: ANN401
    assert not decision_of({"status": status}).allowed


def test_an_answer_has_the_words_of_the_authorizer() -> None:
    status: JsonObject = {"allowed": False, "reason": "no role", "evaluationError": "no webhook"}

    assert decision_of({"status": status}) == Decision(allowed=False, reason="no role; no webhook")


# --- paths and pages ---


async def test_a_path_is_asked_for_once(cluster: Cluster, server: ApiServer) -> None:
    await cluster.create(config_map())
    for _ in range(3):
        await cluster.get(ref())
        await cluster.list(Scope(CONFIG_MAP))
    await asyncio.gather(*(cluster.get(ref()) for _ in range(5)))

    assert server.asked["discover v1"] == 1
    assert server.asked["get ConfigMap"] == 8


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_an_unknown_kind_is_asked_for_again_after_a_while(server: ApiServer) -> None:
    clock = Clock()
    lion = Kind(api_version="zoo.example/v1", kind="Lion")
    async with plain(server.url, clock=clock, token=TOKEN) as cluster:
        for _ in range(3):
            with pytest.raises(UnknownKind):
                await cluster.list(Scope(lion))
        assert server.asked["discover zoo.example/v1"] == 1

        made = next(iter(server.cluster.resources.values()))
        server.cluster.resources[lion] = type(made)(
            api_version=lion.api_version, kind=lion.kind, plural="lions", namespaced=True
        )
        clock.now += FORGET_SECONDS
        assert (await cluster.list(Scope(lion))).items == ()


async def test_a_list_whose_rest_is_forgotten_is_read_at_once(
    cluster: Cluster, server: ApiServer
) -> None:
    wanted = [f"n{number:04}" for number in range(510)]
    for name in wanted:
        await server.cluster.create(config_map(name))
    forget, real = server.forget_pages, server.cluster.list

    async def list_and_forget(*args: Any, **narrow: Any) -> Any:  # noqa: ANN401 - passed on
        forget()  # what stands for a compaction between two pages
        asyncio.get_running_loop().call_later(0, forget)
        return await real(*args, **narrow)

    server.cluster.list = list_and_forget  # type: ignore[method-assign]

    assert names((await cluster.list(Scope(CONFIG_MAP))).items) == wanted
    assert server.asked["list ConfigMap"] == 3


async def test_a_server_that_tells_of_no_kinds_is_asked_at_their_usual_places() -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path != "/apis/batch/v1/namespaces/team/jobs/mnist":
            return web.Response(status=404, text="404 page not found")
        return web.json_response({"kind": "Job"})

    async with answering(answer) as cluster:
        job = Ref(api_version="batch/v1", kind="Job", namespace="team", name="mnist")
        assert await cluster.get(job) == {"kind": "Job"}
        with pytest.raises(UnknownKind, match="install what defines this kind"):
            await cluster.list(Scope(Kind(api_version="kubeflow.org/v1beta1", kind="Trial")))


# --- who we are, and where the cluster is ---


async def test_a_token_that_is_not_known_is_forbidden(server: ApiServer) -> None:
    async with plain(server.url, token="guess") as cluster:
        with pytest.raises(Forbidden, match="401 Unauthorized; give this program's account"):
            await cluster.get(ref())


async def test_a_cluster_that_is_not_there_is_unavailable() -> None:
    async with plain("http://127.0.0.1:1") as cluster:
        with pytest.raises(Unavailable, match="cannot reach"):
            await cluster.get(ref())


@pytest.mark.parametrize(
    "text", [None, "", "[", "kind: Config", "current-context: x\ncontexts: []\nclusters: []\n"]
)
async def test_a_kubeconfig_that_cannot_be_used_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)

    with pytest.raises(SetupError, match=r"--kubeconfig: cannot use .*kubeconfig: "):
        async with connected(path):
            pass


async def test_outside_of_a_cluster_a_kubeconfig_is_asked_for() -> None:
    with pytest.raises(SetupError, match="run in a cluster, or give --kubeconfig FILE"):
        async with connected(None):
            pass


async def test_a_token_of_a_plugin_is_renewed_when_it_has_expired(
    server: ApiServer, tmp_path: Path
) -> None:
    """The plugin counts its runs; each token it gives has expired already."""
    plugin = tmp_path / "plugin"
    plugin.write_text(
        f"""#!/bin/sh
echo run >> {tmp_path}/runs
echo '{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status":
  {{"token": "{TOKEN}", "expirationTimestamp": "2020-01-01T00:00:00Z"}}}}'
"""
    )
    plugin.chmod(0o755)
    path = server.write_kubeconfig(tmp_path / "kubeconfig")
    execed = f'{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: "{plugin}"}}}}'
    path.write_text(path.read_text().replace(f"\n    token: {TOKEN}", f" {execed}"))
    async with connected(path) as cluster:
        await cluster.list(Scope(CONFIG_MAP))
        before = len((tmp_path / "runs").read_text().split())
        await cluster.list(Scope(CONFIG_MAP))

    assert len((tmp_path / "runs").read_text().split()) > before


# --- a server that misbehaves ---


@asynccontextmanager
async def plain(
    url: str,
    *,
    token: str = "",
    answer_seconds: float = 10,
    **how: Any,  # noqa: ANN401 - passed on
) -> AsyncIterator[KubernetesCluster]:
    configuration: Any = Configuration(host=url)
    if token:
        configuration.api_key["BearerToken"] = f"Bearer {token}"
    cluster = KubernetesCluster(configuration, answer_seconds=answer_seconds, **how)
    try:
        yield cluster
    finally:
        await cluster.close()


@asynccontextmanager
async def answering(handler: Handler, **how: Any) -> AsyncIterator[KubernetesCluster]:  # noqa: ANN401 - passed on
    """Serve the paths of the core API, and let the handler answer all else."""

    async def discovery(_: web.Request) -> web.Response:
        entry = {"name": "configmaps", "kind": "ConfigMap", "namespaced": True}
        return web.json_response({"resources": [{"name": 3}, "x", entry]})

    application = web.Application()
    application.router.add_get("/api/v1", discovery)
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with plain(f"http://127.0.0.1:{runner.addresses[0][1]}", **how) as cluster:
            yield cluster
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, '{"message": "no"}', Invalid),
        (401, "", Forbidden),
        (403, '{"message": "trials is forbidden: User \\"me\\" cannot get"}', Forbidden),
        (404, "404 page not found", NotFound),
        (405, "[]", Invalid),
        (409, '{"reason": "Conflict"}', Conflict),
        (410, '{"reason": "Expired"}', Gone),
        (413, "", Invalid),
        (422, '{"message": null}', Invalid),
        (429, '{"message": "slow down"}', Unavailable),
        (500, "<html>proxy</html>", Unavailable),
        (503, "\xff", Unavailable),
        (200, "<html>a login page</html>", Unavailable),
        (200, "[]", Unavailable),
        (200, "[" * 100_000, Unavailable),
    ],
)
async def test_each_answer_says_who_must_act(
    status: int, body: str, error: type[TrialwatchError]
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body.encode("latin-1"))

    async with answering(answer) as cluster:
        with pytest.raises(error) as caught:
            await cluster.get(ref())

    assert type(caught.value) is error
    assert str(caught.value).startswith("get ConfigMap team/settings (v1): ")
    assert len(str(caught.value)) < 700


async def test_a_server_that_does_not_answer_in_time_is_unavailable() -> None:
    waiting = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        await waiting.wait()
        return web.Response()

    async with answering(answer, answer_seconds=0.05) as cluster:
        with pytest.raises(Unavailable, match="did not answer in time"):
            await cluster.get(ref())
        waiting.set()


async def test_an_answer_that_is_cut_off_is_unavailable() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"kind": "Confi')
        assert request.transport is not None
        request.transport.abort()
        return response

    async with answering(answer) as cluster:
        with pytest.raises(Unavailable):
            await cluster.get(ref())


def event(name: str, what: str = "ADDED", **fields: Any) -> bytes:  # noqa: ANN401 - of the object
    document = {**config_map(name), **fields}
    return json.dumps({"type": what, "object": document}).encode() + b"\n"


async def watched(*pieces: bytes, cut: bool = False) -> list[str]:
    """Send pieces as a watch, and return what was heard; the error that ended it as its name."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0)
        if cut and request.transport is not None:
            request.transport.abort()
        return response

    found: list[str] = []
    async with answering(answer) as cluster:
        try:
            async for change in cluster.watch(Scope(CONFIG_MAP), since="1"):
                found.append(_shown(change))  # noqa: PERF401 - what came before an error counts
        except TrialwatchError as error:
            found.append(type(error).__name__)
    return found


def _shown(change: Change) -> str:
    document: Any = change.document
    return f"{change.type} {document['metadata']['name']}"


async def test_a_change_may_come_in_any_pieces() -> None:
    line = event("one")

    changes = await watched(*(line[i : i + 1] for i in range(len(line))), line + line[:7], line[7:])

    assert changes == ["ADDED one"] * 3


async def test_a_change_may_be_as_long_as_an_object_can_be() -> None:
    assert await watched(event("one", data={"x": "y" * 3_000_000})) == ["ADDED one"]


async def test_a_watch_that_breaks_is_unavailable_and_one_that_ends_is_not() -> None:
    assert await watched(event("one")) == ["ADDED one"]
    assert await watched(event("one"), cut=True) == ["ADDED one", "Unavailable"]


async def test_half_a_change_is_none() -> None:
    assert await watched(event("one") + event("two")[:-20]) == ["ADDED one"]


@pytest.mark.parametrize(
    ("piece", "name"),
    [
        (b'{"type": "ERROR", "object": {"code": 410, "reason": "Expired"}}\n', "Gone"),
        (b'{"type": "ERROR", "object": {"code": 500, "message": "etcd"}}\n', "Unavailable"),
        (b'{"type": "ERROR", "object": {}}\n', "Unavailable"),
        (b'{"type": "ADDED", "object": 3}\n', "Unavailable"),
        (b'{"type": "SOLD", "object": {}}\n', "Unavailable"),
        (b"nonsense\n", "Unavailable"),
        (b"\n", "Unavailable"),
    ],
)
async def test_what_is_no_change_ends_the_watch_with_an_error(piece: bytes, name: str) -> None:
    assert await watched(event("one"), piece, event("two")) == ["ADDED one", name]


async def test_a_server_that_falls_silent_is_given_up() -> None:
    silent = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await silent.wait()
        return response

    async with answering(answer, watch_seconds=0, slack_seconds=0.05) as cluster:
        with pytest.raises(Unavailable):
            await heard(cluster.watch(Scope(CONFIG_MAP), since="1"), 1)
        silent.set()


async def test_the_end_of_a_watch_closes_its_connection(
    cluster: Cluster, server: ApiServer
) -> None:
    start = (await cluster.list(Scope(CONFIG_MAP))).version
    await cluster.create(config_map())

    assert await heard(cluster.watch(Scope(CONFIG_MAP), since=start), 1)
    assert server.asked["watch ConfigMap"] == 1


async def test_an_object_without_a_version_in_its_kind_is_no_path(cluster: Cluster) -> None:
    with pytest.raises(UnknownKind):
        await cluster.get(Ref(api_version="v1?x=1", kind="ConfigMap", namespace="team", name="a"))
