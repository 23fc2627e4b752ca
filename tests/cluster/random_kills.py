"""Kills trialwatch's programs and the API server at random moments.

Half of them are SIGKILL of a process, by a pod that sees the node's processes and needs no API server
once it runs. The others delete a pod, as a node that is drained does.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TypeVar

import urllib3.exceptions

from tests.cluster.client import Cluster, RefusedError, until
from tests.cluster.deployments import CONTROLLER, DB_MANAGER, SUGGESTION, WEBHOOK
from tests.cluster.dockerfiles import VERSION
from tests.cluster.installation import NAMESPACE

T = TypeVar("T")

API_SERVER = "kube-apiserver"
PROGRAMS = {
    CONTROLLER: r"python -m controller\b",
    WEBHOOK: r"python -m webhook\b",
    SUGGESTION: r"python -m suggestion\b",
    DB_MANAGER: r"python -m dbmanager\b",
    API_SERVER: r"\S*kube-apiserver\b",
}
"""Who is killed, and how the command line begins."""
_IMAGE = f"docker.io/trialwatch/collector:{VERSION}"
_POD = "kills"
# One that has just begun knows neither all accounts nor all rights, and may have too much to do.
_NOT_YET = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}
# Who is in back-off is waited for, so that each kill hits somebody.
_SCRIPT = """
import contextlib, json, os, pathlib, re, signal, sys, time
begun = time.monotonic()
def running(pattern):
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\\0", b" ")
            if re.match(pattern.encode(), words):
                yield int(process.name)
        except (FileNotFoundError, ProcessLookupError):
            pass
for second, pattern, every in json.loads(sys.argv[1]):
    time.sleep(max(0, begun + second - time.monotonic()))
    while not (found := sorted(running(pattern))):
        time.sleep(0.1)
    for one in found if every else found[:1]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    print(f"{time.monotonic() - begun:.1f}", "killed", pattern, len(found), flush=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Kill:
    """One kill, so many seconds after the first moment."""

    second: float
    program: str
    how: str
    """The `one` process that is there longest (which leads, often), `all` of them, or a `pod`."""


def drawn(seed: int, seconds: float) -> list[Kill]:
    """Return a kill of each program, at some moment of these seconds."""
    dice = random.Random(seed)
    return [
        Kill(
            second=round(dice.uniform(1, seconds), 1),
            program=program,
            how="all" if program == API_SERVER else dice.choice(("one", "all", "pod", "pod")),
        )
        for program in PROGRAMS
    ]


class Kills:
    """The kills of one test, from its first moment on."""

    def __init__(self, cluster: Cluster, kills: list[Kill]) -> None:
        self._cluster = cluster
        self._deletions = sorted(kill for kill in kills if kill.how == "pod")
        self._processes = sorted(kill for kill in kills if kill.how != "pod")
        self._begun = time.monotonic()

    def start(self, namespace: str) -> None:
        """Begin; from now on a pod of this namespace kills the processes."""
        orders = [[one.second, PROGRAMS[one.program], one.how == "all"] for one in self._processes]
        container = {
            "name": "killer",
            "image": _IMAGE,
            "command": ["python", "-c", _SCRIPT, json.dumps(orders)],
            "securityContext": {"runAsUser": 0},
        }
        spec = {"hostPID": True, "restartPolicy": "Never", "containers": [container]}
        grace = {"terminationGracePeriodSeconds": 1}
        pod = {"metadata": {"name": _POD}, "spec": {**spec, **grace}}
        self._cluster.create("pods", namespace, pod)
        self._begun = time.monotonic()

    def delete_what_is_due(self) -> None:
        """Delete the pods whose moment has come."""
        while self._deletions and time.monotonic() - self._begun > self._deletions[0].second:
            program = self._deletions[0].program
            selector = f"app.kubernetes.io/name={program}"
            pods = self._cluster.listed("pods", NAMESPACE, selector)
            for pod in pods[-1:]:
                name = pod["metadata"]["name"]
                self._cluster.delete("pods", NAMESPACE, name, gracePeriodSeconds="1")
            del self._deletions[0]

    def done(self, namespace: str) -> list[str]:
        """Return what the killer of processes says, once it is done and all are back."""

        def over() -> bool:
            pod = self._cluster.get("pods", namespace, _POD) or {}
            return pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}

        until("the last kill", partial(answered, over))
        all_are_back(self._cluster)
        return self._cluster.logs(namespace, _POD, "killer").splitlines()


def answered(look: Callable[[], T]) -> T | None:
    """Return what the API server answers; None where it does not, or not yet as it should."""
    try:
        return look()
    except urllib3.exceptions.HTTPError:
        return None
    except RefusedError as error:
        if error.status in _NOT_YET or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return None
        raise


def all_are_back(cluster: Cluster) -> None:
    """Return when all programs are there again."""
    for program in PROGRAMS:
        if program != API_SERVER:
            until(f"{program} to be back", partial(answered, partial(_ready, cluster, program)))


def _ready(cluster: Cluster, program: str) -> bool:
    status = (cluster.get("deployments", NAMESPACE, program) or {})["status"]
    return bool(status.get("readyReplicas") == status.get("replicas"))
