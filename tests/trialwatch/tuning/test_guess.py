"""Parameters that a command with values seems to have."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialwatch.tuning.command import read_command
from trialwatch.tuning.guess import Guess, guess_of, guess_parameters
from trialwatch.tuning.next_line import command_words
from trialwatch.tuning.placeholders import misfits


def guess(line: str, *, lists: bool = True) -> Guess:
    return guess_parameters(read_command(shlex.split(line)), lists=lists)


@pytest.mark.parametrize(
    ("line", "with_places", "spaces"),
    [
        (
            "python train.py --lr 0.1 --opt adam",
            "python train.py --lr {lr} --opt {opt}",
            {"lr": "0.01..1:log", "opt": "adam"},
        ),
        (
            "./train --batch-size=32",
            "./train --batch-size={batch-size}",
            {"batch-size": "16,32,64"},
        ),
        ("LR=0.1 ./train.sh", "LR={lr} ./train.sh", {"lr": "0.01..1:log"}),
        (
            "python t.py optimizer.lr=0.001 +x=4",
            "python t.py optimizer.lr={optimizer.lr} +x={x}",
            {"optimizer.lr": "0.0001..0.01:log", "x": "2..8"},
        ),
        (
            "./t --dropout 0.2 -n 3",
            "./t --dropout {dropout} -n {n}",
            {"dropout": "0.1..0.6", "n": "1..6"},
        ),
        ("./t --nesterov True", "./t --nesterov {nesterov}", {"nesterov": "True,False"}),
        (
            "./t --alpha=-0.5 --z 0",
            "./t --alpha={alpha} --z {z}",
            {"alpha": "-1..-0.25", "z": "0.0..1.0"},
        ),
        ("./t --x=1 --x=4", "./t --x={x} --x={x-2}", {"x": "1..2", "x-2": "2..8"}),
        # how to train stays, and so do paths, commands and what is written in braces
        ("python t.py --epochs 10 --seed=1", "python t.py --epochs 10 --seed=1", {}),
        ("python t.py --data ./x.csv 5 -v", "python t.py --data ./x.csv 5 -v", {}),
        ("sh -c 'echo 1'", "sh -c 'echo 1'", {}),
        ("./t {lr}", "./t {{lr}}", {}),
    ],
)
def test_values_of_flags_become_parameters(
    line: str, with_places: str, spaces: dict[str, str]
) -> None:
    guessed = guess(line)

    assert list(command_words(guessed.command)) == shlex.split(with_places)
    assert {one.name: str(one.space) for one in guessed.parameters} == spaces


def test_a_single_word_stays_if_a_list_needs_more() -> None:
    guessed = guess("./t --opt adam --lr 0.1", lists=False)

    assert [one.name for one in guessed.parameters] == ["lr"]
    assert guessed.kept == ("opt",)


@given(st.floats(-1e6, 1e6, allow_subnormal=False), st.sampled_from(["lr", "dropout", "size", "x"]))
def test_the_space_contains_the_number(number: float, name: str) -> None:
    text = f"{number:.6g}"
    guessed = guess_of(name, text)

    assert guessed is not None
    feasible = guessed.space.feasible
    if feasible.list:
        assert text in feasible.list
    else:
        assert float(feasible.min) <= float(text) <= float(feasible.max)


@given(st.lists(st.text(alphabet="-lropt=0.1{}adm ", min_size=1, max_size=12), min_size=1))
def test_a_guessed_command_fits_its_parameters_and_keeps_all_words(words: list[str]) -> None:
    command = read_command(["program", *words])

    guessed = guess_parameters(command)

    spaces = {one.name: one.space for one in guessed.parameters}
    assert misfits(guessed.command, spaces, has_file=False) == ()
    values = {one.name: one.value for one in guessed.parameters}
    assert guessed.command.filled(lambda name: values[name]).words == command.words
