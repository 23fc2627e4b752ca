"""`python -m tests.cluster.measure`: what the injection costs, on the node of `make cluster-up`.

All is compared inside one run: pods with the sidecar, and the same pods without. Clocks are this
machine's, so the cluster has to be this machine. Images and manifests must be there, as
`make test-cluster` leaves them while the node is up.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from api.names import COLLECTOR_CONTAINER
from tests.cluster.client import Cluster, Object, cluster_of, until
from tests.cluster.node import default_folder
from tests.cluster.observations import Observations
from tests.cluster.trials import Trials, job, running

ONE_BY_ONE = 10
MANY = 100
_WORDS = ("now", "start", "print", "loss=0.5", "sleep", "300", "now", "end")


def plain(made: Object) -> Object:
    """Return the same job without injection."""
    del made["spec"]["template"]["metadata"]["labels"]
    return made


def injected(made: Object) -> Object:
    """Return the job as it is."""
    return made


def one_by_one(trials: Trials, kind: Callable[[Object], Object]) -> dict[str, list[float]]:
    """Return for each of some jobs, one at a time, the seconds between its moments."""
    taken: dict[str, list[float]] = {"start": [], "row": [], "complete": []}
    with Observations(trials.cluster) as store:
        for number in range(ONE_BY_ONE):
            name = f"{kind.__name__}-{number}"
            made = kind(job(name, *_WORDS, metrics="end"))
            created = seen = time.time()
            trials.start(made)
            if kind is injected:
                until("the row", lambda name=name: store.rows(trials.namespace, name), pause=0.02)  # type: ignore[misc]
                seen = time.time()
            complete = _completion(trials, name)
            times = dict(line.split("=") for line in trials.log(trials.pod(name)).splitlines())
            start, end = float(times["start"]), float(times["end"])
            taken["start"].append(start - created)
            taken["complete"].append(complete - end)
            if kind is injected:
                taken["row"].append(seen - end)
    return taken


def all_at_once(trials: Trials, kind: Callable[[Object], Object]) -> float:
    """Return the seconds from the first job's creation to the last one's completion."""
    names = [f"many-{kind.__name__}-{number}" for number in range(MANY)]
    began = time.monotonic()
    for name in names:
        trials.start(kind(job(name, *_WORDS, metrics="end")))

    def all_over() -> bool:
        jobs = trials.cluster.listed("jobs", trials.namespace)
        mine = (one for one in jobs if one["metadata"]["name"] in set(names))
        return bool(sum(one["status"].get("succeeded", 0) for one in mine) == MANY)

    until("the end of all jobs", all_over, seconds=900)
    return time.monotonic() - began


def of_the_sidecar(trials: Trials) -> tuple[float, float]:
    """Return a sidecar's memory in MiB and its share of a core, as the kubelet reports them."""
    name = trials.start(job("steady", "count", "300", "100"))
    trials.pod_when(name, "start", running)
    time.sleep(25)  # the kubelet looks every ten seconds or so
    nodes = trials.cluster.request("GET", "/api/v1/nodes")["items"]
    path = f"/api/v1/nodes/{nodes[0]['metadata']['name']}/proxy/stats/summary"
    pods: Iterable[Object] = trials.cluster.request("GET", path)["pods"]
    for pod in pods:
        if pod["podRef"]["namespace"] == trials.namespace and name in pod["podRef"]["name"]:
            for container in pod["containers"]:
                if container["name"] == COLLECTOR_CONTAINER:
                    memory, cpu = container["memory"], container["cpu"]
                    return memory["workingSetBytes"] / 2**20, cpu["usageNanoCores"] / 1e9
    raise AssertionError("the kubelet says nothing of the sidecar")


def _completion(trials: Trials, name: str) -> float:
    trials.end(name, pause=0.02)
    return time.time()


def _measure(cluster: Cluster) -> None:
    with cluster.namespace(f"measured-{int(time.time())}") as namespace:
        trials = Trials(cluster, namespace)
        rows = {kind.__name__: one_by_one(trials, kind) for kind in (plain, injected)}
        memory, cpu = of_the_sidecar(trials)
        without, with_us = (all_at_once(trials, kind) for kind in (plain, injected))

    def cell(kind: str, what: str) -> str:
        values = rows[kind][what]
        return f"{statistics.median(values):.2f} s ({max(values):.2f})" if values else "-"

    lines = [
        f"| median (most) of {ONE_BY_ONE} jobs, one by one | without | with |",
        "|---|---|---|",
        f"| job's creation to trainer's start | {cell('plain', 'start')} | {cell('injected', 'start')} |",
        f"| trainer's end to row | - | {cell('injected', 'row')} |",
        f"| trainer's end to Job Complete | {cell('plain', 'complete')} | {cell('injected', 'complete')} |",
        f"| {MANY} jobs at once, all complete | {without:.0f} s | {with_us:.0f} s |",
        f"| the sidecar's memory at 10 points/s | - | {memory:.0f} MiB |",
        f"| the sidecar's CPU at 10 points/s | - | {cpu * 100:.1f} % of a core |",
    ]
    sys.stdout.write("\n".join((*lines, "")))


if __name__ == "__main__":
    kubeconfig = Path(sys.argv[1]) if sys.argv[1:] else default_folder() / "kubeconfig"
    _measure(cluster_of(kubeconfig))
