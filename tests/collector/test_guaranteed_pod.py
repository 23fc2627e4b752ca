"""The sidecar of a Guaranteed pod has 64 MiB: that is enough, also with TLS and tokens."""

from __future__ import annotations

import asyncio
from pathlib import Path

from api.installation.containers import Resources
from bench.filters import METRICS
from bench.logs import one_line_in_a_thousand, write_log
from dbmanager.store.contract import TrialKey
from tests.collector.pod_processes import Trial, terminate, trial
from tests.dbmanager.access.guarded_server import AUTHORITY, guarded, sidecar
from tests.dbmanager.test_hostile_clients import peak_memory
from webhook.pods.resources import resources_for

MIB = 1 << 20
LOG_MIB = 64
SUPERVISOR = 1 * MIB
"""The most that the static supervisor takes beside the worker."""


def limit() -> int:
    """Return the bytes that the webhook allows the sidecar of a Guaranteed pod."""
    limits = resources_for(Resources(), guaranteed=True)["limits"]
    assert isinstance(limits, dict)
    text = str(limits["memory"])
    assert text.endswith("Mi")
    return int(text[:-2]) * MIB


def collect(pod: Trial, log: Path, flags: tuple[str, ...]) -> int:
    """Train with this log, and return the collector's peak memory."""
    own = pod.folder / "own.log"
    collector = pod.collector("-m", ";".join(METRICS), "-path", str(own), *flags, source="file")
    trainer = pod.trainer(["cp", str(log), str(own)], "--file", str(own))
    assert trainer.wait(600) == 0, pod.log_text
    peak = peak_memory(collector.pid)
    assert terminate(collector) == 0, pod.log_text
    return peak


async def test_with_tls_and_tokens_a_large_log_fits_into_the_memory_of_a_guaranteed_pod(
    tmp_path: Path,
) -> None:
    log = write_log(tmp_path / "all.log", LOG_MIB * MIB, one_line_in_a_thousand)
    (tmp_path / "ca.crt").write_bytes(AUTHORITY.cert)
    (tmp_path / "token").write_text(sidecar()[1].removeprefix("Bearer "))
    flags = (f"--db-manager-ca={tmp_path}/ca.crt", f"--db-manager-token={tmp_path}/token")
    async with guarded() as server:
        with trial(tmp_path / "pod", server.tls.address, "trial-1") as pod:
            peak = await asyncio.to_thread(collect, pod, log, flags)

        key = TrialKey(namespace="team-a", trial="trial-1")
        stored = {one.metric: one.count for one in await server.store.summary(key)}
    # Measured: 52.8 MiB, also with 1 GiB, and 46 MiB without TLS and tokens.
    assert peak + SUPERVISOR < limit()
    assert stored["loss"] == stored["accuracy"] > 100
