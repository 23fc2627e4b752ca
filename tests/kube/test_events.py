"""Events: said on the right object, and not too often."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from kube.cluster import Kind, Ref, Scope
from kube.events import AGAIN_SECONDS, Event, EventRecorder, EventSource
from kube.testing.memory import MemoryCluster
from tests.polling import beside

ME = EventSource(component="me")
EVENT = Kind(api_version="v1", kind="Event")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Counted(list[str]):
    def __call__(self, outcome: str) -> None:
        self.append(outcome)


@pytest.fixture
def memory() -> MemoryCluster:
    return MemoryCluster(namespaces=("team",))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
async def events(
    memory: MemoryCluster, clock: Clock, counted: Counted
) -> AsyncIterator[EventRecorder]:
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)
    events = EventRecorder(memory, ME, counted=counted, clock=clock, now=lambda: moment)
    async with beside(events.run()):
        yield events


def word(name: str = "mnist-1", message: str = "rename it") -> Event:
    about = Ref(api_version="kubeflow.org/v1beta1", kind="Trial", namespace="team", name=name)
    return Event(about=about, uid=f"uid-of-{name}", reason="PodRefused", message=message)


async def posted(memory: MemoryCluster) -> list[Any]:
    return list((await memory.list(Scope(EVENT))).items)


async def test_an_event_says_what_kubectl_describe_shows(
    memory: MemoryCluster, events: EventRecorder
) -> None:
    events.record(word())
    await events.drain(10)

    (event,) = await posted(memory)
    assert event["involvedObject"] == {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Trial",
        "namespace": "team",
        "name": "mnist-1",
        "uid": "uid-of-mnist-1",
    }
    assert (event["type"], event["reason"], event["count"]) == ("Warning", "PodRefused", 1)
    assert event["source"] == {"component": "me"}
    assert event["firstTimestamp"] == event["lastTimestamp"] == "2026-01-31T12:00:00Z"
    assert event["message"] == "rename it"


async def test_a_job_that_tries_again_and_again_gets_an_event_once_in_a_while(
    memory: MemoryCluster, events: EventRecorder, clock: Clock, counted: Counted
) -> None:
    for _ in range(5):
        events.record(word())
        await events.drain(10)
    assert [event["count"] for event in await posted(memory)] == [1]

    clock.now += AGAIN_SECONDS
    events.record(word())
    await events.drain(10)

    assert [event["count"] for event in await posted(memory)] == [6]
    assert counted == ["posted", *["throttled"] * 4, "posted"]


async def test_each_reason_and_each_object_gets_its_own_event(
    memory: MemoryCluster, events: EventRecorder
) -> None:
    for one in (word(), word(message="other"), word("mnist-2")):
        events.record(one)
    await events.drain(10)

    assert len(await posted(memory)) == 3


async def test_replicas_say_the_same_in_one_event(
    memory: MemoryCluster, events: EventRecorder
) -> None:
    other = EventRecorder(memory, ME, counted=Counted(), clock=Clock())
    async with beside(other.run()):
        for one in (events, other):
            one.record(word())
            await one.drain(10)

    assert len(await posted(memory)) == 1


async def test_a_flood_is_held_to_a_rate(
    memory: MemoryCluster, events: EventRecorder, clock: Clock, counted: Counted
) -> None:
    for number in range(200):
        events.record(word(f"mnist-{number}"))
    await events.drain(10)
    assert len(await posted(memory)) == ME.burst

    clock.now += 3
    for number in range(200, 400):
        events.record(word(f"mnist-{number}"))
    await events.drain(10)

    assert len(await posted(memory)) == ME.burst + 3 * ME.per_second
    assert counted.count("throttled") == 400 - ME.burst - 3 * ME.per_second


async def test_a_throttled_event_is_posted_when_the_limit_allows_it(
    memory: MemoryCluster, events: EventRecorder, clock: Clock
) -> None:
    for number in range(int(ME.burst) + 1):
        events.record(word(f"mnist-{number}"))
    clock.now += 1
    events.record(word(f"mnist-{int(ME.burst)}"))
    await events.drain(10)

    assert [e["count"] for e in await posted(memory) if "-20." in e["metadata"]["name"]] == [2]


async def test_an_event_that_cannot_be_posted_costs_nothing_but_itself(
    memory: MemoryCluster, events: EventRecorder, counted: Counted
) -> None:
    lost = Ref(api_version="batch/v1", kind="Job", namespace="gone", name="j")
    events.record(Event(about=lost, uid="u", reason="PodRefused", message="m"))
    events.record(word())
    await events.drain(10)

    assert counted == ["failed", "posted"]
    assert len(await posted(memory)) == 1


def test_a_message_is_as_long_as_an_event_can_be() -> None:
    assert len(word(message="x" * 5000).posted_message) == 1024


async def test_events_wait_in_bounded_room(memory: MemoryCluster) -> None:
    """Nobody posts them here."""
    clock, counted = Clock(), Counted()
    events = EventRecorder(memory, ME, counted=counted, clock=clock)
    for number in range(300):
        clock.now += 1
        events.record(word(f"mnist-{number}"))

    assert counted.count("throttled") == 200
