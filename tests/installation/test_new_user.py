"""From the installed wheel to an optimum, in a terminal; each common mistake leads to success.

The user does only what the screen says: takes the line that it tells to write.
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installation.installed_wheel import Environment, build_wheel, environment
from tests.installation.new_user import NewUser

PYTHON = """
    import argparse, time

    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--warm", action="store_true")
    options = parser.parse_args()
    for epoch in range(1, 4):
        time.sleep(seconds)
        print(f"epoch {epoch}: val_loss={(options.lr - 0.1) ** 2 / epoch + 1 / options.layers}")
"""
NODE = """
    const lr = Number(process.argv[2]);
    console.log(JSON.stringify({ epoch: 1, loss: (lr - 0.1) ** 2 + 1 }));
"""
BASH = """
    echo "accuracy: 0.$((100 + LAYERS))"
"""
LR = "--param lr=0.005..0.5:log"
TUNE = f"trialwatch tune --minimize val_loss {LR} --trials 2"
TRAIN = "python3 train.py --lr {lr}"
"""A correct line is `{TUNE} -- {TRAIN}`."""


@pytest.fixture(scope="session")
def installed_once(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """One environment with the wheel for all test processes of a run."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "new-user"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "ready").exists():
            (shared / "dist").mkdir(exist_ok=True)
            environment(shared / "venv", build_wheel(shared / "dist"))
            (shared / "ready").touch()
    return Environment(shared / "venv")


@pytest.fixture
def user(installed_once: Environment, tmp_path: Path) -> Iterator[NewUser]:
    """A user in a directory with trainings in three languages."""
    _write(tmp_path / "train.py", PYTHON.replace("seconds", "0"))
    _write(tmp_path / "train.mjs", NODE)
    _write(tmp_path / "train.sh", BASH)
    made = NewUser(tmp_path, installed_once, os.environ["PATH"])
    try:
        yield made
    finally:
        made.close()


def _write(path: Path, text: str) -> None:
    path.write_text(textwrap.dedent(text))


def succeeded(user: NewUser) -> bool:
    """Return whether the last line has found an optimum."""
    return user.status == 0 and "optimal trial: " in user.screen


# -- from the first look to the optimum ------------------------------------------------------


