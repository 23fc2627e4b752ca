"""The API server as a `Cluster`, through the official client's credentials, TLS and connections.

The models of `kubernetes.aio` are not used: they would turn documents into objects and back, and
drop fields that they do not know.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Final

import aiohttp
from kubernetes.aio.client import Configuration

from api.documents import mapping_at
from api.types import Json, JsonObject
from kube.access import REVIEW, Access, Decision, decision_of, review_of
from kube.answers import change_of, items_of, next_page_of, warning_of
from kube.cluster import (
    Change,
    Kind,
    Listing,
    Patch,
    Propagation,
    Ref,
    Resource,
    Scope,
    ref_of,
    version_of,
)
from kube.connections import explained, lines_of
from kube.discovery import Discovery
from kube.errors import AlreadyExists, Gone, Invalid, NotFound, UnknownKind
from kube.paths import path_of
from kube.requests import JSON, Request, Requests
from kube.resources import KNOWN

WATCH_SECONDS: Final = 300
"""After this time the server ends a watch, and the caller starts the next one."""
_PAGE: Final = 500
"""Objects in a page of a list, so that neither side holds the JSON of the whole list."""
ANSWER_SECONDS: Final = 30.0
_CONNECT_SECONDS: Final = 10.0
SLACK_SECONDS: Final = 15.0
"""How much later than WATCH_SECONDS the server may end a watch."""
_MANAGER: Final = {"fieldManager": "trialwatch"}
_DRY_RUN: Final = {**_MANAGER, "dryRun": "All", "fieldValidation": "Strict"}
_WRITES: Final = frozenset({"POST", "PUT", "PATCH"})
_ANYTHING: Final = "application/json, */*"
"""A log is text; an error about it is JSON."""
_STATUS: Final = "status"
_MERGE: Final = "application/merge-patch+json"
_JSON_PATCH: Final = "application/json-patch+json"


class KubernetesCluster:
    """The port over HTTP. `kube.connect` makes one with credentials."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        clock: Callable[[], float] = time.monotonic,
        answer_seconds: float = ANSWER_SECONDS,
        watch_seconds: int = WATCH_SECONDS,
        slack_seconds: float = SLACK_SECONDS,
    ) -> None:
        """Make it.

        Args:
            configuration: of the official client.
            clock: seconds; never goes back.
            answer_seconds: a request without an answer within this time is Unavailable.
            watch_seconds: the duration of a watch, after which the server ends it.
            slack_seconds: how much later than that the server may end it.
        """
        self._requests = Requests(configuration)
        self._limit = aiohttp.ClientTimeout(total=answer_seconds, sock_connect=_CONNECT_SECONDS)
        self._watch_seconds = watch_seconds
        # A server that is silent for longer than a watch may last is gone.
        self._watch_limit = aiohttp.ClientTimeout(
            sock_connect=_CONNECT_SECONDS, sock_read=watch_seconds + slack_seconds
        )
        # A trainer may print nothing for hours; TCP keepalive detects a dead server.
        self._follow_limit = aiohttp.ClientTimeout(sock_connect=_CONNECT_SECONDS)
        self._log_limit = aiohttp.ClientTimeout(
            sock_connect=_CONNECT_SECONDS, sock_read=answer_seconds
        )
        self._discovery = Discovery(self._read, clock, KNOWN)

    async def get(self, ref: Ref) -> JsonObject:
        """Read an object."""
        return await self._call("GET", await self._path(ref), f"get {ref}")

    async def list(self, scope: Scope) -> Listing:
        """Read all objects of a scope."""
        try:
            return await self._listed(scope, _PAGE)
        except Gone:
            # The server forgot their moment before the last page was read: read all at once.
            return await self._listed(scope, 0)

    async def pages(self, scope: Scope) -> AsyncGenerator[Listing, None]:
        """Read all objects of a scope, page by page."""
        async with aclosing(self._pages(scope, _PAGE)) as pages:
            async for page in pages:
                yield page

    async def watch(self, scope: Scope, *, since: str) -> AsyncGenerator[Change, None]:
        """Follow the changes after a version."""
        query = {
            **_selection(scope),
            "watch": "true",
            "resourceVersion": since,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(self._watch_seconds),
        }
        request = Request(
            method="GET",
            path=await self._path_of_all(scope),
            about=f"watch {scope.kind}",
            query=query,
            limit=self._watch_limit,
        )
        async with (
            _unknown_kind(),
            self._requests.answer_to(request) as answer,
            explained(request.about),
            aclosing(lines_of(answer.content)) as lines,
        ):
            async for line in lines:
                yield change_of(line, request.about)

    async def pod_log(
        self, pod: Ref, container: str = "", *, follow: bool = False, previous: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """Read what a container printed."""
        wanted = {"container": container} if container else {}
        flags = {"follow": follow, "previous": previous}
        request = Request(
            method="GET",
            path=await self._path(pod, "log"),
            about=f"read the log of {pod}",
            query={**wanted, **{name: "true" for name, given in flags.items() if given}},
            accept=_ANYTHING,
            limit=self._follow_limit if follow else self._log_limit,
        )
        async with self._requests.answer_to(request) as answer, explained(request.about):
            async for piece in answer.content.iter_any():
                yield piece

    async def create(self, document: JsonObject) -> JsonObject:
        """Create an object."""
        ref = ref_of(document)
        resource = await self._discovery.resource_of(ref.of)
        if resource.namespaced and not ref.namespace:
            raise Invalid(f"create {ref}: metadata.namespace is missing; add it")
        return await self._call("POST", path_of(resource, ref.namespace), f"create {ref}", document)

    async def dry_run(self, document: JsonObject) -> tuple[str, ...]:
        """Let the server check an object as if it were created or replaced, and store nothing.

        All its admission webhooks take part. Return the warnings of the server.

        Raises:
            Invalid: the object would be refused; `causes` has its faults.
            NotFound: its namespace does not exist.
        """
        ref = ref_of(document)
        resource = await self._discovery.resource_of(ref.of)
        about = f"check {ref}"
        try:
            return await self._tried("POST", path_of(resource, ref.namespace), about, document)
        except AlreadyExists:
            metadata = mapping_at(document, "metadata")
            version = version_of(await self.get(ref))
            newer = {**document, "metadata": {**metadata, "resourceVersion": version}}
            return await self._tried("PUT", await self._path(ref), about, newer)

    async def _tried(
        self, method: str, path: str, about: str, document: JsonObject
    ) -> tuple[str, ...]:
        request = Request(
            method=method,
            path=path,
            about=about,
            query=_DRY_RUN,
            body=document,
            limit=self._limit,
        )
        async with self._requests.answer_to(request) as answer:
            return tuple(warning_of(text) for text in answer.headers.getall("Warning", ()))

    async def replace(self, document: JsonObject, *, status: bool = False) -> JsonObject:
        """Replace an object."""
        ref = ref_of(document)
        path = await self._path(ref, _STATUS if status else "")
        if not version_of(document):
            # Some kinds accept such a document, and it overwrites all later writes.
            raise Invalid(f"replace {ref}: metadata.resourceVersion is missing; read it first")
        return await self._call("PUT", path, f"replace {ref}", document)

    async def patch(self, ref: Ref, patch: Patch, *, status: bool = False) -> JsonObject:
        """Change an object."""
        form = _MERGE if isinstance(patch, Mapping) else _JSON_PATCH
        path = await self._path(ref, _STATUS if status else "")
        return await self._call("PATCH", path, f"patch {ref}", patch, form=form)

    async def delete(
        self, ref: Ref, *, uid: str = "", propagation: Propagation = Propagation.BACKGROUND
    ) -> None:
        """Delete an object."""
        body: JsonObject = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation.value,
            **({"preconditions": {"uid": uid}} if uid else {}),
        }
        await self._call("DELETE", await self._path(ref), f"delete {ref}", body)

    async def resource_of(self, kind: Kind) -> Resource:
        """Return the resource of a kind."""
        return await self._discovery.resource_of(kind)

    async def decide(self, access: Access) -> Decision:
        """Return whether a requester may do something."""
        about = f"ask whether {access.requester.name} may {access.verb} {access.resource}"
        return decision_of(await self._call("POST", path_of(REVIEW), about, review_of(access)))

    async def close(self) -> None:
        """Close all connections."""
        await self._requests.close()

    async def _path(self, ref: Ref, part: str = "") -> str:
        resource = await self._discovery.resource_of(ref.of)
        if not ref.name or (resource.namespaced and not ref.namespace):
            raise Invalid(f"{ref}: a name or a namespace is missing; add it")
        return path_of(resource, ref.namespace, ref.name, part)

    async def _path_of_all(self, scope: Scope) -> str:
        return path_of(await self._discovery.resource_of(scope.kind), scope.namespace)

    async def _read(self, path: str) -> JsonObject:
        return await self._call("GET", path, f"look for {path}")

    async def _listed(self, scope: Scope, size: int) -> Listing:
        pages = self._pages(scope, size)
        async with aclosing(pages):
            read = [page async for page in pages]
        items = tuple(item for page in read for item in page.items)
        return Listing(items=items, version=read[-1].version)

    async def _pages(self, scope: Scope, size: int) -> AsyncGenerator[Listing, None]:
        query = {**_selection(scope), **({"limit": str(size)} if size else {})}
        request = Request(
            method="GET",
            path=await self._path_of_all(scope),
            about=f"list {scope.kind}",
            query=query,
            limit=self._limit,
        )
        while True:
            async with _unknown_kind():
                document = await self._requests.send(request)
            yield Listing(items=items_of(document, scope.kind), version=version_of(document))
            token = next_page_of(document)
            if not token:
                return
            request = replace(request, query={**query, "continue": token})

    async def _call(
        self, method: str, path: str, about: str, body: Json = None, *, form: str = JSON
    ) -> JsonObject:
        query = _MANAGER if method in _WRITES else {}
        return await self._requests.send(
            Request(
                method=method,
                path=path,
                about=about,
                query=query,
                body=body,
                form=form,
                limit=self._limit,
            )
        )


@asynccontextmanager
async def _unknown_kind() -> AsyncIterator[None]:
    """Turn NotFound of a whole kind into UnknownKind."""
    try:
        yield
    except NotFound as error:
        raise UnknownKind(f"{error}; install what defines this kind") from None


def _selection(scope: Scope) -> Mapping[str, str]:
    query: dict[str, str] = {}
    if scope.name:
        query["fieldSelector"] = f"metadata.name={scope.name}"
    if scope.labels:
        query["labelSelector"] = ",".join(
            key if value is None else f"{key}={value}" for key, value in scope.labels.items()
        )
    return query
