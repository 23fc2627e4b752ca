"""What the command line answers to a wrong word, and to a call for help."""

from __future__ import annotations

import pytest

from trialwatch.__main__ import main
from trialwatch.command_line.arguments import _MEANT
from trialwatch.command_line.parser import COMMANDS, module_of


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    try:
        status = main(words)
    except SystemExit as end:
        status = int(str(end.code))
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize(
    ("words", "usage", "message"),
    [
        (
            ["run", "--paralel", "3", "e.yaml"],
            "usage: trialwatch run ",
            'trialwatch run: unknown flag --paralel; did you mean "--parallel"?',
        ),
        (
            # The flag is reported, and not the --file that is missing because of it.
            ["inject", "--fyle=x"],
            "usage: trialwatch inject ",
            'trialwatch inject: unknown flag --fyle; did you mean "--file"?',
        ),
        (
            ["get", "trials", "random", "again"],
            "usage: trialwatch get ",
            "trialwatch get: unexpected argument 'again'; delete it",
        ),
        (
            ["logs", "-q", "random-1"],
            "usage: trialwatch logs ",
            "trialwatch logs: unknown flag -q",
        ),
        (
            ["run", "e.yaml", "--parallel", "two"],
            "usage: trialwatch run ",
            "trialwatch run: argument --parallel: 'two' is not a whole number; write digits",
        ),
        (["rn"], "usage: trialwatch [", "trialwatch: unknown command 'rn'; did you mean \"run\"?"),
        (
            ["my/e.yaml"],
            "usage: trialwatch [",
            "trialwatch: unknown command 'my/e.yaml'; did you mean \"trialwatch run my/e.yaml\"?",
        ),
        (
            ["help"],
            "usage: trialwatch [",
            "trialwatch: unknown command 'help'; did you mean \"trialwatch --help\"?",
        ),
        (
            ["--verison"],
            "usage: trialwatch [",
            'trialwatch: unknown flag --verison; did you mean "--version"?',
        ),
    ],
)
def test_a_wrong_word_gets_the_usage_of_its_command_and_a_similar_word(
    words: list[str], usage: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = answer(capsys, *words)

    assert (status, out) == (2, "")
    assert err.startswith(usage)
    assert err.splitlines()[-1] == message


def test_an_unknown_command_without_a_similar_one_gets_all_of_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, _, err = answer(capsys, "frobnicate")

    assert f"unknown command 'frobnicate'; the commands are {', '.join(COMMANDS)}" in err


def test_a_call_without_a_command_shows_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = answer(capsys)

    assert (status, out) == (2, "")
    assert all(sentence[:40] in err for sentence in COMMANDS.values())


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = answer(capsys, "--version")

    assert (status, out.split()[0]) == (0, "trialwatch")
    assert out.split()[1][0].isdigit()


@pytest.mark.parametrize("command", COMMANDS)
def test_each_help_has_examples_and_fits_into_80_columns(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = answer(capsys, command, "--help")
    examples = module_of(command).EXAMPLES.splitlines()[1:]

    assert status == 0
    assert 1 <= len(examples) <= 2
    assert all(line.startswith(f"    trialwatch {command} ") or " | " in line for line in examples)
    assert all(line in out for line in examples)
    assert max(len(line) for line in out.splitlines()) <= 80


def test_words_of_other_programs_lead_to_commands_that_exist() -> None:
    assert {word for word in _MEANT.values() if not word.startswith("-")} <= set(COMMANDS)
    assert _MEANT.keys().isdisjoint(COMMANDS)
