"""The node itself: without trialwatch, a pod runs and its log can be read."""

from __future__ import annotations

from tests.cluster.client import Cluster, Object, until
from tests.cluster.trainers import ENTRYPOINT


def test_a_pod_of_an_image_made_here_runs_and_its_log_is_read(
    cluster: Cluster, namespace: str
) -> None:
    container = {"name": "hello", "image": ENTRYPOINT, "args": ["print", "loss=0.5"]}
    spec = {"restartPolicy": "Never", "containers": [container]}
    cluster.create("pods", namespace, {"metadata": {"name": "hello"}, "spec": spec})

    def ended() -> Object | None:
        pod = cluster.get("pods", namespace, "hello")
        return pod if pod and pod["status"]["phase"] in {"Succeeded", "Failed"} else None

    pod = until("the pod's end", ended)

    assert pod["status"]["phase"] == "Succeeded"
    assert cluster.logs(namespace, "hello", "hello") == "loss=0.5\n"
