"""Which files a command line certainly needs; everything doubtful is left out."""

from __future__ import annotations

import shlex

import pytest

from runner.commands.script_words import UNKNOWN, used_files

X = UNKNOWN


def files(line: str) -> list[str]:
    return [file.name for file in used_files(shlex.split(line))]


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("python train.py --lr 0.1", ["python", "train.py"]),
        (f"python3.11 -u -W ignore -Xdev train.py {X}", ["python3.11", "train.py"]),
        ("/usr/bin/python -Wi train.py", ["/usr/bin/python", "train.py"]),
        ("bash -eu -o pipefail train.sh", ["bash", "train.sh"]),
        ("sh +x train.sh", ["sh", "train.sh"]),
        ("Rscript --vanilla=1 train.R", ["Rscript", "train.R"]),
        ("julia --project=. train.jl", ["julia", "train.jl"]),
        ("node train.js", ["node", "train.js"]),
        ("./train --lr 0.1", ["./train"]),
        ("env A=1 B=2 python train.py", ["env", "python", "train.py"]),
        ("sh -c 'python train.py'", ["sh", "python", "train.py"]),
        (f"bash -euxo pipefail -c 'LR={X} exec python3 train.py --lr={X}'", ["bash", "python3", "train.py"]),
        ("sh -c 'sh -c \"python $X train.py\"'", ["sh", "sh"]),
    ],
)  # fmt: skip
def test_a_simple_command_needs_its_program_and_its_script(line: str, needed: list[str]) -> None:
    assert files(line) == needed


@pytest.mark.parametrize(
    "line",
    [
        "python -m train",
        "python -c 'open(\"x.py\")'",
        "python -uc 1",
        "python - train.py",
        "python --new-option train.py",
        "python -Z train.py",
        "python",
        f"python {X}.py",
        f"python train_{X}.py",
        "bash -s train.sh",
        "bash --rcfile x train.sh",
        "sh -",
        "sh -c 'cd src && python train.py'",
        "sh -c 'python missing.py || python train.py'",
        "sh -c 'python missing.py; python train.py'",
        "sh -c '$PYTHON train.py'",
        "sh -c 'PATH=/opt/bin python train.py'",
        "sh -c 'unclosed \"'",
        "perl -S train.pl",
        "node train",
        "julia --project train.jl",
        "env PATH=/opt/bin python train.py",
        "env -i python train.py",
        "torchrun --nproc-per-node 2 train.py",
    ],
)
def test_what_is_not_certain_needs_no_script(line: str) -> None:
    assert not [name for name in files(line) if "." in name.rpartition("/")[2]]


def test_a_program_with_a_parameter_in_its_name_is_not_known() -> None:
    assert files(f"{X} train.py") == []


def test_a_file_in_the_text_of_a_shell_has_the_place_of_that_text() -> None:
    words = ["env", "A=1", "sh", "-c", "python train.py"]

    assert [(file.name, file.word) for file in used_files(words)] == [
        ("env", 0),
        ("sh", 2),
        ("python", 4),
        ("train.py", 4),
    ]
