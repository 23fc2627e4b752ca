"""What a user gets to type in place of a wrong line."""

from __future__ import annotations

import pytest

from trialwatch.tuning.command import read_command
from trialwatch.tuning.corrections import (
    LineError,
    param_added,
    param_instead,
    param_left_out,
    program_instead,
    together,
)
from trialwatch.tuning.options import read_params
from trialwatch.tuning.placeholders import misfits

WORDS = ("tune", "--minimize=loss", "--param", "lr=2..1", "--param=n=1..3", "--", "./t", "lr=2..1")


def line(error: LineError, words: tuple[str, ...] = WORDS) -> str:
    return error.with_line(words).partition("\nthe whole line:\n  trialwatch ")[2]


def test_each_change_leaves_the_rest_of_the_line_as_it_is() -> None:
    changes = (
        param_instead("lr=2..1", "lr=1..2"),
        param_left_out("n="),
        param_added("k=1,2"),
        program_instead(lambda program: (*program, "{k}")),
    )

    assert line(LineError("wrong", *changes)) == (
        "tune --minimize=loss --param lr=1..2 --param k=1,2 -- ./t lr=2..1 {k}"
    )


def test_a_name_that_is_given_twice_loses_the_second_one() -> None:
    words = ("tune", "--param", "lr=1..2", "--param", "lr=1..2", "--", "./t", "{lr}")
    with pytest.raises(LineError) as raised:
        read_params(["lr=1..2", "lr=1..2"])

    assert line(raised.value, words) == "tune --param lr=1..2 -- ./t {lr}"


def test_without_a_correction_of_each_fault_no_line_is_given() -> None:
    error = together([LineError("a", param_added("k=1,2")), LineError("b")])

    assert error.with_line(WORDS) == "a\nb"


@pytest.mark.parametrize(
    ("param", "program", "corrected"),
    [
        ("lr=1..2", ("./t", "--lr", "0.1"), "./t --lr {lr}"),
        ("lr=1..2", ("LR=1", "./t"), "LR={lr} ./t"),
        ("lr=1..2", ("sh", "-c", "t $lr"), "sh -c 't {lr}'"),
        ("lr=1..2", ("./t",), "./t --lr={lr}"),
        ("rate=1..2", ("./t", "{rates}"), "./t {rate}"),
        ("amp=on,off", ("./t", "--amp", "--v"), "./t {--amp} --v"),
    ],
)
def test_a_parameter_gets_its_place_where_it_is_probably_meant(
    param: str, program: tuple[str, ...], corrected: str
) -> None:
    words = ("tune", "--param", param, "--", *program)
    [fault] = misfits(read_command(program), read_params([param]), has_file=False)

    assert line(fault, words) == f"tune --param {param} -- {corrected}"
