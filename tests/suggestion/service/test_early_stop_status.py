"""Trials are marked as stopped early in a cluster in memory, directly and over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.errors import SetupError, Unavailable, UserError
from api.types import JsonObject
from kube.cluster import Patch, Ref
from kube.testing.apiserver import served
from kube.testing.memory import MemoryCluster
from suggestion.service.early_stop_status import EarlyStopStatus, mark_early_stopped

REF = Ref(api_version="kubeflow.org/v1beta1", kind="Trial", namespace="ns", name="t-1")
RUNNING = {"type": "Running", "status": "True", "reason": "TrialRunning"}
STOPPED = {
    "type": "EarlyStopped",
    "status": "True",
    "reason": "TrialEarlyStopped",
    "message": "Trial is early stopped",
    "lastUpdateTime": "2026-01-31T12:30:00Z",
    "lastTransitionTime": "2026-01-31T12:30:00Z",
}


def now() -> datetime:
    return datetime(2026, 1, 31, 12, 30, tzinfo=UTC)


class BusyCluster(MemoryCluster):
    """A cluster with one trial, whose status another writer changes before each write."""

    def __init__(self) -> None:
        super().__init__(namespaces=("ns",))
        self.meddling = self.patches = 0

    async def patch(self, ref: Ref, patch: Patch, *, status: bool = False) -> JsonObject:
        self.patches += 1
        if self.meddling:
            self.meddling -= 1
            other = {"status": {"startTime": f"2026-01-31T12:00:{self.patches:02}Z"}}
            await super().patch(ref, other, status=True)
        return await super().patch(ref, patch, status=status)

    async def status(self) -> Any:  # noqa: ANN401 - any JSON
        return (await self.get(REF)).get("status")


async def cluster_with(*conditions: dict[str, str]) -> BusyCluster:
    cluster = BusyCluster()
    head: dict[str, Any] = {"apiVersion": REF.api_version, "kind": REF.kind}
    await cluster.create({**head, "metadata": {"name": REF.name, "namespace": REF.namespace}})
    status: dict[str, Any] = {"conditions": conditions, "startTime": "2026-01-31T12:00:00Z"}
    await MemoryCluster.patch(cluster, REF, {"status": status}, status=True)
    return cluster


async def test_the_condition_comes_last_and_the_rest_stays() -> None:
    cluster = await cluster_with(RUNNING)

    await mark_early_stopped(cluster, REF, now)

    assert await cluster.status() == {
        "conditions": [RUNNING, STOPPED],
        "startTime": "2026-01-31T12:00:00Z",
    }


@pytest.mark.parametrize(
    "end", ["EarlyStopped", "Succeeded", "Failed", "Killed", "MetricsUnavailable"]
)
async def test_a_trial_that_has_ended_keeps_its_end(end: str) -> None:
    ended = {"type": end, "status": "True", "reason": f"Trial{end}"}
    cluster = await cluster_with(RUNNING, ended)

    await mark_early_stopped(cluster, REF, now)

    assert (await cluster.status())["conditions"] == [RUNNING, ended]
    assert cluster.patches == 0


@pytest.mark.parametrize("kind", ["Failed", "EarlyStopped"])
async def test_a_trial_whose_end_is_no_longer_true_is_marked(kind: str) -> None:
    cluster = await cluster_with({"type": kind, "status": "False", "reason": "Reconsidered"})

    await mark_early_stopped(cluster, REF, now)

    conditions = (await cluster.status())["conditions"]
    assert conditions[-1] == STOPPED
    assert [one["type"] for one in conditions].count("EarlyStopped") == 1


async def test_a_trial_without_a_status_is_marked() -> None:
    cluster = await cluster_with()
    await MemoryCluster.patch(cluster, REF, {"status": None}, status=True)

    await mark_early_stopped(cluster, REF, now)

    assert (await cluster.status())["conditions"] == [STOPPED]


async def test_after_a_conflict_with_the_controller_the_trial_is_read_again() -> None:
    cluster = await cluster_with(RUNNING)
    cluster.meddling = 2

    await mark_early_stopped(cluster, REF, now)

    assert await cluster.status() == {
        "conditions": [RUNNING, STOPPED],
        "startTime": "2026-01-31T12:00:02Z",
    }


async def test_after_too_many_conflicts_it_gives_up() -> None:
    cluster = await cluster_with(RUNNING)
    cluster.meddling = 1000

    with pytest.raises(Unavailable, match="other writers changed trial ns/t-1 at each of 5"):
        await mark_early_stopped(cluster, REF, now)


async def test_a_trial_is_marked_in_the_callers_namespace(tmp_path: Path) -> None:
    cluster = await cluster_with(RUNNING)
    async with served(cluster) as api:
        status = EarlyStopStatus(api.write_kubeconfig(tmp_path / "kubeconfig"), "ns", now)
        with pytest.raises(UserError, match="trial_name: there is no trial elsewhere/t-1"):
            await status.mark("elsewhere", "t-1")
        assert cluster.patches == 0

        await status.mark("", "t-1")

    assert (await cluster.status())["conditions"] == [RUNNING, STOPPED]


async def test_if_the_cluster_forbids_the_write_the_error_names_the_missing_rights(
    tmp_path: Path,
) -> None:
    cluster = await cluster_with(RUNNING)
    async with served(cluster, token="sesame") as api:
        config = api.write_kubeconfig(tmp_path / "kubeconfig")
        config.write_text(config.read_text().replace("sesame", "guess"))
        with pytest.raises(SetupError, match=r"ns/t-1.*; allow get on trials and patch on"):
            await EarlyStopStatus(config, None, now).mark("ns", "t-1")


async def test_the_error_names_a_missing_kubeconfig() -> None:
    with pytest.raises(SetupError, match="t-1 as stopped early: --kubeconfig: cannot use /nowhere"):
        await EarlyStopStatus(Path("/nowhere/config"), None).mark("", "t-1")
