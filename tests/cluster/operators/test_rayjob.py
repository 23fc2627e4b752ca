"""RayJobs with KubeRay's own operator, and a stand-in for Ray, whose image the tests do not have.

The stand-in of the head answers as Ray's dashboard does when it is asked about a job. The operator
makes cluster, pods and submitter of the RayJob, and reads its end.
"""

from __future__ import annotations

import pytest
import yaml

from api.names import COLLECTOR_CONTAINER, TRIAL_LABEL
from tests.architecture.tree import ROOT
from tests.cluster.client import Cluster, Object, until
from tests.cluster.dockerfiles import VERSION
from tests.cluster.experiments import Experiment, begun, value_of
from tests.cluster.operators.examples import COUNTS, FAILS, METRIC, VALUE, WORKS
from tests.cluster.trainers import SCRATCH

PYTHON = f"docker.io/trialwatch/digits:{VERSION}"
PRINTED = f"{METRIC}={VALUE}"
DASHBOARD = f"""
import http.server, json
class Dashboard(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = "FAILED" if "${{trialParameters.learningRate}}" == "{FAILS}" else "SUCCEEDED"
        answer = json.dumps({{"status": status, "message": "by the stand-in"}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
print("{PRINTED}", flush=True)
http.server.HTTPServer(("", 8265), Dashboard).serve_forever()
"""
PRIMARY = {
    "submitter": {"trains": "true"},
    "head": {"ray.io/node-type": "head"},
    "worker": {"ray.io/node-type": "worker"},
}


def experiment_of(primary: str) -> Object:
    """Return the example with stand-ins, of which `primary` trains."""
    document: Object = yaml.safe_load((ROOT / "examples" / "jobs" / "rayjob.yaml").read_text())
    document["metadata"] = {"name": f"ray-{primary}"}
    spec = document["spec"]
    (parameter,) = spec["parameters"]
    parameter |= {"parameterType": "categorical", "feasibleSpace": {"list": [WORKS, FAILS]}}
    spec |= {"algorithm": {"algorithmName": "grid"}, **dict.fromkeys(COUNTS, 2)}
    template = spec["trialTemplate"]
    template |= {"primaryContainerName": primary, "primaryPodLabels": PRIMARY[primary]}
    job = template["trialSpec"]
    job["metadata"] = {"annotations": {"ray.io/overwrite-container-cmd": "true"}}
    cluster = job["spec"]["rayClusterSpec"]
    head, (worker,) = cluster["headGroupSpec"], cluster["workerGroupSpecs"]
    submitter = {"template": job["spec"]["submitterPodTemplate"]}
    print_and_wait = ["/trainer", "print", PRINTED, "sleep", "600000"]
    _stand_in(head, PYTHON, ["python3", "-c", DASHBOARD])
    _stand_in(worker, SCRATCH, print_and_wait)
    _stand_in(submitter, SCRATCH, ["/trainer", "print", PRINTED, "sleep", "4000"])
    return document


def _stand_in(group: Object, image: str, command: list[str]) -> None:
    (container,) = group["template"]["spec"]["containers"]
    container |= {"image": image, "command": command}


@pytest.mark.parametrize("primary", PRIMARY)
def test_the_pods_of_all_groups_have_the_label_and_the_one_that_trains_has_a_collector(
    cluster: Cluster, namespace: str, primary: str
) -> None:
    experiment = begun(cluster, namespace, experiment_of(primary))

    pods = until("all pods", lambda: _all_pods(experiment))
    experiment.end()

    assert {role: _has_collector(pod) for role, pod in pods.items()} == {
        role: role == primary for role in PRIMARY
    }
    trials = {value_of(trial): trial for trial in experiment.trials()}
    ends = {value: trial["status"]["conditions"][-1] for value, trial in trials.items()}
    assert {value: end["type"] for value, end in ends.items()} == {
        WORKS: "Succeeded",
        FAILS: "Failed",
    }
    names = [trial["metadata"]["name"] for trial in trials.values()]
    assert experiment.rows(names)[trials[WORKS]["metadata"]["name"]] == [(METRIC, VALUE)]


def _all_pods(experiment: Experiment) -> dict[str, Object] | None:
    """Return a pod of each role, all with the label of one trial, once there are all."""
    for trial in experiment.trials():
        selector = f"{TRIAL_LABEL}={trial['metadata']['name']}"
        pods = experiment.cluster.listed("pods", experiment.namespace, selector)
        labelled = {
            role: pod
            for role, labels in PRIMARY.items()
            for pod in pods
            if labels.items() <= pod["metadata"]["labels"].items()
        }
        if labelled.keys() == PRIMARY.keys():
            return labelled
    return None


def _has_collector(pod: Object) -> bool:
    spec = pod["spec"]
    containers = [*spec["containers"], *spec.get("initContainers", ())]
    return any(container["name"] == COLLECTOR_CONTAINER for container in containers)
