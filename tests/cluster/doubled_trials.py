"""Tells where the rows of a trial came from: its pods, and its sources in the database."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field

from api.names import EXPERIMENT_LABEL, TRIAL_LABEL
from tests.cluster.client import Cluster, Object
from tests.cluster.deployments import DB_MANAGER
from tests.cluster.installation import NAMESPACE

_SCRIPT = """
import json, sqlite3, sys
database = sqlite3.connect("file:/var/lib/trialwatch/trialwatch.db?mode=ro", uri=True)
where = "FROM {} WHERE namespace = ? AND trial_name = ? ORDER BY {}"
columns = {
    "trialwatch_sources": ("source, last_sequence, gaps, outcome", "source"),
    "observation_logs": ("id, source, time, metric_name, value", "id"),
}
for table, (names, order) in columns.items():
    for row in database.execute(f"SELECT {names} {where.format(table, order)}", sys.argv[1:]):
        print(table, json.dumps(dict(zip(names.split(", "), row))))
"""


@dataclass(slots=True)
class SeenPods:
    """The pods of an experiment's trials, each as it was when it was seen last."""

    cluster: Cluster
    namespace: str
    experiment: str
    _by_trial: dict[str, dict[str, Object]] = field(default_factory=lambda: defaultdict(dict))

    def look(self) -> None:
        """Remember the pods that exist now."""
        selector = f"{EXPERIMENT_LABEL}={self.experiment}"
        for pod in self.cluster.listed("pods", self.namespace, selector):
            metadata = pod["metadata"]
            self._by_trial[metadata["labels"][TRIAL_LABEL]][metadata["name"]] = pod

    def of(self, trial: str) -> list[str]:
        """Return a line for each pod of a trial."""
        return [_line(pod) for pod in self._by_trial[trial].values()]


def origin_of_rows(pods: SeenPods, trial: str) -> str:
    """Return the trial's pods, the events about them, and what the database has, as lines."""
    cluster, namespace = pods.cluster, pods.namespace
    events = [
        f"event {one['lastTimestamp']} {one['involvedObject']['name']} {one['reason']}: {one['message']}"
        for one in cluster.listed("events", namespace)
        if one["involvedObject"]["name"].startswith(trial)
    ]
    where = (f"--namespace={NAMESPACE}", f"deployment/{DB_MANAGER}")
    stored = cluster.kubectl("exec", *where, "--", "python", "-c", _SCRIPT, namespace, trial)
    return "\n".join((f"{namespace}/{trial}", *pods.of(trial), *events, stored))


def _line(pod: Object) -> str:
    metadata, status = pod["metadata"], pod["status"]
    owners = [f"{one['kind']} {one['uid']}" for one in metadata.get("ownerReferences", [])]
    containers = {
        one["name"]: {"restarts": one["restartCount"], **one["state"]}
        for part in ("initContainerStatuses", "containerStatuses")
        for one in status.get(part, [])
    }
    facts = {
        "uid": metadata["uid"],
        "owners": owners,
        "created": metadata["creationTimestamp"],
        "deleted": metadata.get("deletionTimestamp"),
        "phase": status.get("phase"),
        "containers": containers,
    }
    return f"pod {metadata['name']} {json.dumps(facts)}"
