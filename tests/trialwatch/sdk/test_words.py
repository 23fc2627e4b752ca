"""The arguments of `trialwatch.tune` are flags of `trialwatch tune`, with the same names."""

from __future__ import annotations

import argparse
import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from trialwatch.commands import tune as tune_command
from trialwatch.sdk.errors import TuneError
from trialwatch.sdk.tuning import tune
from trialwatch.sdk.words import Options, program_words, tune_words

# Flags that have no meaning in Python: the space is an argument, the output is the result, and a
# notebook shows the search itself (`trialwatch ui` shows it in a browser, too).
ELSEWHERE = {
    "--help",
    "-h",
    "--param",
    "--output",
    "--save",
    "--image",
    "--force",
    "--ui",
    "--open",
}


def flags() -> set[str]:
    parser = argparse.ArgumentParser()
    tune_command.add_arguments(parser)
    return {text for action in parser._actions for text in action.option_strings}  # noqa: SLF001


def test_each_flag_is_an_argument_and_each_argument_a_flag() -> None:
    arguments = {f"--{one.name.replace('_', '-')}" for one in fields(Options)}

    assert arguments == flags() - ELSEWHERE
    names = list(inspect.signature(tune).parameters)
    assert names == ["program", "space", *(one.name for one in fields(Options))]


def test_the_words_are_those_of_the_command_line() -> None:
    options = Options(
        maximize="acc", trials=5, goal=0.5, also=["loss"], state_dir=Path("kept"), fresh=True
    )
    words = tune_words(("train", "{lr}"), {"lr": (0.1, 0.5)}, options)

    assert words == (
        *("tune", "--maximize=acc", "--trials=5", "--goal=0.5", "--state-dir", "kept"),
        *("--also=loss", "--fresh", "--param=lr=0.1..0.5", "--", "train", "{lr}"),
    )


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("python train.py --lr={lr} 'a b'", ("python", "train.py", "--lr={lr}", "a b")),
        (["train", Path("a b"), 3], ("train", "a b", "3")),
    ],
)
def test_a_command_is_a_line_or_words(command: str | list[object], words: tuple[str, ...]) -> None:
    assert program_words(command) == words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, 'write maximize="METRIC" or minimize="METRIC"'),
        ({"maximize": "a", "minimize": "b"}, "one metric decides: keep maximize='a'"),
    ],
)
def test_one_metric_decides(options: dict[str, str], words: str) -> None:
    with pytest.raises(TuneError) as caught:
        _ = Options(**options).metric  # type: ignore[arg-type]  # only texts

    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"trials": "5"}, "trials='5' is not a whole number"),
        ({"trials": True}, "trials=True is not a whole number"),
        ({"goal": "high"}, "goal='high' is not a number"),
        ({"also": "loss"}, "also='loss' must be a list: write also=['loss']"),
        ({"name": 5}, "name=5 is not a text"),
    ],
)
def test_an_argument_of_another_type_is_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(TuneError) as caught:
        tune_words(("train",), {}, Options(**options))

    assert str(caught.value) == words


def test_a_line_that_cannot_be_split_is_refused() -> None:
    with pytest.raises(TuneError, match="No closing quotation"):
        program_words("python 'train.py")
    with pytest.raises(TuneError, match="the command is empty"):
        program_words([])
