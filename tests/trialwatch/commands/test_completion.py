"""`trialwatch completion`: what a shell offers for the beginning of a command line."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from trialwatch.__main__ import main
from trialwatch.command_line.parser import COMMANDS, whole_parser
from trialwatch.commands.completion import SHELLS, script

BASH = """\
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
$(complete -p trialwatch | sed 's/.* -F \\([^ ]*\\) .*/\\1/')
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = 'source $argv[1]; complete -C "$argv[2]"'
OFFERS = [
    (("ge",), ("get",)),
    (("get", ""), ("experiments", "suggestions", "trials")),
    (("get", "trials", "-o", ""), ("json", "name", "wide", "yaml")),
    (("run", "--par"), ("--parallel",)),
    (("run", "--output", "j"), ("json",)),
    (("completion", ""), ("bash", "fish", "zsh")),
]

Offers = Callable[..., tuple[str, ...]]


@pytest.fixture(params=["bash", "fish"])
def offers(request: pytest.FixtureRequest, tmp_path: Path) -> Offers:
    """What a shell offers for the last of some words."""
    shell, file = _shell(request.param), tmp_path / "script"
    file.write_text(script(request.param))

    def offered(*words: str) -> tuple[str, ...]:
        line = ("trialwatch", *words)
        last = line if shell.endswith("bash") else (" ".join(line),)
        head = (BASH, "bash") if shell.endswith("bash") else (FISH,)
        command = [shell, "-c", *head, str(file), *last]
        run = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stderr == ""
        return tuple(sorted(line.split("\t")[0].strip() for line in run.stdout.splitlines()))

    return offered


@pytest.mark.parametrize(("words", "expected"), OFFERS, ids=" ".join)
def test_a_shell_offers_commands_flags_and_words(
    offers: Offers, words: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert offers(*words) == expected


def test_a_shell_offers_the_files_of_the_directory(offers: Offers, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").touch()

    assert offers("run", "mi") == ("mine.yaml",)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_can_read_the_script(shell: str, tmp_path: Path) -> None:
    file = tmp_path / "script"
    file.write_text(script(shell))

    subprocess.run([_shell(shell), "-n", str(file)], check=True)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_has_all_commands_and_flags(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0

    printed = capsys.readouterr().out
    commands = whole_parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]  # noqa: SLF001 - no public way
    assert set(commands or ()) == COMMANDS.keys()
    for name, parser in dict(commands or {}).items():
        assert name in printed
        for flag in parser._option_string_actions:  # noqa: SLF001 - the same
            assert flag.lstrip("-") in printed


def _shell(name: str) -> str:
    path = shutil.which(name)
    if path is None and os.environ.get("CI"):
        pytest.fail(f"no {name}: a build machine must have it")
    if path is None:
        pytest.skip(f"no {name} here: its completion is not tested")
    return path
