"""A volume stands at its path, for a trainer's command as it is."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from runner.pods.statuses import Phase
from tests.runner.local_pods import Node, container, node, pod, shell

VOLUMES = [{"name": "v", "emptyDir": {}}]
HIDDEN = (sys.executable, "-c", "open('/kat' + 'ib/' + 'm.log', 'w').write('loss=1\\n')")


def mounted(path: str, **more: object) -> list[dict[str, object]]:
    return [{"name": "v", "mountPath": path, **more}]


async def needs_mounts(here: Node) -> None:
    why = here.machine.no_mounts
    if why is not None:
        pytest.skip(f"this kernel allows no mount namespace ({why}): run as root, or allow them")


@pytest.mark.parametrize("path", ["/katib", "/var/log/katib/deep/er", "/tmp/mounted-here", "/mnt"])
async def test_a_directory_is_found_at_its_path_and_nowhere_else(tmp_path: Path, path: str) -> None:
    there = Path(path).exists()
    async with node(tmp_path) as here:
        await needs_mounts(here)
        status = await here.run(
            pod(
                shell(f"echo x > {path}/m.log; ls {path}", volumeMounts=mounted(path)),
                volumes=VOLUMES,
            )
        )

    assert status.phase is Phase.SUCCEEDED
    assert here.log() == "m.log\n"
    assert (tmp_path / "pod" / "volumes" / "v" / "m.log").read_text() == "x\n"
    assert Path(path).exists() == there
    assert not (Path(path) / "m.log").exists()


async def test_a_path_that_no_word_names_is_found_by_a_trainer_that_is_not_changed(
    tmp_path: Path,
) -> None:
    async with node(tmp_path) as here:
        await needs_mounts(here)
        status = await here.run(
            pod(container(*HIDDEN, volumeMounts=mounted("/katib")), volumes=VOLUMES)
        )

    assert status.phase is Phase.SUCCEEDED
    assert (tmp_path / "pod" / "volumes" / "v" / "m.log").read_text() == "loss=1\n"


async def test_containers_share_a_volume_and_read_only_is_kept(tmp_path: Path) -> None:
    async with node(tmp_path) as here:
        await needs_mounts(here)
        writes = shell("echo hello > /w/x", "writes", volumeMounts=mounted("/w"))
        reads = shell(
            "cat /r/x; echo y 2>/dev/null >/r/y || echo refused",
            volumeMounts=mounted("/r", readOnly=True),
        )
        await here.run(pod(reads, initContainers=[writes], volumes=VOLUMES))

    assert here.log() == "hello\nrefused\n"


async def test_a_sub_path_and_a_path_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "set.csv").write_text("1,2\n")
    volumes = [*VOLUMES, {"name": "d", "hostPath": {"path": str(tmp_path / "data")}}]
    mounts = [*mounted("/out", subPath="a/b"), {"name": "d", "mountPath": "/data"}]
    async with node(tmp_path) as here:
        await needs_mounts(here)
        await here.run(pod(shell("cp /data/set.csv /out/", volumeMounts=mounts), volumes=volumes))

    assert (tmp_path / "pod" / "volumes" / "v" / "a" / "b" / "set.csv").read_text() == "1,2\n"


async def test_without_mounts_the_path_is_written_anew(tmp_path: Path) -> None:
    env = [{"name": "LOG", "value": "/katib/by-env"}]
    one = shell("echo 1 > /katib/by-arg; echo 2 > $LOG", env=env, volumeMounts=mounted("/katib"))
    async with node(tmp_path, no_mounts="not allowed") as here:
        status = await here.run(pod(one, volumes=VOLUMES))

    volume = tmp_path / "pod" / "volumes" / "v"
    assert status.phase is Phase.SUCCEEDED
    assert {path.name for path in volume.iterdir()} == {"by-arg", "by-env"}


async def test_without_mounts_a_path_that_no_word_names_is_refused_with_the_remedy(
    tmp_path: Path,
) -> None:
    async with node(tmp_path, no_mounts="Operation not permitted (mount)") as here:
        status = await here.run(
            pod(container(*HIDDEN, volumeMounts=mounted("/katib")), volumes=VOLUMES)
        )

    end = status.containers[0].ended
    assert end is not None
    assert "Operation not permitted" in end.message
    assert "pass the path as an argument" in end.message


def test_a_user_who_is_not_root_can_mount_too() -> None:
    """The probe, as nobody: the kernel gives the right within a user namespace."""
    script = (
        "import ctypes, os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from runner.pods.mounting import probe\n"
        "if os.geteuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "ctypes.CDLL(None).prctl(4, 1)\n"  # who has changed his user may not see his own /proc
        "print(probe(sys.argv[2]))"
    )
    root = Path(__file__).parents[3]
    # Not in `tmp_path`: the folders above it are root's alone.
    with tempfile.TemporaryDirectory() as staging:
        Path(staging).chmod(0o755)
        run = subprocess.run(
            [sys.executable, "-c", script, str(root), staging],
            capture_output=True,
            text=True,
            check=False,
        )

    if "Operation not permitted" in run.stdout:
        pytest.skip(f"this kernel allows no user namespaces: {run.stdout}")
    assert run.stdout == "None\n", run.stderr
