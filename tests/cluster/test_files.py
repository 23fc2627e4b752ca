"""A trainer that writes its metrics into a file."""

from __future__ import annotations

from tests.cluster.trainers import ENTRYPOINT
from tests.cluster.trials import Trials, exit_code, job

PATH = "/katib/mnist.log"
FILE = {"source": "file", "path": PATH}
# As in Katib's own example of a file collector.
PATTERN = r"{metricName: ([\w|-]+), metricValue: ((-?\d+)(\.\d+)?)}"


def test_a_file_is_read_with_the_users_pattern(trials: Trials) -> None:
    words = [f"{{metricName: {name}, metricValue: {value}}}" for name, value in METRICS]
    lines = [part for text in words for part in ("file", PATH, text)]
    file = {**FILE, "filters": PATTERN}

    name = trials.start(job("file", *lines, metrics="loss;accuracy", annotations=file))

    assert trials.end(name) == "Complete"
    assert trials.rows(name) == METRICS


METRICS = [("loss", "0.9"), ("accuracy", "0.1"), ("loss", "-0.5"), ("accuracy", "0.75")]


def test_a_file_that_only_its_writer_may_read_is_read_as_that_user(trials: Trials) -> None:
    user = {"securityContext": {"runAsUser": 1234, "runAsGroup": 1234, "fsGroup": 1234}}

    name = trials.start(job("own", "private", PATH, "loss=0.5", annotations=FILE, pod=user))

    assert trials.end(name) == "Complete"
    assert trials.rows(name) == [("loss", "0.5")]


def test_a_command_that_only_the_image_knows_runs_and_its_file_is_read(trials: Trials) -> None:
    unwrapped = {**FILE, "wrap": "false"}
    container = {"image": ENTRYPOINT, "command": None, "args": ["file", PATH, "loss=0.5"]}

    name = trials.start(job("entrypoint", annotations=unwrapped, container=container))

    assert trials.end(name) == "Complete"
    assert exit_code(trials.pod(name)) == 0
    assert trials.rows(name) == [("loss", "0.5")]