def test_a_python_training_of_a_second_gets_its_optimum_in_two_lines(
    user: NewUser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(tmp_path / "train.py", PYTHON.replace("seconds", "0.3"))
    user.types("trialwatch tune -- python3 train.py --lr 0.05 --layers 3")
    line, first = user.line_to_write(), user.seconds
    assert "--minimize val_loss" in line
    user.types(line.replace(" --minimize", " --trials 10 --minimize"))

    assert succeeded(user), user.screen
    with capsys.disabled():
        sys.stdout.write(f"\nfirst look {first:.1f} s, 10 trials of 1 s {user.seconds:.1f} s\n")


def test_a_shell_script_gets_its_optimum_in_two_lines(user: NewUser) -> None:
    user.types("trialwatch tune --param LAYERS=2..5 --trials 4 -- LAYERS={LAYERS} bash train.sh")
    user.types(user.line_to_write())

    assert succeeded(user), user.screen
    assert "  accuracy  0.105\n" in user.screen


def test_a_node_program_gets_its_optimum_in_two_lines(user: NewUser) -> None:
    if shutil.which("node") is None and not os.environ.get("CI"):
        pytest.skip("node is not installed (Debian, Ubuntu: apt-get install nodejs)")
    user.types("trialwatch tune --param lr=0.01..1 --trials 2 -- node train.mjs {lr}")
    user.types(user.line_to_write())

    assert succeeded(user), user.screen


# -- mistakes: a line, and what the screen makes of it ---------------------------------------

MISTAKES: dict[str, str] = {
    "no objective": f"trialwatch tune {LR} --trials 2 -- {TRAIN}",
    "a misspelt metric": f"{TUNE} -- {TRAIN}".replace("val_loss", "vall_loss"),
    "a misspelt script": f"{TUNE} -- {TRAIN}".replace("train.py", "trian.py"),
    "a misspelt program": f"{TUNE} -- {TRAIN}".replace("python3", "pyhton3"),
    "a forgotten --": f"{TUNE} {TRAIN}",
    "a place without --param": f"{TUNE} -- {TRAIN} --layers {{layers}}",
    "a --param without place": f"{TUNE} --param layers=1..4 -- {TRAIN}",
    "an impossible range": f"{TUNE} -- {TRAIN}".replace(LR, "--param lr=0.5..0.005"),
    "a flag without value": f"{TUNE} --param warm=on,off -- {TRAIN} --warm={{warm}}",
}


@pytest.mark.parametrize("line", MISTAKES.values(), ids=MISTAKES.keys())
def test_the_screen_leads_from_a_mistake_to_an_optimum(user: NewUser, line: str) -> None:
    user.types(line)
    assert "optimal trial" not in user.screen
    user.types(user.line_to_write())

    assert succeeded(user), user.screen
    user.types("trialwatch get trials")
    assert (user.status, "Interrupted" in user.screen) == (0, False), user.screen


def test_a_program_that_fails_at_once_is_mended_and_the_same_line_succeeds(
    user: NewUser, tmp_path: Path
) -> None:
    line = f"{TUNE} -- {TRAIN}"
    _write(tmp_path / "train.py", "import a_missing_module\n")
    user.types(line)
    assert "No module named 'a_missing_module'" in user.screen
    assert "write the same line again" in user.screen
    user.types(user.line_to_write())
    assert "No module named 'a_missing_module'" in user.screen  # the whole log

    _write(tmp_path / "train.py", PYTHON.replace("seconds", "0"))
    user.types(line)
    assert succeeded(user), user.screen
    assert "2 trials: 2 succeeded" in user.screen


def test_another_search_under_the_same_name_gets_the_line_that_starts_anew(user: NewUser) -> None:
    line = f"{TUNE} --name mine -- {TRAIN}"
    user.types(line)
    user.types(line.replace("0.5:log", "0.6:log"))
    assert user.status == 2
    user.types(user.finds(r"to start anew[^:]*: (trialwatch .*)\n"))

    assert succeeded(user), user.screen


def test_each_mistake_in_a_file_gets_the_word_to_write(user: NewUser, tmp_path: Path) -> None:
    user.types(f"{TUNE} --save e.yaml -- {TRAIN}")
    run = user.finds(r"  (trialwatch run \S+)")
    file = tmp_path / "e.yaml"
    right = file.read_text()
    for wrong in ("maxTrailCount", "algorithmName: tpee"):
        part = "maxTrialCount" if wrong == "maxTrailCount" else "algorithmName: tpe"
        file.write_text(right.replace(part, wrong))
        user.types(run)
        assert user.status == 2
        meant = user.finds(r'did you mean "(\w+)"\?')
        misspelt = wrong.rpartition(" ")[2]
        file.write_text(file.read_text().replace(misspelt, meant))
        user.types(run)
        assert succeeded(user), user.screen


def test_what_is_not_there_gets_the_name_of_what_is(user: NewUser) -> None:
    user.types(f"{TUNE} --name mine -- {TRAIN}")
    for line in ("trialwatch get trials mint", "trialwatch get trails"):
        user.types(line)
        assert user.status == 2
        meant = re.findall(r'did you mean "(\S+)"\?|there are ([^, ]+)', user.screen)[0]
        user.types(" ".join((*line.split()[:-1], shlex.quote(meant[0] or meant[1]))))
        assert user.status == 0, user.screen
        assert "Succeeded" in user.screen
    user.types("trialwatch logs mine")
    user.types(f"trialwatch logs {user.finds(r'write (experiment/mine)')}")
    assert (user.status, "val_loss=" in user.screen) == (0, True), user.screen
