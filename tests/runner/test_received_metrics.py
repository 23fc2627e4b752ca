"""`trialwatch run` with kinds whose metrics do not stand in a log: pushes and scrapes."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from api.objects.yamlout import dump_objects
from runner.pods.free_port import free_port
from tests.runner.experiment_runs import Machine, experiment

_PUSH = {"trialwatch.dev/push": "true"}
_PUSHES = """
import http.client, json, os, sys
from urllib.parse import urlsplit
url = urlsplit(os.environ["TRIALWATCH_METRICS_URL"])
connection = http.client.HTTPConnection(url.netloc)
connection.request("POST", url.path, json.dumps({"loss": float(sys.argv[1])}))
answer = connection.getresponse()
sys.exit(answer.read().decode() if answer.status != 200 else 0)
"""
_EXPOSES = """
import os, sys, time
from prometheus_client import Gauge, start_http_server
Gauge("loss", "the loss").set(float(sys.argv[1]))
server, thread = start_http_server(int(sys.argv[2]), addr="127.0.0.1")
time.sleep(5)
server.shutdown()
"""


def _spec(kind: str, command: list[str], annotations: dict[str, str]) -> dict[str, Any]:
    container = {"name": "main", "image": "none", "command": command}
    pod = {
        "metadata": {"annotations": annotations},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }
    return experiment(
        job_spec={"template": pod},
        metricsCollectorSpec={"collector": {"kind": kind}},
        maxTrialCount=2,
    )


@pytest.mark.parametrize("way", ["http", "file"])
def test_what_trials_push_is_stored(machine: Machine, way: str) -> None:
    lr = "${trialParameters.lr}"
    by_file = ["sh", "-c", f'echo "loss={lr}" >> $TRIALWATCH_METRICS_FILE']
    command = by_file if way == "file" else [sys.executable, "-c", _PUSHES, lr]
    status, done = machine.run(_spec("Push", command, _PUSH))
    assert status == 0, done
    assert {float(value) for [value] in machine.stored().values()} == {
        float(assignment["value"])
        for trial in machine.trials().values()
        for assignment in trial["spec"]["parameterAssignments"]
    }


def test_kind_push_without_the_annotation_is_refused_before_the_run(machine: Machine) -> None:
    machine.write(_spec("Push", ["true"], {}))
    status, _, err = machine.call("run", "e.yaml")
    assert status == 2
    assert 'trialwatch.dev/push: "true"' in err


def test_a_template_in_a_config_map_may_ask_to_push(machine: Machine) -> None:
    document = _spec("Push", [sys.executable, "-c", _PUSHES, "${trialParameters.lr}"], _PUSH)
    template = document["spec"]["trialTemplate"]
    text = json.dumps(template.pop("trialSpec"))
    where = {"configMapName": "job", "configMapNamespace": "kubeflow", "templatePath": "job"}
    template["configMap"] = where
    for field, state in (("successCondition", "Complete"), ("failureCondition", "Failed")):
        template[field] = f'status.conditions.#(type=="{state}")#|#(status=="True")#'
    config_map: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "job", "namespace": "kubeflow"},
        "data": {"job": text},
    }
    (machine.folder / "e.yaml").write_text(dump_objects([document, config_map]))
    status, out, err = machine.call("run", "e.yaml")
    assert status == 0, out + err
    assert len(machine.stored()) == 2


def test_what_trials_expose_is_scraped(machine: Machine, unused_port: int) -> None:
    lr = "${trialParameters.lr}"
    document = _spec(
        "PrometheusMetric",
        [sys.executable, "-c", _EXPOSES, lr, str(unused_port)],
        {"trialwatch.dev/scrape-seconds": "1"},
    )
    document["spec"]["parallelTrialCount"] = 1
    document["spec"]["metricsCollectorSpec"]["source"] = {"httpGet": {"port": unused_port}}
    status, done = machine.run(document)
    assert status == 0, done
    assert len(machine.stored()) == 2


@pytest.mark.parametrize("count", [2, None])
def test_trials_that_would_be_scraped_at_one_port_do_not_run_at_the_same_time(
    machine: Machine, count: int | None
) -> None:
    document = _spec("PrometheusMetric", ["true"], {})
    document["spec"] |= {"parallelTrialCount": count, "maxTrialCount": 6}
    machine.write(document)
    status, _, err = machine.call("run", "e.yaml")
    assert status == 2
    fault = (
        f"spec.parallelTrialCount: Invalid value: {count or 3}: on this machine all trials share"
    )
    assert fault in " ".join(err.split())
    status, _, err = machine.call("run", "e.yaml", "--parallel", "4")
    assert status == 2
    assert "--parallel: Invalid value: 4" in err


@pytest.fixture
def unused_port() -> int:
    return free_port()
