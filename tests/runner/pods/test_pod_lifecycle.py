"""Pods as processes: order, restarts, the end; what they are given and what they leave."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from runner.pods.pod_lifecycle import PodLifecycle, Termination
from runner.pods.statuses import Phase, render_status
from tests.runner.local_pods import Node, container, eventually, node, pod, processes_with, shell


async def test_a_container_gets_its_words_and_variables_byte_for_byte(tmp_path: Path) -> None:
    show = "import json, os, sys; print(json.dumps([sys.argv[1:], os.environ['B'], os.getcwd()]))"
    env = [
        {"name": "A", "value": "a  b"},
        {"name": "B", "value": "$(A)/$(HOSTS)/$$(A)"},
        {"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
    ]
    words = ["$(A)", '{"x": "$HOME"}', "", "$(B)", "$(N)", "ü\n\t"]
    (tmp_path / "work").mkdir()
    async with node(tmp_path, HOSTS="of this machine") as here:
        one = container(
            "python3", "-c", show, args=words, env=env, workingDir=str(tmp_path / "work")
        )
        status = await here.run(pod(one))

    assert status.phase is Phase.SUCCEEDED
    assert json.loads(here.log()) == [
        ["a  b", '{"x": "$HOME"}', "", "a  b/$(HOSTS)/$(A)", "mnist", "ü\n\t"],
        "a  b/$(HOSTS)/$(A)",
        str(tmp_path / "work"),
    ]


async def test_the_status_is_the_one_of_the_kubelet(tmp_path: Path) -> None:
    async with node(tmp_path) as here:
        status = await here.run(pod(shell("echo why >&2; exit 3"), shell("kill -9 $$$$", "other")))

    lines: Any = render_status(status)["containerStatuses"]
    first, second = (one["state"]["terminated"] for one in lines)
    assert status.phase is Phase.FAILED
    assert (first["exitCode"], first["reason"], first["message"]) == (3, "Error", "why")
    assert second["exitCode"] == 137
    assert here.seen[-1] == status


async def test_init_containers_come_one_after_the_other_and_sidecars_stay(tmp_path: Path) -> None:
    lines = f"{tmp_path}/told"
    stays = shell(
        f"echo side begins >>{lines}; trap 'echo side ends >>{lines}; exit 0' TERM; "
        "while :; do sleep 0.05; done",
        "side",
        restartPolicy="Always",
    )
    inits = [
        stays,
        shell(f"while ! grep -q side {lines}; do sleep 0.02; done; echo one >>{lines}", "one"),
        shell(f"echo two >>{lines}", "two"),
    ]
    async with node(tmp_path) as here:
        status = await here.run(pod(shell(f"echo main >>{lines}"), initContainers=inits))

    assert status.phase is Phase.SUCCEEDED
    assert Path(lines).read_text().splitlines() == [
        "side begins",
        "one",
        "two",
        "main",
        "side ends",
    ]


async def test_native_sidecars_are_ended_last_in_reverse_order(tmp_path: Path) -> None:
    lines = f"{tmp_path}/told"

    def side(name: str) -> dict[str, object]:
        script = (
            f"trap 'echo {name} >>{lines}; exit 0' TERM; echo {name} up >>{lines}; "
            "while :; do sleep 0.05; done"
        )
        return shell(script, name, restartPolicy="Always")

    main = shell(f"while [ $(wc -l <{lines}) -lt 2 ]; do sleep 0.02; done; echo main >>{lines}")
    async with node(tmp_path) as here:
        await here.run(pod(main, initContainers=[side("proxy"), side("collector")]))

    assert Path(lines).read_text().splitlines()[2:] == ["main", "collector", "proxy"]


async def test_a_failed_init_container_fails_the_pod_and_nothing_else_starts(
    tmp_path: Path,
) -> None:
    async with node(tmp_path) as here:
        status = await here.run(
            pod(shell("touch started"), initContainers=[shell("exit 7", "init")])
        )

    assert status.phase is Phase.FAILED
    assert not (tmp_path / "started").exists()


async def test_on_failure_a_container_is_started_again_in_its_pod(tmp_path: Path) -> None:
    script = "echo x >>tries; [ $(wc -l <tries) -ge 3 ]"
    async with node(tmp_path) as here:
        status = await here.run(pod(shell(script), restartPolicy="OnFailure"))

    assert (status.phase, status.restarts) == (Phase.SUCCEEDED, 2)


async def test_a_command_that_is_not_here_is_said_to_be(tmp_path: Path) -> None:
    async with node(tmp_path) as here:
        status = await here.run(pod(container("no-such-program", "-x"), restartPolicy="OnFailure"))

    end = status.containers[0].ended
    assert end is not None
    assert (end.reason, status.restarts) == ("ContainerCannotRun", 0)
    assert "command 'no-such-program' is not on this machine" in end.message


async def test_a_working_directory_that_is_not_here_is_said_to_be(tmp_path: Path) -> None:
    async with node(tmp_path) as here:
        status = await here.run(pod(shell("true", workingDir="/no/such/place")))

    end = status.containers[0].ended
    assert end is not None
    assert "working directory '/no/such/place'" in end.message


async def test_a_container_without_command_is_refused_with_the_remedy(tmp_path: Path) -> None:
    async with node(tmp_path) as here:
        status = await here.run(pod(container()))

    end = status.containers[0].ended
    assert end is not None
    assert "its image has it" in end.message


async def test_what_a_container_leaves_behind_is_killed_with_it(tmp_path: Path) -> None:
    script = "setsid sleep 1000 & (setsid setsid sleep 1000 &) ; nohup sleep 1000 & exit 0"
    async with node(tmp_path, MARK="left-behind") as here:
        status = await here.run(pod(shell(script)))

        assert status.phase is Phase.SUCCEEDED
        assert not [line for line in processes_with("MARK=left-behind") if "sleep" in line]


async def test_a_pod_that_lives_too_long_is_ended(tmp_path: Path) -> None:
    script = "trap '' TERM; echo begun; while :; do sleep 0.05; done"
    async with node(tmp_path) as here:
        status = await here.run(
            pod(shell(script), activeDeadlineSeconds=1, terminationGracePeriodSeconds=1)
        )

    assert (status.phase, status.reason) == (Phase.FAILED, "DeadlineExceeded")
    assert status.containers[0].ended is not None
    assert status.containers[0].ended.status == 137


async def test_the_grace_is_given_before_anything_is_killed(tmp_path: Path) -> None:
    script = "trap 'sleep 0.3; echo saved; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    async with node(tmp_path) as here:
        life = here.life(pod(shell(script)))
        running = asyncio.create_task(life.run())
        await _printed(here, "ready")
        life.end(Termination(reason="Deleted", message="", grace=30))
        status = await running

    assert here.log().splitlines() == ["ready", "saved"]
    assert status.containers[0].ended is not None
    assert status.containers[0].ended.status == 0


async def test_the_log_keeps_its_end_and_is_bounded(tmp_path: Path) -> None:
    script = "yes 0123456789012345678901234567890123456789012345678 | head -n 500000; echo the end"
    async with node(tmp_path) as here:
        await here.run(pod(shell(script)))

    logs = [*(tmp_path / "pod" / "logs").iterdir()]
    assert here.log().splitlines()[-1] == "the end"
    assert 5 << 20 <= sum(log.stat().st_size for log in logs) <= 11 << 20


async def test_whatever_part_is_killed_the_others_are_not_left(tmp_path: Path) -> None:
    script = "setsid sleep 1000 & echo ready; sleep 1000"
    async with node(tmp_path, MARK="shim-killed") as here:
        life = here.life(pod(shell(script)))
        running = asyncio.create_task(life.run())
        await _printed(here, "ready")
        for shim in _shims():
            os.kill(shim, 9)
        status = await running

        assert status.phase is Phase.FAILED
        await eventually(lambda: not _sleeping("MARK=shim-killed"), "a process was left")


def _sleeping(mark: str) -> list[str]:
    return [line for line in processes_with(mark) if "sleep" in line]


def _shims() -> list[int]:
    """Return the children of this process's children that are spawners."""
    found = []
    for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        if b"runner.pods.spawner" in Path(f"/proc/{child}/cmdline").read_bytes():
            found += Path(f"/proc/{child}/task/{child}/children").read_text().split()
    return [int(pid) for pid in found]


async def _printed(here: Node, text: str) -> None:
    log = here.folder / "pod" / "logs" / "main.log"
    await eventually(lambda: log.exists() and text in log.read_text(), f"it never printed {text}")


async def test_a_pod_can_be_ended_before_it_has_begun(tmp_path: Path) -> None:
    async with node(tmp_path) as here:
        life: PodLifecycle = here.life(pod(shell("sleep 1000")))
        life.end(Termination(reason="Deleted", message="", grace=0))
        status = await life.run()

    assert status.phase is Phase.FAILED


@pytest.mark.parametrize("sink", ["/dev/stdout", "/dev/stderr", "/proc/self/fd/1"])
async def test_a_trainer_may_open_its_streams_by_name(tmp_path: Path, sink: str) -> None:
    async with node(tmp_path) as here:
        await here.run(pod(shell(f"echo written > {sink}")))

    assert here.log() == "written\n"
