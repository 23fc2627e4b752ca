"""What the connections to an API server take from the environment."""

from __future__ import annotations

import pytest
from kubernetes.aio.client import Configuration

from kube.connections import Connections

_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def heeds_the_environment() -> bool:
    session = Connections(Configuration())._create_pool_manager()  # noqa: SLF001 - as the client does
    try:
        return bool(session.trust_env)
    finally:
        await session.close()


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY"])
async def test_a_proxy_that_the_environment_names_is_used(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "http://proxy.example:3128")
    assert await heeds_the_environment()


async def test_without_a_proxy_no_request_looks_for_one() -> None:
    assert not await heeds_the_environment()
