"""Looks up images in tests: one session, and the pod's secrets from a dict."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest

from api.types import JsonObject
from kube.testing.memory import MemoryCluster
from webhook.model.images import ImageCommand
from webhook.model.lookups import ImageLookup, ImageUnknown
from webhook.registry.lookups import RegistryLookups, open_session

Secrets = Mapping[str, JsonObject]
NAMESPACE = "team"


@asynccontextmanager
async def images(
    secrets: Secrets | None = None,
    *,
    clock: Callable[[], float] | None = None,
    connector: aiohttp.BaseConnector | None = None,
) -> AsyncIterator[RegistryLookups]:
    cluster = await cluster_with(secrets or {})
    async with (
        open_session(connector) as session,
        RegistryLookups(session, cluster, clock=clock) as asking,
    ):
        yield asking


async def cluster_with(secrets: Secrets) -> MemoryCluster:
    """Return a cluster with these secrets in the pod's namespace."""
    cluster = MemoryCluster(namespaces=(NAMESPACE, "theirs"))
    for name, secret in secrets.items():
        head = {"apiVersion": "v1", "kind": "Secret"}
        metadata: JsonObject = {"namespace": NAMESPACE, "name": name}
        await cluster.create({**head, **secret, "metadata": metadata})
    return cluster


async def command_of(
    asking: RegistryLookups,
    image: str,
    *secrets: str,
    architecture: str = "",
    seconds: float = 60.0,
) -> ImageCommand | ImageUnknown:
    wanted = ImageLookup(
        image=image, namespace=NAMESPACE, pull_secrets=secrets, architecture=architecture
    )
    return await asking.command_of(wanted, asyncio.get_running_loop().time() + seconds)


async def asked(
    image: str, secrets: Secrets | None = None, *, architecture: str = ""
) -> ImageCommand | ImageUnknown:
    """Look up once, with all these secrets in the pod."""
    async with images(secrets) as asking:
        return await command_of(asking, image, *(secrets or {}), architecture=architecture)


def logged_causes(caplog: pytest.LogCaptureFixture) -> str:
    """Return the causes in the log, which only the operator reads."""
    fields = [getattr(record, "fields", {}) for record in caplog.records]
    return "\n".join(str(part["cause"]) for part in fields if "cause" in part)
