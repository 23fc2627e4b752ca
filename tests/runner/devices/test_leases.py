"""Pods and their devices: they wait, they see only their own, they give them back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from api.errors import UserError
from runner.devices.leases import DeviceLeases
from runner.pods.pod_spec import Pod, read_pod
from tests.polling import eventually
from tests.runner.devices.machines import gpus
from tests.runner.local_pods import container, pod

GPU = {"limits": {"nvidia.com/gpu": 1}}


def needing(name: str, *resources: dict[str, Any], **spec: Any) -> Pod:  # noqa: ANN401 - JSON
    containers = (container("true", name=f"c{i}", resources=one) for i, one in enumerate(resources))
    return read_pod(pod(*containers, name=name, **spec))


def seen(one: Pod | None) -> list[str | None]:
    """Return what each container sees."""
    assert one is not None
    every = (*one.init_containers, *one.containers)
    variables = [{v.name: v.value for v in container.env} for container in every]
    return [found.get("CUDA_VISIBLE_DEVICES") for found in variables]


async def test_pods_wait_for_a_free_gpu_in_their_turn() -> None:
    leases, never = DeviceLeases(gpus("2", "3")), asyncio.Event()
    first, second = [await leases.acquire(needing(name, GPU), never) for name in ("a", "b")]
    third = asyncio.create_task(leases.acquire(needing("c", GPU), never))
    await eventually(lambda: leases.waits_for("c") != "")

    assert (seen(first), seen(second)) == (["2"], ["3"])
    assert leases.waits_for("c") == "waiting for a GPU"
    assert leases.waits_for("a") == ""
    leases.release("b")
    assert seen(await third) == ["3"]
    assert leases.waits_for("c") == ""


async def test_a_pod_that_is_ended_while_it_waits_takes_nothing() -> None:
    leases, stop = DeviceLeases(gpus("0")), asyncio.Event()
    await leases.acquire(needing("a", GPU), stop)
    stop.set()

    assert await leases.acquire(needing("b", GPU), stop) is None
    leases.release("b")
    leases.release("a")
    assert (leases.allocation.held, leases.allocation.waiting) == ({}, {})


async def test_each_container_of_a_pod_has_its_own_devices() -> None:
    inits = [container("true", name="prepare", resources=GPU)]
    leases = DeviceLeases(gpus("0", "1", "2"))
    two = {"limits": {"nvidia.com/gpu": 2}}
    one = await leases.acquire(needing("a", GPU, two, {}, initContainers=inits), asyncio.Event())

    assert seen(one) == ["0", "0", "1,2", None]


async def test_the_variable_of_the_pod_itself_does_not_reach_other_gpus() -> None:
    own = {"name": "CUDA_VISIBLE_DEVICES", "value": "0,1"}
    document = pod(container("true", resources=GPU, env=[own]), name="a")
    one = await DeviceLeases(gpus("1")).acquire(read_pod(document), asyncio.Event())

    assert seen(one) == ["1"]


async def test_a_trial_without_gpus_sees_none_if_it_needed_some() -> None:
    leases = DeviceLeases(gpus(without=True))

    assert seen(await leases.acquire(needing("a", GPU), asyncio.Event())) == [""]
    assert seen(await leases.acquire(needing("b", {}), asyncio.Event())) == [None]


async def test_pinned_containers_have_cpus_of_their_own() -> None:
    leases = DeviceLeases(gpus(), pin=True)
    a = await leases.acquire(
        needing("a", {"requests": {"cpu": "1500m"}}, {"limits": {"cpu": 1}}), asyncio.Event()
    )
    never = asyncio.Event()
    waits = asyncio.create_task(leases.acquire(needing("b", {"limits": {"cpu": 2}}), never))
    await eventually(lambda: leases.waits_for("b") != "")

    assert a is not None
    assert [one.affinity for one in a.containers] == [(0, 1), (2,)]
    assert leases.waits_for("b") == "waiting for 2 CPUs"
    never.set()
    assert await waits is None


async def test_a_number_that_is_known_too_late_is_refused_with_a_remedy() -> None:
    with pytest.raises(UserError, match="the trial needs 3 GPUs, and this machine has 1 GPU: "):
        await DeviceLeases(gpus("0")).acquire(needing("a", GPU, GPU, GPU), asyncio.Event())
