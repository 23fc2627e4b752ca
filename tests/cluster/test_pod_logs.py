"""The logs of pods on a real node: the contract that the cluster in memory keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from kube.cluster import PodLogs, Ref
from kube.connect import connected
from tests.cluster.client import Cluster, Object, until
from tests.cluster.trainers import SCRATCH
from tests.cluster.trials import exit_code, running, status_of
from tests.contracts.pod_logs import Machine, PodLogsContract

GO, END = "/go", "/end"
WORDS = ("await", GO, "first", END, "1")
"""Ends with 1, which starts it again, or with 0 where END is there before GO."""
NO_IMAGE = "trialwatch.test/none:1"


def pod() -> Object:
    """Return a pod whose container `other` never begins."""
    trainer = {"name": "trainer", "image": SCRATCH, "command": ["/trainer", *WORDS]}
    other = {"name": "other", "image": NO_IMAGE, "imagePullPolicy": "Never"}
    return {
        "metadata": {"name": "p"},
        "spec": {
            "restartPolicy": "OnFailure",
            "terminationGracePeriodSeconds": 0,
            "containers": [trainer, other],
        },
    }


def _runs(it: Object) -> bool:
    return "status" in it and running(it, "trainer")


class RealPod:
    """`tests.contracts.pod_logs.Machine`: what it prints is written where its output goes."""

    def __init__(self, cluster: Cluster, namespace: str, logs: PodLogs) -> None:
        self._cluster, self._namespace, self.logs = cluster, namespace, logs
        self.pod = Ref(api_version="v1", kind="Pod", namespace=namespace, name="p")
        cluster.create("pods", namespace, pod())
        self._wait("start", _runs)
        refused = lambda it: "ErrImageNeverPull" in str(status_of(it, "other"))  # noqa: E731
        self._wait("refusal of the other", refused)

    def print(self, text: str) -> None:
        until("the trainer's output to open", lambda: self._printed(text))

    def end(self) -> None:
        self._do("file", END, "")
        self._do("file", GO, "")
        self._wait("end", lambda it: exit_code(it, "trainer") is not None)

    def restart(self) -> None:
        self._do("file", GO, "")
        again = lambda it: status_of(it, "trainer").get("restartCount") == 1 and _runs(it)  # noqa: E731
        self._wait("second start", again)

    def _printed(self, text: str) -> bool:
        try:
            self._do("file", "/proc/1/fd/1", text)
        except AssertionError as error:
            # It counts as running while runc has not yet made it the trainer: closed to others.
            if "Permission denied" not in str(error):
                raise
            return False
        return True

    def _do(self, *words: str) -> None:
        where = ("exec", "p", f"--namespace={self._namespace}", "--container=trainer")
        self._cluster.kubectl(*where, "--", "/trainer", *words)

    def _wait(self, what: str, state: Callable[[Object], bool]) -> None:
        look = lambda: state(self._cluster.get("pods", self._namespace, "p") or {})  # noqa: E731
        until(f"the trainer's {what}", look)


class TestOnARealNode(PodLogsContract):
    @pytest.fixture
    async def machine(
        self, cluster: Cluster, namespace: str, kubeconfig: Path
    ) -> AsyncIterator[Machine]:
        async with connected(kubeconfig) as logs:
            yield RealPod(cluster, namespace, logs)
