"""Runs in which trials fail: what is shown while they are retried, and what the last line says."""

from __future__ import annotations

import re
import shutil
from typing import Any

from api.documents import value_at
from api.objects.yamltext import load_objects
from tests.runner.experiment_runs import Machine, experiment, message_of, wait_for

LONG = "/".join(["a-rather-long-folder"] * 60)
MISSING_FILE = ["sh", "-c", f"cat {LONG}/train.csv; : ${{trialParameters.lr}}; exit 3"]
NO_DATA = ["sh", "-c", "echo no data >&2; : ${trialParameters.lr}; exit 3"]
ONE: dict[str, Any] = {"maxTrialCount": 1, "parallelTrialCount": 1}


def test_each_retry_is_a_line_with_its_cause(machine: Machine) -> None:
    machine.write(experiment(command=NO_DATA, job_spec={"backoffLimit": 2}, **ONE))
    _, out, _ = machine.call("run", "e.yaml")

    assert re.findall(r"^quick-\w+ (retry .*)$", out, re.MULTILINE) == [
        "retry 1 of 2 in 0.2 s: exit status 3, last line: no data",
        "retry 2 of 2 in 0.4 s: exit status 3, last line: no data",
    ]


def test_each_restart_of_a_container_is_a_line(machine: Machine) -> None:
    document = experiment(command=NO_DATA, job_spec={"backoffLimit": 2}, **ONE)
    pod = document["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    pod["restartPolicy"] = "OnFailure"
    machine.write(document)
    _, out, _ = machine.call("run", "e.yaml")

    assert re.findall(r"^quick-\w+ (retry .*)$", out, re.MULTILINE) == [
        "retry 1 of 1 in 0.2 s: exit status 3, last line: no data"
    ]


def test_the_stored_job_counts_the_failures_for_the_next_run(machine: Machine) -> None:
    script = "echo x >> t; [ $(wc -l < t) -gt 2 ] && sleep 600; : ${trialParameters.lr}; exit 3"
    given = experiment(command=["sh", "-c", script], job_spec={"backoffLimit": 3}, **ONE)
    machine.write(given)
    run = machine.start("run", "e.yaml")
    starts = machine.folder / "t"
    wait_for(lambda: starts.exists() and len(starts.read_text().split()) == 3)
    run.kill()
    run.communicate()
    [path] = (machine.state() / "jobs").glob("*.yaml")
    [job] = load_objects(path.read_text())

    assert value_at(job, "status", "failed") == 2


def test_first_trials_that_fail_at_once_for_one_cause_end_the_experiment(
    machine: Machine,
) -> None:
    command = ["python3", "-c", "import numpyy  # ${trialParameters.lr}"]
    machine.write(experiment(command=command, maxTrialCount=50, job_spec={"backoffLimit": 1}))
    status, out, _ = machine.call("run", "e.yaml")
    last = out.splitlines()[-1]

    assert status == 1
    assert len(machine.trials()) < 50  # how many run at the third failure depends on the machine
    assert re.search(r"because its first \d+ trials failed at once for the same cause; ", out)
    assert last.startswith("no optimal trial: loss has no value; quick-")
    assert last.endswith("ModuleNotFoundError: No module named 'numpyy'")


def test_first_trials_without_a_value_end_the_experiment_but_not_those_that_diverge(
    machine: Machine,
) -> None:
    silent = experiment(command=["sh", "-c", "echo los=${trialParameters.lr}"], maxTrialCount=50)
    machine.write(silent)
    status, out, _ = machine.call("run", "e.yaml")
    trials = len(machine.trials())
    nan = ["sh", "-c", "echo loss=nan; : ${trialParameters.lr}"]
    diverging = experiment(command=nan, name="nan", maxTrialCount=5)
    _, done = machine.run(diverging)

    assert status == 1
    assert trials < 50
    assert re.search(r"because its first \d+ trials printed no value of loss; ", out)
    assert done["status"]["trialMetricsUnavailable"] == 5


def test_a_count_of_failures_in_the_file_is_the_only_one_that_counts(machine: Machine) -> None:
    given = experiment(command=NO_DATA, maxTrialCount=20, maxFailedTrialCount=7)
    status, done = machine.run(given)

    assert status == 1
    assert done["status"]["trialsFailed"] >= 7
    assert "max failed count has reached" in done["status"]["conditions"][-1]["message"]


def test_first_trials_that_fail_for_different_causes_end_nothing(machine: Machine) -> None:
    script = "echo x >> t; echo cause $(wc -l < t) >&2; : ${trialParameters.lr}; exit 3"
    given = experiment(command=["sh", "-c", script], maxTrialCount=5, parallelTrialCount=1)
    status, done = machine.run(given)

    assert status == 1
    assert done["status"]["trials"] == done["status"]["trialsFailed"] == 5


def test_a_long_cause_is_not_cut(machine: Machine) -> None:
    machine.write(experiment(command=MISSING_FILE, **ONE))
    _, out, _ = machine.call("run", "e.yaml")
    [trial] = machine.trials().values()

    assert out.splitlines()[-1].endswith(f"{LONG}/train.csv: No such file or directory")
    assert message_of(trial).endswith("No such file or directory")


def test_without_an_optimal_trial_the_status_is_1_though_katib_counts_success(
    machine: Machine,
) -> None:
    command = ["sh", "-c", "echo los=${trialParameters.lr}"]
    machine.write(experiment(command=command, maxTrialCount=2))
    status, out, _ = machine.call("run", "e.yaml")

    assert status == 1
    assert "quick: Experiment has succeeded because max trial count has reached\n" in out
    assert re.fullmatch(
        r"no optimal trial: loss has no value; quick-\w+ and 1 other trial: no line of the training"
        r' contained "loss"; .*',
        out.splitlines()[-1],
    )


def test_beside_results_the_line_that_retries_is_named(machine: Machine) -> None:
    command = ["sh", "-c", "mkdir once 2>&1 && echo loss=${trialParameters.lr}"]
    machine.write(experiment(command=command, maxTrialCount=2, parallelTrialCount=1))
    status, out, _ = machine.call("run", "e.yaml")

    assert status == 0
    assert "  to run the failed trials again: trialwatch run --retry-failed e.yaml\n" in out


def test_a_state_directory_that_is_deleted_ends_the_run_with_one_line(machine: Machine) -> None:
    command = ["sh", "-c", "echo up >> begun; sleep 600; : ${trialParameters.lr}"]
    machine.write(experiment(command=command))
    run = machine.start("run", "e.yaml")
    wait_for((machine.folder / "begun").exists)
    while (machine.folder / ".trialwatch").exists():  # the run writes at the same time
        shutil.rmtree(machine.folder / ".trialwatch", ignore_errors=True)
    _, err = run.communicate(timeout=60)

    assert run.returncode == 2
    assert err == (
        f"trialwatch run: the state directory {machine.state()} was deleted or moved while the run"
        " was at work, so the run was ended: run the command again to start anew\n"
    )
    assert not machine.state().exists()
