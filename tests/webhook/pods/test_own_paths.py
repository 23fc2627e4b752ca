"""No volume of a trainer is mounted over the collector's own files, however its path is written."""

from __future__ import annotations

from typing import Any

import pytest

from api.names import COLLECTOR_CONTAINER, STATE_DIR, STATE_VOLUME
from tests.webhook.golden_cluster import shared_cluster
from webhook.model.config import Config
from webhook.model.reasons import Reason
from webhook.model.verdicts import Inject, Refuse, Verdict


def pod(path: str, *mounts: str, volumes: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a pod that asks for the metrics in a file; `mounts`: where it mounts a volume."""
    return {
        "metadata": {
            "name": "t",
            "labels": {"trialwatch.dev/collect": "true"},
            "annotations": {
                "trialwatch.dev/metrics": "loss",
                "trialwatch.dev/source": "file",
                "trialwatch.dev/path": path,
            },
        },
        "spec": {
            "volumes": [{"name": name, "emptyDir": {}} for name in ("scratch", *volumes)],
            "containers": [
                {
                    "name": "training",
                    "image": "i",
                    "command": ["./train"],
                    "volumeMounts": [{"name": "scratch", "mountPath": where} for where in mounts],
                }
            ],
        },
    }


def verdict_on(document: dict[str, Any]) -> Verdict:
    return shared_cluster().judge(document, Config())


def collector_of(document: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    verdict = verdict_on(document)
    assert isinstance(verdict, Inject), verdict
    return verdict.plan.collector


@pytest.mark.parametrize(
    "path",
    [
        "/usr/lib/python3.11/site-packages/metrics.log",
        "/usr/local/lib/python3.11/metrics.log",
        "/usr/local/bin/launch",
        "/usr/metrics.log",
        "/install/metrics.log",
        "/install/trialwatch/_packages/collector/app.py",
        "/opt/metrics.log",
        "/opt/venv/lib/metrics.log",
        "/etc/ssl/metrics.log",
        "/bin/metrics.log",
        "/lib64/metrics.log",
        "/run/metrics.log",
        "/run/trialwatch-state/metrics.log",
        "/run/trialwatch-state/deep/metrics.log",
        "/var/run/metrics.log",
        "/var/run/secrets/kubernetes.io/serviceaccount/token",
        "/var/run/trialwatch-state/checkpoint",
        "/.local/lib/python3.11/site-packages/x.pth",
        "/a/../../etc/metrics.log",
        "/data/../usr/lib/metrics.log",
        "//usr//lib/metrics.log",
        "/./usr/./lib/metrics.log",
    ],
)
def test_a_metrics_file_among_the_collectors_own_files_is_refused(path: str) -> None:
    verdict = verdict_on(pod(path))
    assert isinstance(verdict, Refuse)
    assert verdict.reason is Reason.FILE_UNREACHABLE
    assert verdict.detail.endswith("write the file to a directory such as /data")


@pytest.mark.parametrize("mount", ["/usr", "/opt", "/var", "/usr/", "/a/../usr", "//run"])
def test_a_volume_of_the_pod_that_holds_the_file_and_the_collectors_files_is_refused(
    mount: str,
) -> None:
    directory = mount.replace("/a/..", "").strip("/")
    verdict = verdict_on(pod(f"/{directory}/src/app/metrics.log", mount))
    assert isinstance(verdict, Refuse)
    assert verdict.reason is Reason.FILE_UNREACHABLE


@pytest.mark.parametrize(
    "path",
    [
        "/var/log/katib/metrics.log",
        "/katib/mnist.log",
        "/data/run/../metrics.log",
        "/opt/ml/output/metrics.log",
        "/usr/src/app/metrics.log",
        "/srv/metrics.log",
        "/tmp/metrics.log",
        "/usrs/lib/metrics.log",
    ],
)
def test_directories_that_trainers_use_are_still_shared(path: str) -> None:
    assert collector_of(pod(path))["name"] == COLLECTOR_CONTAINER


def test_the_collector_learns_where_the_volume_of_a_deeper_file_is_mounted() -> None:
    deeper = collector_of(pod("/data/logs/metrics.log", "/data/"))
    assert "--volume=/data" in deeper["args"]
    beside = collector_of(pod("/data/logs/metrics.log"))
    assert not any(word.startswith("--volume") for word in beside["args"])


def test_only_the_collector_mounts_its_state() -> None:
    document = pod("/katib/mnist.log")
    verdict = verdict_on(document)
    assert isinstance(verdict, Inject)
    assert verdict.plan.collector is not None
    mine = {"name": STATE_VOLUME, "mountPath": STATE_DIR}
    assert mine in verdict.plan.collector["volumeMounts"]  # type: ignore[operator]
    assert all(mount["name"] != STATE_VOLUME for mount in verdict.plan.mounts)


@pytest.mark.parametrize("place", ["containers", "initContainers"])
def test_a_pod_that_mounts_the_collectors_state_elsewhere_is_refused(place: str) -> None:
    document = pod("/katib/mnist.log", volumes=(STATE_VOLUME,))
    thief = {
        "name": "thief",
        "image": "i",
        "volumeMounts": [{"name": STATE_VOLUME, "mountPath": "/mine"}],
    }
    document["spec"].setdefault(place, []).append(thief)
    verdict = verdict_on(document)
    assert isinstance(verdict, Refuse)
    assert verdict.reason is Reason.NAME_TAKEN
    assert "container thief mounts volume trialwatch-state" in verdict.detail


def test_a_state_volume_that_outlives_the_pod_is_refused() -> None:
    document = pod("/katib/mnist.log")
    document["spec"]["volumes"].append(
        {"name": STATE_VOLUME, "persistentVolumeClaim": {"claimName": "c"}}
    )
    verdict = verdict_on(document)
    assert isinstance(verdict, Refuse)
    assert verdict.reason is Reason.NAME_TAKEN
