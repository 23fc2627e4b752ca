"""Jobs on this machine: retries and limits, the status as Kubernetes writes it, the metrics."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.jobs.recovery import INTERRUPTED
from tests.runner.local_jobs import FILE, cluster, conditions, job, status_of, trial
from tests.runner.local_pods import container, eventually, processes_with, shell
from webhook.model.config import Config


async def test_what_a_trainer_prints_is_stored_when_its_job_is_complete(tmp_path: Path) -> None:
    script = "echo loss=0.5; echo acc=0.1 >&2; echo loss=nan; echo loss=0.25"
    async with cluster(tmp_path) as here:
        done = await here.run(job(shell(script)))
        losses, accuracies = await here.values(), await here.values("acc")

    assert conditions(done).keys() == {"SuccessCriteriaMet", "Complete"}
    assert (losses, accuracies) == (["0.5", "nan", "0.25"], ["0.1"])
    assert here.log() == "loss=0.5\nacc=0.1\nloss=nan\nloss=0.25\n"
    assert here.log("metrics-logger-and-collector").count("loss=0.25\n") == 1


async def test_a_file_is_followed_at_the_path_that_the_trainer_knows(tmp_path: Path) -> None:
    script = "for i in 3 2 1; do echo loss=0.$i >> /katib/mnist.log; done"
    owner = trial(collector=FILE)
    async with cluster(tmp_path) as here:
        done = await here.run(job(shell(script)), owner)
        stored = await here.values(owner=owner)

    assert "Complete" in conditions(done)
    assert stored == ["0.3", "0.2", "0.1"]
    assert not Path("/katib").exists()


async def test_a_hundred_quick_trials_lose_nothing(tmp_path: Path) -> None:
    """Fewer here, for the time it takes: ten at once, each over before its collector is up."""
    owners = [trial(f"quick-{i}") for i in range(10)]
    async with cluster(tmp_path) as here:
        jobs = [
            here.run(job(shell(f"echo loss=0.{i}"), name=owner.metadata.name), owner)
            for i, owner in enumerate(owners)
        ]
        done = await asyncio.gather(*jobs)
        stored = [await here.values(owner=owner) for owner in owners]

    assert all("Complete" in conditions(one) for one in done)
    assert stored == [[f"0.{i}"] for i in range(10)]


async def test_a_job_that_fails_is_tried_again_and_its_cause_is_reported(tmp_path: Path) -> None:
    script = "echo loss=9; echo try >> tries; echo 'CUDA out of memory' >&2; exit 3"
    async with cluster(tmp_path) as here:
        done = await here.run(job(shell(script), backoffLimit=2))

    assert (tmp_path / "tries").read_text().count("try") == 3
    assert status_of(done)["failed"] == 3
    reason, message = conditions(done)["Failed"]
    assert reason == "BackoffLimitExceeded"
    assert message == (
        "Job has reached the specified backoff limit: container main ended with status 3;"
        " its last output: loss=9 | CUDA out of memory"
    )


async def test_of_several_attempts_only_the_one_that_succeeded_is_read(tmp_path: Path) -> None:
    script = "echo x >> tries; n=$(wc -l < tries); echo loss=0.$n; [ $n -ge 3 ]"
    async with cluster(tmp_path) as here:
        done = await here.run(job(shell(script), backoffLimit=5))
        stored = await here.values()

    assert "Complete" in conditions(done)
    assert stored == ["0.3"]


async def test_restarts_in_a_pod_count_against_the_limit(tmp_path: Path) -> None:
    async with cluster(tmp_path) as here:
        done = await here.run(
            job(shell("exit 1"), pod={"restartPolicy": "OnFailure"}, backoffLimit=2)
        )

    assert conditions(done)["Failed"][0] == "BackoffLimitExceeded"


async def test_a_job_that_takes_too_long_is_ended_with_its_last_words(tmp_path: Path) -> None:
    async with cluster(tmp_path, MARK="hangs") as here:
        done = await here.run(job(shell("echo epoch 1; sleep 1000"), activeDeadlineSeconds=1))

        assert not processes_with("MARK=hangs") or all(
            "sleep" not in line for line in processes_with("MARK=hangs")
        )

    reason, message = conditions(done)["Failed"]
    assert reason == "DeadlineExceeded"
    assert message.startswith("Job was active longer than specified deadline")
    assert message.endswith("its last output: epoch 1")


async def test_a_command_that_is_not_here_fails_the_job_at_once(tmp_path: Path) -> None:
    async with cluster(tmp_path) as here:
        done = await here.run(job(container("no-such-trainer"), backoffLimit=6))

    reason, message = conditions(done)["Failed"]
    assert reason == "PodRefused"
    assert "command 'no-such-trainer' is not on this machine" in message


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob"}, "kind PyTorchJob"),
        (job(shell("true"), parallelism=2), "spec.parallelism"),
        (job(shell("true"), pod={"restartPolicy": "Always"}), "Always"),
        (job(container(), name="trial"), "set `command`"),
        (job(shell("true", name="other")), "primaryContainerName"),
    ],
)
async def test_what_cannot_run_here_is_refused_with_the_remedy(
    tmp_path: Path, document: dict[str, Any], said: str
) -> None:
    async with cluster(tmp_path) as here:
        refused = await here.run(document)

    reason, message = conditions(refused)["Failed"]
    assert reason == "PodRefused"
    assert said in message


async def test_a_bare_pod_is_a_job_too(tmp_path: Path) -> None:
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": job()["metadata"],
        "spec": {"restartPolicy": "Never", "containers": [shell("echo loss=0.5")]},
    }
    async with cluster(tmp_path) as here:
        done = await here.run(pod)
        stored = await here.values()

    assert status_of(done)["phase"] == "Succeeded"
    assert stored == ["0.5"]


async def test_a_deleted_job_leaves_no_process(tmp_path: Path) -> None:
    async with cluster(tmp_path, MARK="deleted") as here:
        run = here.job(job(shell("setsid sleep 1000 & echo ready; sleep 1000")))
        running = asyncio.create_task(run.run())
        await eventually(lambda: "ready" in here.log())
        run.delete()
        await running

        assert not [line for line in processes_with("MARK=deleted") if "sleep" in line]
    assert conditions(run) == {}


async def test_a_job_that_was_left_begins_anew_and_is_counted_once(tmp_path: Path) -> None:
    script = "echo x >> tries; echo loss=0.$(wc -l < tries); [ -e go ] || sleep 1000"
    async with cluster(tmp_path) as here:
        first = here.job(job(shell(script)))
        running = asyncio.create_task(first.run())
        await eventually(lambda: "loss=0.1" in here.log())
        first.leave()
        await running
        (tmp_path / "go").touch()
        again = await here.run(job(shell(script)))
        stored = await here.values()

    assert [*tmp_path.glob(f"state/trial/pods/*/{INTERRUPTED}")]
    assert conditions(first) == {}
    assert "Complete" in conditions(again)
    assert stored == ["0.2"]


async def test_a_failure_is_counted_once_however_often_the_job_is_left(tmp_path: Path) -> None:
    script = (
        "echo x >> tries; [ $(wc -l < tries) -gt 1 ] || exit 1; echo up; [ -e go ] || sleep 600"
    )
    document = job(shell(script), backoffLimit=1)
    async with cluster(tmp_path) as here:
        first = here.job(document)
        running = asyncio.create_task(first.run())
        await eventually(lambda: "up" in here.log())
        first.leave()
        await running
        (tmp_path / "go").touch()
        again = await here.run({**document, "status": status_of(first)})

    assert status_of(first)["failed"] == 1
    assert "Complete" in conditions(again)
    assert status_of(again)["failed"] == 1


async def test_a_trainer_that_had_ended_is_not_trained_again(tmp_path: Path) -> None:
    """The collector was dead when the runner was killed: it is started once more, alone."""
    script = "echo x >> tries; echo loss=0.5; echo loss=0.25"
    async with cluster(tmp_path) as here:
        first = here.job(job(shell(script)))
        await first.run()
        stored = await here.values()
        # As if the runner had been killed before it noted the end.
        again = await here.run(job(shell(script)))

        assert await here.values() == stored == ["0.5", "0.25"]
    assert (tmp_path / "tries").read_text() == "x\n"
    assert "Complete" in conditions(again)


async def test_what_had_not_reached_the_store_is_delivered_by_the_next_run(tmp_path: Path) -> None:
    script = "echo x >> tries; echo loss=0.5; exit 0"
    async with cluster(tmp_path) as here:
        away = replace(here, here=replace(here.here, config=Config(db_manager="127.0.0.1:1")))
        first = away.job(job(shell(script)))
        running = asyncio.create_task(first.run())
        await eventually(lambda: [*tmp_path.glob("state/trial/pods/*/*/*/attempts/1/exit")])
        first.leave()
        await running
        before = await here.values()
        again = await here.run(job(shell(script)))
        after = await here.values()

    assert (before, after) == ([], ["0.5"])
    assert (tmp_path / "tries").read_text() == "x\n"
    assert "Complete" in conditions(again)


@pytest.mark.parametrize(
    ("script", "missing", "printed"),
    [
        ("echo loss=0.5", True, True),
        ("echo epoch 1", True, False),
        ("echo epoch 1 > /katib/mnist.log; echo loss=0.5", False, True),
        ("echo loss=0.5 | tee /katib/mnist.log", False, False),
    ],
)
async def test_a_missing_metrics_file_is_named_and_whether_the_output_has_the_metric(
    tmp_path: Path, *, script: str, missing: bool, printed: bool
) -> None:
    owner = trial(collector=FILE)
    async with cluster(tmp_path) as here:
        done = await here.run(job(shell(script)), owner)

    message = json.loads(done.facts.termination_message)
    hint = (
        'its standard output has "loss": write kind: StdOut in spec.metricsCollectorSpec.collector,'
        " or let the training write into the file"
    )
    assert message.get("missing_file", "") == ("/katib/mnist.log" if missing else "")
    assert done.facts.elsewhere == (hint if printed else "")
