"""How often the registry gets a request, and what is cached for which login."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from api.types import JsonObject
from kube.cluster import Ref
from kube.testing.memory import MemoryCluster
from tests.webhook.registry.fake_registry import StandIn, served
from tests.webhook.registry.image_documents import image
from tests.webhook.registry.image_lookups import command_of, images, logged_causes
from tests.webhook.registry.pull_secret_documents import docker_config
from webhook.model.images import ImageCommand
from webhook.model.lookups import ImageLookup, ImageUnknown
from webhook.registry.link_local import RefusingResolver
from webhook.registry.lookups import RegistryLookups, open_session

FIRST, SECOND = image(["first"]), image(["second"])
RUNS_FIRST = ImageCommand(entrypoint=("first",), cmd=("main.py",))
SILENT = ImageUnknown("the registry did not answer in time")
RUNS_SECOND = ImageCommand(entrypoint=("second",), cmd=("main.py",))


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Place:
    registry: StandIn
    name: str
    clock: Clock
    secrets: dict[str, JsonObject]
    asking: RegistryLookups


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    registry, clock = StandIn(), Clock()
    registry.put("7", FIRST)
    async with served(registry.answer) as port:
        domain = f"127.0.0.1:{port}"
        secrets = {name: docker_config({domain: (name, "1")}) for name in ("anna", "bert")}
        async with images(secrets, clock=clock) as asking:
            yield Place(registry, f"{domain}/trainer", clock, secrets, asking)


async def test_concurrent_look_ups_of_one_image_share_one_request(
    place: Place,
) -> None:
    place.registry.open.clear()
    asks = [asyncio.create_task(command_of(place.asking, f"{place.name}:7")) for _ in range(50)]
    await place.registry.arrived.wait()
    place.registry.open.set()

    assert await asyncio.gather(*asks) == [RUNS_FIRST] * 50
    assert place.registry.asked == ["GET manifests/7", f"GET blobs/{FIRST.config.digest}"]


async def test_a_tag_is_cached_for_a_minute_and_then_renewed_without_a_pull(
    place: Place,
) -> None:
    for now in (0.0, 59.9):
        place.clock.now = now
        assert await command_of(place.asking, f"{place.name}:7") == RUNS_FIRST
    assert len(place.registry.asked) == 2

    for now in (60.0, 119.9, 121.0):
        place.clock.now = now
        assert await command_of(place.asking, f"{place.name}:7") == RUNS_FIRST
    assert place.registry.asked[2:] == ["HEAD manifests/7"] * 2


async def test_a_moved_tag_is_noticed_after_a_minute(place: Place) -> None:
    assert await command_of(place.asking, f"{place.name}:7") == RUNS_FIRST
    place.registry.put("7", SECOND)
    assert await command_of(place.asking, f"{place.name}:7") == RUNS_FIRST

    place.clock.now = 60.0

    assert await command_of(place.asking, f"{place.name}:7") == RUNS_SECOND


async def test_a_digest_is_looked_up_once(place: Place) -> None:
    for now in (0.0, 1e6):
        place.clock.now = now
        name = f"{place.name}@{FIRST.manifest.digest}"
        assert await command_of(place.asking, name) == RUNS_FIRST
    assert place.registry.pulls == 1


async def test_a_second_tag_of_one_image_costs_no_second_blob(place: Place) -> None:
    place.registry.put("latest", FIRST)

    assert await command_of(place.asking, f"{place.name}:7") == RUNS_FIRST
    assert await command_of(place.asking, place.name) == RUNS_FIRST
    assert len(place.registry.asked) == 3


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_the_cached_command_is_used_while_the_registry_is_unavailable(
    place: Place, status: int
) -> None:
    assert await command_of(place.asking, f"{place.name}:7") == RUNS_FIRST
    place.clock.now = 60.0
    place.registry.status = status

    assert await command_of(place.asking, f"{place.name}:7") == RUNS_FIRST


async def test_the_cached_command_is_used_while_the_registry_does_not_answer(
    place: Place,
) -> None:
    assert await command_of(place.asking, f"{place.name}:7") == RUNS_FIRST
    place.clock.now = 60.0
    place.registry.open.clear()

    assert await command_of(place.asking, f"{place.name}:7", seconds=0.05) == RUNS_FIRST
    place.registry.open.set()


@pytest.mark.parametrize("status", [403, 404])
async def test_the_cached_command_is_not_used_if_the_registry_refuses(
    place: Place, status: int
) -> None:
    assert await command_of(place.asking, f"{place.name}:7") == RUNS_FIRST
    place.clock.now = 60.0
    place.registry.status = status

    assert isinstance(await command_of(place.asking, f"{place.name}:7"), ImageUnknown)


async def test_an_answer_for_one_login_is_not_used_for_another(place: Place) -> None:
    assert await command_of(place.asking, f"{place.name}:7", "anna") == RUNS_FIRST
    place.registry.status = 403

    for others in ((), ("bert",)):
        assert isinstance(await command_of(place.asking, f"{place.name}:7", *others), ImageUnknown)
    assert await command_of(place.asking, f"{place.name}:7", "anna") == RUNS_FIRST


async def test_a_request_is_retried_once_if_the_registry_is_unavailable(place: Place) -> None:
    place.registry.status = 503
    ask = asyncio.create_task(command_of(place.asking, f"{place.name}:7"))
    await place.registry.arrived.wait()
    place.registry.status = 200

    assert await ask == RUNS_FIRST


async def test_a_waiter_that_gives_up_does_not_cancel_the_request_of_the_others(
    place: Place,
) -> None:
    place.registry.open.clear()
    first = asyncio.create_task(command_of(place.asking, f"{place.name}:7"))
    await place.registry.arrived.wait()
    second = asyncio.create_task(command_of(place.asking, f"{place.name}:7"))
    hurried = await command_of(place.asking, f"{place.name}:7", seconds=0.01)
    first.cancel()
    place.registry.open.set()

    assert await second == RUNS_FIRST
    assert hurried == ImageUnknown("the registry did not answer in time")
    assert place.registry.pulls == 1


async def test_an_invalid_image_name_sends_no_request(place: Place) -> None:
    answer = await command_of(place.asking, f"{place.name}:no tag")

    assert isinstance(answer, ImageUnknown)
    assert "is not the name of an image" in answer.cause
    assert place.registry.asked == []


async def test_a_missing_registry_is_named_in_the_log_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with served(StandIn().answer) as port:
        pass
    async with images() as asking:
        answer = await command_of(asking, f"127.0.0.1:{port}/trainer")

    assert answer == SILENT
    assert "127.0.0.1 does not answer: " in logged_causes(caplog)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1]", "[::ffff:a9fe:a9fe]", "metadata.example"]
)
async def test_a_link_local_address_gets_no_request_and_no_other_answer(
    host: str, caplog: pytest.LogCaptureFixture
) -> None:
    connector = aiohttp.TCPConnector(resolver=RefusingResolver(EveryNameIsLinkLocal()))
    async with images(connector=connector) as asking:
        answer = await command_of(asking, f"{host}/trainer")

    assert answer == SILENT
    assert "is a link-local address, which is never a registry" in logged_causes(caplog)


class EveryNameIsLinkLocal(AbstractResolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host="169.254.169.254", port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        pass


class Silent(MemoryCluster):
    async def get(self, ref: Ref) -> JsonObject:
        await asyncio.Event().wait()
        return await super().get(ref)


async def test_slow_secrets_end_the_look_up(place: Place) -> None:
    async with open_session() as session, RegistryLookups(session, Silent()) as asking:
        answer = await command_of(asking, f"{place.name}:7", "anna", seconds=0.01)

    assert answer == ImageUnknown("reading the pod's imagePullSecrets took too long")


@pytest.mark.parametrize("moment", [-1.0, 0.0])
async def test_a_deadline_in_the_past_gets_an_answer(place: Place, moment: float) -> None:
    answer = await command_of(place.asking, f"{place.name}:7", seconds=moment)

    assert answer == ImageUnknown("the registry did not answer in time")


async def test_secrets_of_another_namespace_are_not_used(place: Place) -> None:
    place.registry.status = 403
    wanted = ImageLookup(image=f"{place.name}:7", namespace="theirs", pull_secrets=("anna",))

    answer = await place.asking.command_of(wanted, asyncio.get_running_loop().time() + 60)

    assert isinstance(answer, ImageUnknown)
    assert "no imagePullSecret of the pod has a login for it" in answer.cause
    assert "imagePullSecret anna: Secret theirs/anna (v1): does not exist" in answer.cause
