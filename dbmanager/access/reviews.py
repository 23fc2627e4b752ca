"""Asks the API server about users: a TokenReview, then a SubjectAccessReview."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from api.documents import mapping_at
from api.errors import SetupError, Unavailable
from api.types import JsonObject
from kube.access import REVIEW, Access, decision_of, requester_of, review_of
from serving.tokens.https import HttpsClient

_MOST_BYTES: Final = 1024 * 1024
_TOKENS: Final = "authentication.k8s.io/v1"

Post = Callable[[str, JsonObject], Awaitable[JsonObject]]
"""Creates an object below a path of the API server; returns the answer, or raises `Unavailable`."""


class ReviewedPeople:
    """`dbmanager.access.people.People` by reviews of the API server."""

    def __init__(self, post: Post) -> None:
        self._post = post

    async def may_read(self, token: str, namespace: str) -> bool:
        """Return whether the owner of a token may `get trials` in a namespace.

        Raises:
            Unavailable: no answer in time, or this program may not ask.
        """
        answer = await self._post(
            f"/apis/{_TOKENS}/tokenreviews",
            {"apiVersion": _TOKENS, "kind": "TokenReview", "spec": {"token": token}},
        )
        status = mapping_at(answer, "status")
        user = requester_of(status.get("user"))
        if status.get("authenticated") is not True or not user.name:
            return False
        access = Access(
            requester=user,
            verb="get",
            group="kubeflow.org",
            version="v1beta1",
            resource="trials",
            namespace=namespace,
        )
        path = f"/apis/{REVIEW.api_version}/{REVIEW.plural}"
        return decision_of(await self._post(path, review_of(access))).allowed


def posting_to(server: str, *, ca: Path | None, token: Path | None) -> Post:
    """Return the function that creates reviews on an API server.

    Args:
        server: its `https://` URL, without a path.
        ca: the authorities of its certificate.
        token: the file of this program's token.

    Raises:
        SetupError: the URL has another scheme, or the authorities cannot be read.
    """
    if not server.startswith("https://"):
        raise SetupError(
            f"--auth-users: {server} is not an https URL; users' tokens are sent to it"
        )
    client = HttpsClient(ca, token, most_bytes=_MOST_BYTES)

    async def post(path: str, document: JsonObject) -> JsonObject:
        body, url = json.dumps(document).encode(), f"{server.rstrip('/')}{path}"
        text = await asyncio.to_thread(client.send, url, "application/json", body)
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise Unavailable(f"{url} did not answer with a JSON object")
        return answer

    return post
