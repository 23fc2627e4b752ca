"""Commands with places for parameters."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import UserError
from trialwatch.tuning.command import Command, command_line, read_command


def filled(word: str) -> str:
    return read_command(["x", word]).filled(lambda name: f"<{name}>").words[1]


@pytest.mark.parametrize(
    ("word", "result"),
    [
        ("--lr={lr}", "--lr=<lr>"),
        ("{lr},{num-layers}", "<lr>,<num-layers>"),
        ("{{lr}}", "{lr}"),
        ("${lr}", "${lr}"),
        ('{"lr": {lr}, "x": {}}', '{"lr": <lr>, "x": {}}'),
        ('{"a":{"lr":{lr}}}', '{"a":{"lr":<lr>}}'),
        ("{a,b} {1} { lr }", "{a,b} {1} { lr }"),
        ("{params.json}", "<params.json>"),
    ],
)
def test_only_a_name_in_single_braces_is_a_place(word: str, result: str) -> None:
    assert filled(word) == result


def test_assignments_before_the_program_are_variables_as_in_a_shell() -> None:
    command = read_command(["LR={lr}", "EMPTY=", "./train.sh", "A=1", "{layers}"])

    assert command.variables == (("LR", "{lr}"), ("EMPTY", ""))
    assert command.words == ("./train.sh", "A=1", "{layers}")
    assert command.placeholders == ("lr", "layers")


@pytest.mark.parametrize("words", [[], ["LR={lr}"]])
def test_a_missing_program_is_named(words: list[str]) -> None:
    with pytest.raises(UserError, match="the program is missing: write it behind --"):
        read_command(words)


def test_the_text_between_placeholders_is_converted_in_one_piece() -> None:
    command = Command(words=("a{{b}}c{d}e${f}",))

    assert command.filled(str.upper, lambda text: f"[{text}]").words == ("[a{b}c]D[e${f}]",)


@given(st.lists(st.text(min_size=1).filter(lambda word: "\x00" not in word)))
def test_a_line_for_a_shell_has_the_same_words(words: list[str]) -> None:
    assert shlex.split(command_line(words)) == words


def test_a_line_keeps_placeholders_without_quotes() -> None:
    assert command_line(["./a b", "--lr={lr}", "{a,b}"]) == "'./a b' --lr={lr} '{a,b}'"
