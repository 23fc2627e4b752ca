"""A cluster in memory behind the API server's HTTP, for the official client or curl.

For tests and measurements: `asked` counts the requests by verb and kind. It has no users; if a
`token` is given, every request needs it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import yaml
from aiohttp import web

from api.errors import Fault, TrialwatchError
from api.types import JsonObject
from kube.access import REVIEW, access_of
from kube.cluster import Listing, Propagation, Ref, Scope, ref_of
from kube.errors import AlreadyExists, Gone, Invalid, NotFound
from kube.testing.error_responses import (
    error_response,
    faults_response,
    status_document,
    unauthorized,
)
from kube.testing.memory import MemoryCluster
from kube.testing.request_paths import Target, labels_in, name_in, split_path, target_of, verb_of

_LARGEST: Final = 3 * 1024 * 1024
"""Bytes of a body; the API server's own limit."""
_MERGE: Final = "application/merge-patch+json"


Admission = Callable[[JsonObject], tuple[Sequence[Fault], Sequence[str]]]


class ApiServer:
    """The HTTP server; `served` runs one."""

    def __init__(self, cluster: MemoryCluster, *, token: str = "") -> None:
        self.cluster, self.url = cluster, ""
        self.asked: Counter[str] = Counter()
        """The number of requests of each form: `get Job`, `list Trial`, `discover batch/v1`, …"""
        self.admission: Admission = lambda _document: ((), ())
        """Returns the faults and warnings of an object that a dry run would store."""
        self._token = token
        self._pages: dict[str, tuple[Listing, int]] = {}
        self._page_names = itertools.count(1)
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> None:
        """Listen on a port of this machine; 0 takes a free port."""
        application = web.Application(client_max_size=_LARGEST)
        application.router.add_route("*", "/{path:.*}", self.answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """End all watches and connections, and stop listening."""
        self.cluster.end_watches()
        self.cluster.printed.hang_up()
        if self._runner is not None:
            await self._runner.cleanup()

    def forget_pages(self) -> None:
        """Forget the unread pages of lists: a request for them is Gone."""
        self._pages.clear()

    def write_kubeconfig(self, path: Path, namespace: str = "") -> Path:
        """Write a kubeconfig for this server, and return its path; `namespace` is its context's."""
        user = {"token": self._token} if self._token else {}
        context = {"cluster": "here", "user": "me"}
        if namespace:
            context["namespace"] = namespace
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "clusters": [{"name": "here", "cluster": {"server": self.url}}],
            "users": [{"name": "me", "user": user}],
            "contexts": [{"name": "here", "context": context}],
        }
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return path

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer any request."""
        try:
            if self._token and request.headers.get("Authorization") != f"Bearer {self._token}":
                return unauthorized()
            return await self._answer(request)
        except TrialwatchError as error:
            return error_response(error)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        version, steps = split_path(request.path)
        if not steps:
            self.asked[f"discover {version}"] += 1
            return web.json_response(self._resources(version))
        if (version, steps) == (REVIEW.api_version, [REVIEW.plural]):
            self.asked[f"create {REVIEW.kind}"] += 1
            return await self._decide(request)
        target = target_of(self.cluster.resources.values(), version, steps)
        verb = verb_of(request.method, request.query, target)
        self.asked[f"{verb} {target.resource.kind}"] += 1
        if verb == "watch":
            return await self._watch(request, target)
        if verb == "log":
            return await self._log(request, target)
        if request.query.get("dryRun") == "All" and verb in ("create", "replace"):
            return await self._dry_run(verb, target, request)
        return await self._once(verb, target, request)

    async def _dry_run(self, verb: str, target: Target, request: web.Request) -> web.Response:
        """Check an object as its admission would, and store nothing."""
        document = await _body(request, target)
        ref = ref_of(document)
        await self.cluster.get(Ref(api_version="v1", kind="Namespace", name=ref.namespace))
        stored = (await self.cluster.list(Scope(ref.of, ref.namespace, name=ref.name))).items
        if verb == "create" and stored:
            raise AlreadyExists(f"create {ref}: it exists already; read it")
        faults, warnings = self.admission(document)
        answer = faults_response(faults) if faults else web.json_response(document)
        for text in warnings:
            answer.headers.add("Warning", f"299 - {json.dumps(text)}")
        return answer

    async def _decide(self, request: web.Request) -> web.Response:
        review = await _json(request)
        decision = await self.cluster.decide(access_of(review))
        status = {"allowed": decision.allowed, "reason": decision.reason}
        return web.json_response({**review, "status": status}, status=HTTPStatus.CREATED)

    async def _once(self, verb: str, target: Target, request: web.Request) -> web.Response:
        match verb:
            case "get":
                answer: JsonObject = await self.cluster.get(target.ref)
            case "list":
                answer = await self._list(target, request.query)
            case "create":
                answer = await self.cluster.create(await _body(request, target))
                return web.json_response(answer, status=HTTPStatus.CREATED)
            case "replace":
                document = await _body(request, target)
                answer = await self.cluster.replace(document, status=target.status)
            case "patch":
                answer = await self._patch(target, request)
            case _:
                answer = await self._delete(target, request)
        return web.json_response(answer)

    async def _list(self, target: Target, query: Mapping[str, str]) -> JsonObject:
        """Return a page of a list, which shows the moment of its first page."""
        rest = query.get("continue", "")
        if rest and rest not in self._pages:
            raise Gone("the remaining pages are forgotten; list again")
        listing, start = self._pages.pop(rest) if rest else (await self._listing(target, query), 0)
        end = start + (int(query.get("limit", "0")) or len(listing.items))
        metadata = {"resourceVersion": listing.version}
        if end < len(listing.items):
            metadata["continue"] = str(next(self._page_names))
            self._pages[metadata["continue"]] = (listing, end)
        kind = target.resource.of
        return {
            "apiVersion": kind.api_version,
            "kind": f"{kind.kind}List",
            "metadata": metadata,
            "items": [_unnamed(item) for item in listing.items[start:end]],
        }

    async def _listing(self, target: Target, query: Mapping[str, str]) -> Listing:
        return await self.cluster.list(_scope(target, query))

    async def _patch(self, target: Target, request: web.Request) -> JsonObject:
        patch = await _json(request)
        if isinstance(patch, dict) != (request.content_type == _MERGE):
            raise Invalid(f"the body does not match the patch type {request.content_type}")
        return await self.cluster.patch(target.ref, patch, status=target.status)

    async def _delete(self, target: Target, request: web.Request) -> JsonObject:
        options = await _json(request) if request.can_read_body else {}
        await self.cluster.delete(
            target.ref,
            uid=options.get("preconditions", {}).get("uid", ""),
            propagation=Propagation(options.get("propagationPolicy", "Background")),
        )
        return {"apiVersion": "v1", "kind": "Status", "status": "Success"}

    async def _watch(self, request: web.Request, target: Target) -> web.StreamResponse:
        query = request.query
        since = query.get("resourceVersion", "")
        changes = self.cluster.watch(_scope(target, query), since=since)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        # The client may leave at any moment; the watch ends after the time that the client sent.
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(float(query.get("timeoutSeconds", "300"))):
                async with aclosing(changes):
                    await _send_changes(changes, response)
        return response

    async def _log(self, request: web.Request, target: Target) -> web.StreamResponse:
        query = request.query
        pieces = self.cluster.pod_log(
            target.ref,
            query.get("container", ""),
            follow=query.get("follow") == "true",
            previous=query.get("previous") == "true",
        )
        async with aclosing(pieces):
            first = await anext(pieces, b"")  # an error is raised here, before the answer starts
            response = web.StreamResponse(headers={"Content-Type": "text/plain"})
            await response.prepare(request)
            with suppress(ConnectionError):
                await response.write(first)
                async for piece in pieces:
                    await response.write(piece)
        return response

    def _resources(self, version: str) -> JsonObject:
        served = [it for it in self.cluster.resources.values() if it.api_version == version]
        if not served:
            raise NotFound("the server could not find the requested resource")
        listed: list[JsonObject] = [
            {"name": f"{it.plural}{part}", "kind": it.kind, "namespaced": it.namespaced}
            for it in served
            for part in (["/status", ""] if it.status else [""])
        ]
        return {"kind": "APIResourceList", "groupVersion": version, "resources": listed}


@asynccontextmanager
async def served(cluster: MemoryCluster, *, token: str = "") -> AsyncIterator[ApiServer]:
    """Serve a cluster on a free port of this machine."""
    server = ApiServer(cluster, token=token)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def _send_changes(changes: Any, response: web.StreamResponse) -> None:  # noqa: ANN401 - a watch
    try:
        async for change in changes:
            event = {"type": change.type.value, "object": change.document}
            await response.write(json.dumps(event).encode() + b"\n")
    except TrialwatchError as error:
        event = {"type": "ERROR", "object": status_document(error)}
        await response.write(json.dumps(event).encode() + b"\n")


def _scope(target: Target, query: Mapping[str, str]) -> Scope:
    kind, namespace = target.resource.of, target.namespace
    return Scope(kind, namespace, name=name_in(query), labels=labels_in(query))


async def _body(request: web.Request, target: Target) -> JsonObject:
    document = await _json(request)
    if not isinstance(document, dict) or document.get("kind") != target.resource.kind:
        raise Invalid(f"the body is not a {target.resource.kind}")
    return document


async def _json(request: web.Request) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(await request.read())
    except (ValueError, RecursionError):
        raise Invalid("the body is not JSON") from None


def _unnamed(item: JsonObject) -> JsonObject:
    """Remove what the API's own lists leave out."""
    return {key: value for key, value in item.items() if key not in {"apiVersion", "kind"}}
