"""Trials whose metrics do not stand in a log: pushed, scraped, logged to MLflow, or Custom."""

from __future__ import annotations

import pytest

from tests.cluster.client import Cluster, Object
from tests.cluster.dockerfiles import VERSION
from tests.cluster.experiments import Experiment, X, begun, searched
from tests.cluster.trials import TRAINER

_IMAGE = f"docker.io/trialwatch/bash:{VERSION}"
_PUSHED = {"trialwatch.dev/push": "true"}
_VALUES = ["0.5", "0.25"]
_PUSH = """
import http.client, json, os, sys
from urllib.parse import urlsplit
url = urlsplit(os.environ["TRIALWATCH_METRICS_URL"])
connection = http.client.HTTPConnection(url.netloc)
for step in range(3):
    body = json.dumps({"loss": float(sys.argv[1]) + step, "step": step})
    connection.request("POST", url.path, body)
    answer = connection.getresponse()
    if answer.status != 200:
        sys.exit(answer.read().decode())
    answer.read()
"""
_EXPOSE = """
import http.server, sys, threading, time
value, scrapes = float(sys.argv[1]), threading.Semaphore(0)
class Metrics(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f'# TYPE loss gauge\\nloss{{split="val"}} {value}\\n'.encode())
        scrapes.release()
server = http.server.HTTPServer(("127.0.0.1", 8080), Metrics)
threading.Thread(target=server.serve_forever, daemon=True).start()
for step in range(3):
    for _ in range(2):
        scrapes.acquire()
    value += 1
"""
_LOG_TO_MLFLOW = """
import json, os, sys, time, urllib.request
def call(path, **fields):
    url = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/" + path
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(fields).encode(), headers)
    return json.load(urllib.request.urlopen(request))
experiment = call("experiments/create", name="mine")["experiment_id"]
run = call("runs/create", experiment_id=experiment, start_time=0)["run"]["info"]["run_id"]
call("runs/log-parameter", run_id=run, key="x", value=sys.argv[1])
for step in range(3):
    value, now = float(sys.argv[1]) + step, int(time.time() * 1000)
    call("runs/log-metric", run_id=run, key="loss", value=value, timestamp=now, step=step)
more = [{"key": "loss", "value": 9.0, "timestamp": now + 1, "step": 3}]
call("runs/log-batch", run_id=run, metrics=more, params=[], tags=[])
call("runs/update", run_id=run, status="FINISHED", end_time=now)
"""
_COLLECT = """
import http.client, json, os, time
from urllib.parse import urlsplit
url = urlsplit(os.environ["TRIALWATCH_METRICS_URL"])
connection = http.client.HTTPConnection(url.netloc)
while not os.path.exists("/shared/log.done"):
    time.sleep(0.1)
for line in open("/shared/log"):
    connection.request("POST", url.path, json.dumps({"loss": float(line)}))
    assert connection.getresponse().read().startswith(b'{"accepted": 1')
"""


def _document(
    name: str, command: list[str], collector: Object, annotations: dict[str, str]
) -> Object:
    spec = {"metricsCollectorSpec": collector}
    document = searched(name, _VALUES, **spec)
    template = document["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]
    template["metadata"] = {"annotations": annotations}
    [trainer] = template["spec"]["containers"]
    trainer.update(image=_IMAGE, imagePullPolicy="Never", command=command)
    return document


def _stored(experiment: Experiment) -> dict[str, list[float]]:
    """Return the values of each trial, by its parameter."""
    experiment.end()
    trials = {
        t["metadata"]["name"]: t["spec"]["parameterAssignments"][0]["value"]
        for t in experiment.trials()
    }
    rows = experiment.rows(list(trials))
    return {trials[name]: [float(row[-1]) for row in rows[name]] for name in trials}


@pytest.mark.parametrize("kind", ["Push", "StdOut"])
def test_what_is_pushed_is_stored_as_it_was_pushed(
    cluster: Cluster, namespace: str, kind: str
) -> None:
    collector = {"collector": {"kind": kind}}
    command = ["python", "-c", _PUSH, X]
    document = _document(f"pushed-{kind.lower()}", command, collector, _PUSHED)
    assert _stored(begun(cluster, namespace, document)) == {
        "0.5": [0.5, 1.5, 2.5],
        "0.25": [0.25, 1.25, 2.25],
    }


def test_what_a_shell_appends_is_stored(cluster: Cluster, namespace: str) -> None:
    script = "for step in 0 1 2; do echo loss=$step >> $TRIALWATCH_METRICS_FILE; done"
    command = ["bash", "-c", f"{script}; : {X}"]
    document = _document("appended", command, {"collector": {"kind": "Push"}}, _PUSHED)
    assert set(map(tuple, _stored(begun(cluster, namespace, document)).values())) == {
        (0.0, 1.0, 2.0)
    }


def test_what_a_trainer_exposes_is_stored(cluster: Cluster, namespace: str) -> None:
    collector = {"collector": {"kind": "PrometheusMetric"}}
    command = ["python", "-c", _EXPOSE, X]
    document = _document("scraped", command, collector, {"trialwatch.dev/scrape-seconds": "1"})
    document["spec"]["objective"]["objectiveMetricName"] = 'loss{split="val"}'
    assert _stored(begun(cluster, namespace, document)) == {
        "0.5": [0.5, 1.5, 2.5],
        "0.25": [0.25, 1.25, 2.25],
    }


def test_what_a_trainer_logs_to_mlflow_is_stored(cluster: Cluster, namespace: str) -> None:
    """It calls as MLflow's client does, which the image does not have."""
    collector = {"collector": {"kind": "StdOut"}}
    command = ["python", "-c", _LOG_TO_MLFLOW, X]
    annotations = {"trialwatch.dev/mlflow": "true"}
    document = _document("mlflow", command, collector, annotations)
    assert _stored(begun(cluster, namespace, document)) == {
        "0.5": [0.5, 1.5, 2.5, 9.0],
        "0.25": [0.25, 1.25, 2.25, 9.0],
    }


def test_what_a_custom_collector_pushes_is_stored(cluster: Cluster, namespace: str) -> None:
    own = {
        "name": "own-collector",
        "image": _IMAGE,
        "imagePullPolicy": "Never",
        "command": ["python", "-c", _COLLECT],
    }
    collector = {
        "collector": {"kind": "Custom", "customCollector": own},
        "source": {"fileSystemPath": {"kind": "File", "path": "/shared/log"}},
    }
    command = ["bash", "-c", f"echo {X} > /shared/log; : > /shared/log.done"]
    document = _document("custom", command, collector, _PUSHED)
    assert _stored(begun(cluster, namespace, document)) == {"0.5": [0.5], "0.25": [0.25]}


def test_the_server_is_not_reachable_from_other_pods(cluster: Cluster, namespace: str) -> None:
    """It listens on 127.0.0.1 alone, which /proc/net/tcp of the pod shows."""
    listens = (
        "lines = open('/proc/net/tcp').read().splitlines()[1:];"
        "print('listens at', sorted(line.split()[1] for line in lines if line.split()[3] == '0A'))"
    )
    command = ["python", "-c", f"{_PUSH}\n{listens}", X]
    document = _document("local", command, {"collector": {"kind": "Push"}}, _PUSHED)
    document["spec"]["trialTemplate"]["retain"] = True
    experiment = begun(cluster, namespace, document)
    experiment.end()
    pods = cluster.listed("pods", namespace)
    shown = cluster.kubectl(
        "logs", f"--namespace={namespace}", pods[0]["metadata"]["name"], f"--container={TRAINER}"
    )
    assert "listens at ['0100007F:1A83']" in shown
