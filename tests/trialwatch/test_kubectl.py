"""`kubectl trialwatch ...` by the real kubectl, which finds our programs on the PATH."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kube.testing.apiserver import ApiServer
from kube.testing.memory import MemoryCluster
from tests.architecture.tree import ROOT, pyproject
from tests.real_kubectl import PLUGIN_PROGRAMS, real_kubectl, write_plugin_programs
from tests.trialwatch.cluster_experiments import PATIENCE, experiment_in, names
from trialwatch.__main__ import main
from trialwatch.command_line.parser import COMMANDS
from trialwatch.command_line.plugin import PLUGIN, command_first


@dataclass(frozen=True)
class Answer:
    status: int
    out: str
    err: str


Kubectl = Callable[..., Awaitable[Answer]]


@pytest.fixture
def kubectl(katib_api: ApiServer, tmp_path: Path) -> Kubectl:
    """kubectl with our programs on its PATH, as pip writes them from `project.scripts`."""
    binary, programs = real_kubectl(), tmp_path / "bin"
    write_plugin_programs(programs)
    kubeconfig = katib_api.write_kubeconfig(tmp_path / "kubeconfig", namespace="team")
    environ = {
        **os.environ,
        "PATH": str(programs),
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "KUBECONFIG": str(kubeconfig),
        "COLUMNS": "100",
    }

    async def call(*words: str, **more: str) -> Answer:
        process = await asyncio.create_subprocess_exec(
            binary,
            *words,
            cwd=tmp_path,
            env={**environ, **more},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
        assert process.returncode is not None
        return Answer(process.returncode, out.decode(), err.decode())

    return call


async def test_kubectl_lists_the_plugin(kubectl: Kubectl, tmp_path: Path) -> None:
    listed = await kubectl("plugin", "list")

    assert f"{tmp_path}/bin/kubectl-trialwatch" in listed.out.splitlines()
    assert "warning" not in listed.err


@pytest.mark.parametrize(
    "words",
    [
        ("get", "trials", "-n", "other"),
        ("get", "trials", "--namespace=other"),
        ("-n", "other", "get", "trials"),
        ("--namespace", "other", "--context", "{context}", "get", "trials"),
        ("-nother", "get", "trials", "--kubeconfig", "{kubeconfig}"),
    ],
    ids=" ".join,
)
async def test_the_flags_of_kubectl_choose_the_objects_before_and_behind_the_command(
    kubectl: Kubectl, katib: MemoryCluster, tmp_path: Path, words: tuple[str, ...]
) -> None:
    await experiment_in(katib, "team")
    await experiment_in(katib, "other", name="grid", best="grid-0001")
    current = (await kubectl("config", "current-context")).out.strip()
    filled = (word.format(context=current, kubeconfig=tmp_path / "kubeconfig") for word in words)

    found = await kubectl("trialwatch", *filled)

    assert found.status == 0, found.err
    assert names(found.out)
    assert all(name.startswith("grid-") for name in names(found.out))


async def test_output_formats_are_those_of_kubectl(kubectl: Kubectl, katib: MemoryCluster) -> None:
    await experiment_in(katib, "team")

    asked = await kubectl("trialwatch", "get", "experiment", "random", "-o", "json")
    named = await kubectl("trialwatch", "get", "experiments", "-o", "name")

    assert json.loads(asked.out)["metadata"]["name"] == "random"
    assert named.out == "experiment.kubeflow.org/random\n"


async def test_it_reads_the_cluster_beside_experiments_of_this_machine(
    kubectl: Kubectl, katib: MemoryCluster, tmp_path: Path
) -> None:
    await experiment_in(katib, "team")
    (tmp_path / ".trialwatch").mkdir()

    found = await kubectl("trialwatch", "get", "experiments")

    assert names(found.out) == ["random"]
    assert found.err == ""


async def test_delete_needs_no_flag_to_mean_the_cluster(
    kubectl: Kubectl, katib: MemoryCluster
) -> None:
    await experiment_in(katib, "team")

    deleted = await kubectl("trialwatch", "delete", "experiment/random", "--yes")

    assert deleted.status == 0, deleted.err
    assert deleted.out.startswith("deleted experiment random")


async def test_without_a_kubeconfig_it_says_what_to_write(kubectl: Kubectl) -> None:
    answer = await kubectl("trialwatch", "get", "trials", KUBECONFIG="")

    assert answer.status == 2
    assert answer.err == (
        "kubectl trialwatch get: no cluster is configured: write --kubeconfig FILE, set"
        " KUBECONFIG, or --state-dir DIR for the experiments of this machine\n"
    )


@pytest.mark.parametrize("command", ["", *COMMANDS])
async def test_help_shows_lines_that_a_user_of_the_plugin_can_write(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with pytest.raises(SystemExit):
        main([*([command] if command else []), "--help"], prog=PLUGIN)

    text = " ".join(capsys.readouterr().out.split())
    assert text.startswith(f"usage: {PLUGIN} {command}".strip())
    others = re.findall(rf"(?<!kubectl )(?<![\w/])trialwatch (?:{'|'.join(COMMANDS)})\b", text)
    assert others == []


async def test_an_error_names_the_plugin(kubectl: Kubectl) -> None:
    answer = await kubectl("trialwatch", "gett")

    assert answer.status == 2
    assert answer.err.splitlines()[-1] == (
        "kubectl trialwatch: unknown command 'gett'; did you mean \"get\"?"
    )


COMPLETIONS = [
    (("ge",), ["get"], 4),
    (("get", ""), ["experiments", "suggestions", "trials"], 4),
    (("get", "trials", "-o", ""), ["json", "name", "wide", "yaml"], 4),
    (("get", "trials", "--all"), ["--all-namespaces"], 4),
    (("completion", ""), ["bash", "fish", "zsh"], 4),
    (("-n", "team", "get", "tr"), ["trials"], 4),
    (("run", ""), [], 0),
    (("get", "--kubeconfig", ""), [], 0),
    (("nonsense", ""), [], 4),
]


@pytest.mark.parametrize(("words", "offered", "directive"), COMPLETIONS)
async def test_kubectl_completes_commands_flags_and_words(
    kubectl: Kubectl, words: tuple[str, ...], offered: list[str], directive: int
) -> None:
    answer = await kubectl("__complete", "trialwatch", *words)

    *lines, last = answer.out.splitlines()
    assert sorted(line.split("\t")[0] for line in lines) == offered
    assert last == f":{directive}"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-n", "a", "get", "trials"], ["get", "-n", "a", "trials"]),
        (["--context=c", "-A", "get"], ["get", "--context=c", "-A"]),
        (["get", "-n", "a"], ["get", "-n", "a"]),
        (["-n"], ["-n"]),
        (["-n", "get"], ["-n", "get"]),
        (["--frobnicate", "get"], ["--frobnicate", "get"]),
        ([], []),
    ],
)
def test_flags_before_the_command_are_moved_behind_it(
    words: list[str], expected: list[str]
) -> None:
    assert command_first(words, COMMANDS) == expected


@pytest.mark.parametrize("name", PLUGIN_PROGRAMS)
def test_each_program_of_the_wheel_exists(name: str) -> None:
    module, function = pyproject()["project"]["scripts"][name].split(":")

    assert callable(getattr(importlib.import_module(module), function))
