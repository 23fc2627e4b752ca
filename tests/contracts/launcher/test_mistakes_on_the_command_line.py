"""A wrong command line: one clear line, the usage, status 2, and nothing is started."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.contracts.launcher.launcher_process import Launcher, finished

_RUN = (
    " run --run-dir DIR [--capture] [--file PATH] [--drain S] [--grace S] [--deadline S]"
    " [--unfollowed S] -- COMMAND...\n"
)
_DIR = ["--run-dir", "DIR"]


@pytest.mark.parametrize(
    ("words", "fault", "usage"),
    [
        ([], "a command is missing", " run|supervise"),
        (["walk"], "unknown command: walk", " run|supervise"),
        (["--hepl"], "unknown command: --hepl", " run|supervise"),
        (["run"], "there is no `--` and no command", _RUN),
        (["run", *_DIR], "there is no `--` and no command", _RUN),
        (["run", *_DIR, "--"], "there is no command after `--`", _RUN),
        (["run", *_DIR, "touch", "DIR"], "put `--` before the command: touch", _RUN),
        (["run", *_DIR, "-x", "--", "true"], "put `--` before the command: -x", _RUN),
        (["run", "--", "true"], "--run-dir is missing", _RUN),
        (["run", *_DIR, "--captive", "--", "true"], "unknown flag --captive", _RUN),
        (["run", *_DIR, "--capture=yes", "--", "true"], "unknown flag --capture=yes", _RUN),
        (["run", "--run-dir", "--", "true"], "a value is missing after --run-dir", _RUN),
        (["run", "--run-dir=", "--", "true"], "a value is missing after --run-dir", _RUN),
        (["run", *_DIR, "--drain"], "a value is missing after --drain", _RUN),
        *[
            (
                ["run", *_DIR, "--grace", text, "--", "true"],
                f"times are in seconds, such as 30 or 0.5, not {text}",
                _RUN,
            )
            for text in ["5m", "-1", "1e3", "nan", "inf", ".", "1.2.3", "0x10", "1_0"]
        ],
        (["supervise"], "there is no `--` and no command", " supervise -- COMMAND...\n"),
        (["supervise", "--"], "there is no command after `--`", " supervise -- COMMAND...\n"),
        (["supervise", "x"], "put `--` before the command: x", " supervise -- COMMAND...\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_named(
    launcher: Launcher, tmp_path: Path, words: list[str], fault: str, usage: str
) -> None:
    ran = subprocess.run(
        [*launcher.argv, *words], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert ran.returncode == 2
    assert ran.stdout == ""
    first, _, rest = ran.stderr.partition("\n")
    assert first == f"{launcher.name.removeprefix('python -m ')}: {fault}"
    assert rest.startswith(f"usage: {launcher.name}{usage}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize(
    ("words", "usage"),
    [([], " run|supervise"), (["run"], _RUN), (["supervise"], " supervise -- COMMAND...\n")],
    ids=["alone", "run", "supervise"],
)
def test_help_is_the_usage_and_a_success(
    launcher: Launcher, tmp_path: Path, words: list[str], usage: str, flag: str
) -> None:
    ran = subprocess.run(
        [*launcher.argv, *words, flag], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"usage: {launcher.name}{usage}")
    assert list(tmp_path.iterdir()) == []


def test_the_help_of_a_trainer_is_the_trainers(launcher: Launcher, tmp_path: Path) -> None:
    run = finished(launcher, tmp_path / "run", ["sh", "-c", 'test "$1" = --help', "x", "--help"])
    assert run.wait() == 0


@pytest.mark.parametrize("words", [["install"], ["install", "a", "b", "c"]], ids=" ".join)
def test_install_takes_one_path_and_one_to_wait_for(c_launcher: Launcher, words: list[str]) -> None:
    ran = subprocess.run([*c_launcher.argv, *words], capture_output=True, check=False)
    assert ran.returncode == 2
    why = b"launch: install takes a path, and one to wait for\n"
    assert ran.stderr == why + b"usage: launch install DEST [PATH]\n"


def test_a_value_may_follow_an_equals_sign(launcher: Launcher, tmp_path: Path) -> None:
    words = ["--grace=0.5", "--drain=0", "--deadline=100", f"--file={tmp_path}/a=b"]
    assert finished(launcher, tmp_path / "run", ["sh", "-c", "exit 7"], *words).wait() == 7


def test_all_words_after_the_dashes_are_the_command(launcher: Launcher, tmp_path: Path) -> None:
    command = ["sh", "-c", 'test "$*" = "-- --run-dir x --" && exit 9', "--", "--", "--run-dir"]
    assert finished(launcher, tmp_path / "run", [*command, "x", "--"]).wait() == 9
