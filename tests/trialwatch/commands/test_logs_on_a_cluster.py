"""`trialwatch logs` against a cluster: the training's log, of the right pod and container."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest

from api.types import JsonObject
from kube.cluster import ref_of
from kube.testing.memory import MemoryCluster
from tests.trialwatch.cluster_experiments import (
    PATIENCE,
    CommandLine,
    begun,
    experiment_in,
    pod_of,
    put,
)
from trialwatch.sources.documents import name_of

COLLECTOR = "metrics-logger-and-collector"


@pytest.fixture
async def trials(katib: MemoryCluster) -> dict[str, JsonObject]:
    """Trials of all fates, none of which has a pod; 0006 runs."""
    return {name_of(one): one for one in (await experiment_in(katib, "team"))[1:]}


async def printing(
    katib: MemoryCluster, pod: JsonObject, text: str = "", **more: str
) -> JsonObject:
    """Create a pod of which `training` has printed a text, and others what is theirs."""
    made = await put(katib, pod)
    for container, printed in {"training": text, **more}.items():
        katib.printed.start(made, container)
        katib.printed.write(made, container, printed.encode())
    return made


async def test_the_log_is_the_trainers(
    katib: MemoryCluster, command_line: CommandLine, trials: dict[str, JsonObject]
) -> None:
    await printing(katib, pod_of(trials["random-0001"]), "epoch 1\nloss=0.1\n")

    for words in (("random-0001",), ("trial/random-0001",), ("experiment/random",)):
        assert await command_line("logs", *words) == (0, "epoch 1\nloss=0.1\n", "")


async def test_a_container_may_be_named(
    katib: MemoryCluster, command_line: CommandLine, trials: dict[str, JsonObject]
) -> None:
    pod = pod_of(trials["random-0001"])
    pod["status"]["initContainerStatuses"] = [begun(COLLECTOR)]
    await printing(katib, pod, "loss=0.1\n", **{COLLECTOR: "stored\n"})

    named = await command_line("logs", "random-0001", "-c", COLLECTOR)
    wrong = await command_line("logs", "random-0001", "-c", "traning")

    assert named == (0, "stored\n", "")
    assert wrong[0] == 2
    assert wrong[2] == (
        "trialwatch logs: pod p has no container traning; it has training,"
        ' metrics-logger-and-collector; did you mean "training"?\n'
    )


async def test_where_katib_has_sent_the_output_into_a_file_the_collector_has_it(
    katib: MemoryCluster, command_line: CommandLine, trials: dict[str, JsonObject]
) -> None:
    containers = [
        {"name": "training", "command": ["sh", "-c"]},
        {"name": COLLECTOR},
    ]
    pod = pod_of(trials["random-0001"], spec={"containers": containers})
    pod["status"]["containerStatuses"] = [begun("training"), begun(COLLECTOR)]
    await printing(katib, pod, "", **{COLLECTOR: "loss=0.1\n"})

    assert await command_line("logs", "random-0001") == (0, "loss=0.1\n", "")


async def test_of_several_pods_it_is_the_newest_that_trains(
    katib: MemoryCluster, command_line: CommandLine, trials: dict[str, JsonObject]
) -> None:
    trial = trials["random-0001"]
    await printing(katib, pod_of(trial, "a"), "first\n")
    await printing(katib, pod_of(trial, "b"), "second\n")
    launcher = pod_of(trial, "c", spec={"containers": [{"name": "launcher"}]})
    await put(katib, launcher)

    assert (await command_line("logs", "random-0001"))[1] == "second\n"


async def test_the_container_before_this_one_has_its_own_log(
    katib: MemoryCluster, command_line: CommandLine, trials: dict[str, JsonObject]
) -> None:
    pod = await printing(katib, pod_of(trials["random-0001"]), "crashed\n")
    katib.printed.end(pod, "training")
    katib.printed.start(pod, "training")

    assert await command_line("logs", "random-0001", "-p") == (0, "crashed\n", "")


async def test_a_log_is_followed_from_before_the_pod_is_there_to_its_end(
    katib: MemoryCluster, command_line: CommandLine, trials: dict[str, JsonObject]
) -> None:
    process = await command_line.start("logs", "-f", "random-0006")
    pod = pod_of(trials["random-0006"])
    pod["status"] = {"phase": "Pending"}
    made = await put(katib, pod)
    await katib.patch(
        ref_of(made), {"status": {"containerStatuses": [begun("training")]}}, status=True
    )
    katib.printed.start(made, "training")
    katib.printed.write(made, "training", b"one\n")
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        assert await process.stdout.readline() == b"one\n"
        katib.printed.write(made, "training", b"two\n")
        assert await process.stdout.readline() == b"two\n"
        katib.printed.end(made, "training")
        out, err = await process.communicate()

    assert (process.returncode, out, err) == (0, b"", b"")


async def test_who_follows_is_let_go_by_the_keyboard(
    katib: MemoryCluster, command_line: CommandLine, trials: dict[str, JsonObject]
) -> None:
    await printing(katib, pod_of(trials["random-0006"]), "one\n")
    process = await command_line.start("logs", "-f", "random-0006")
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        assert await process.stdout.readline() == b"one\n"
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()

    assert (process.returncode, err) == (130, b"")


WAITING = {"state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}}
UNSCHEDULED = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes have room"}


@pytest.mark.parametrize(
    ("trial", "status", "says"),
    [
        (
            "random-0001",
            None,
            (
                "the pod of trial random-0001 was deleted, and its log with it;"
                " spec.trialTemplate.retain: true keeps pods. Its metrics: Validation-accuracy=0.9711,"
                " Train-accuracy=0.9931 (`trialwatch get trials -n team random-0001 -o wide`)"
            ),
        ),
        (
            "random-0006",
            None,
            (
                "trial random-0006 has no pod now: use -f to wait for one; `kubectl get events -n"
                " team` may show the cause"
            ),
        ),
        (
            "random-0006",
            {"containerStatuses": [{"name": "training", **WAITING}]},
            (
                "container training of pod p has printed nothing yet: ErrImagePull: no such image;"
                " use -f to wait for it"
            ),
        ),
        (
            "random-0006",
            {"conditions": [UNSCHEDULED]},
            (
                "container training of pod p has printed nothing yet: 0/1 nodes have room;"
                " use -f to wait for it"
            ),
        ),
        (
            "random-000",
            None,
            "there is no trial random-000 in the namespace team of the context here; did you mean",
        ),
        ("pod/p", None, "'pod/p' is not a trial; write a trial's name, or experiment/NAME"),
        ("experiment/randm", None, 'did you mean "random"?'),
        (
            "experiment/",
            None,
            "'experiment/' is not a trial; write a trial's name, or experiment/NAME",
        ),
    ],
)
async def test_what_has_no_log_is_said_with_the_remedy(
    katib: MemoryCluster,
    command_line: CommandLine,
    trials: dict[str, JsonObject],
    *,
    trial: str,
    status: dict[str, Any] | None,
    says: str,
) -> None:
    if status is not None:
        await put(katib, pod_of(trials[trial], status={"phase": "Pending", **status}))

    code, out, err = await command_line("logs", trial)

    assert (code, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1


async def test_a_name_that_trials_of_several_namespaces_have_needs_a_namespace(
    katib: MemoryCluster, command_line: CommandLine, trials: dict[str, JsonObject]
) -> None:
    del trials
    await experiment_in(katib, "other")

    status, _, err = await command_line("logs", "-A", "random-0001")
    _, _, best = await command_line("logs", "-A", "experiment/random")

    assert status == 2
    assert "there are several trials random-0001; choose one: -n " in err
    assert "there are several experiments random; choose one: -n " in best


async def test_an_experiment_without_a_best_trial_has_no_log_yet(
    katib: MemoryCluster, command_line: CommandLine
) -> None:
    await experiment_in(katib, "team", best="")

    status, _, err = await command_line("logs", "experiment/random")

    assert status == 2
    assert "experiment random has no best trial yet; `trialwatch get trials random`" in err
