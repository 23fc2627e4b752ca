"""Kills processes in other pods, from a pod that sees the node's processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.client import Cluster, Object, until
from tests.cluster.dockerfiles import VERSION

_IMAGE = f"docker.io/trialwatch/collector:{VERSION}"
# By the pod's uid in its control group, as both versions of control groups write it, and by a word
# of its command line; again and again until told that it is enough.
_SCRIPT = """
import os, pathlib, signal, sys, time
uid, word, times, pause = sys.argv[1], sys.argv[2].encode(), int(sys.argv[3]), float(sys.argv[4])
names = (uid, uid.replace("-", "_"))
killed = 0
while killed < times:
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            group = (process / "cgroup").read_text()
            words = (process / "cmdline").read_bytes().replace(b"\\0", b" ")
            if any(name in group for name in names) and words.startswith(word):
                os.kill(int(process.name), signal.SIGKILL)
                killed += 1
                print("killed", process.name, words, flush=True)
        except (FileNotFoundError, ProcessLookupError):
            pass
    time.sleep(pause)
"""
WORKER = "python -m collector"
"""How the command line of the collector's worker begins."""
SUPERVISOR = "/usr/local/bin/launch supervise"
"""How that of the first process of its container begins."""


@contextmanager
def killing(
    cluster: Cluster, namespace: str, pod: Object, word: str, *, times: int, pause: float
) -> Iterator[None]:
    """Kill what begins with `word` in a pod, again and again, at most `times` times.

    Fails if there is no such process.
    """
    container = {
        "name": "killer",
        "image": _IMAGE,
        "command": ["python", "-c", _SCRIPT, pod["metadata"]["uid"], word, str(times), str(pause)],
        "securityContext": {"runAsUser": 0},
    }
    grace = {"terminationGracePeriodSeconds": 1}
    spec = {"hostPID": True, "restartPolicy": "Never", "containers": [container], **grace}
    name = f"killer-{pod['metadata']['name']}"[:60]
    cluster.create("pods", namespace, {"metadata": {"name": name}, "spec": spec})
    yield

    def has_killed() -> bool:
        killer = cluster.get("pods", namespace, name) or {}
        # Of a container that has not started there is no log to ask for.
        started = killer.get("status", {}).get("phase") not in {None, "Pending"}
        return started and "killed" in cluster.logs(namespace, name, "killer")

    until("a kill", has_killed)
    cluster.delete("pods", namespace, name)
