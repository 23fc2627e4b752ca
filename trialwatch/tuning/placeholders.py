"""Whether command and parameters fit: each `{name}` needs a `--param`, and the reverse."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from api.faults import nearest
from trialwatch.tuning.command import FILE, OFF, ON, PARAMS_JSON, PARAMS_YAML, Command, command_line
from trialwatch.tuning.corrections import (
    Change,
    LineError,
    Words,
    param_added,
    param_left_out,
    program_instead,
)
from trialwatch.tuning.guess import usual_space
from trialwatch.tuning.space import Space

_ALL = (PARAMS_JSON, PARAMS_YAML)
_TAKES_NO_VALUE = re.compile(r"argument (?:-\w/)?(--[\w-]+): ignored explicit argument")


def misfits(
    command: Command, spaces: Mapping[str, Space], *, has_file: bool
) -> tuple[LineError, ...]:
    """Return what does not fit, one error each, with what to write.

    `has_file` says whether the user has named a file with metrics, so that `{file}` has a value.
    """
    known = {*spaces, *_ALL, *([FILE] if has_file else ())}
    unknown = [name for name in command.placeholders if name not in known]
    unused = [name for name in spaces if name not in command.placeholders]
    if any(name in command.placeholders for name in _ALL):
        unused = []
    return (
        *_switch_faults(command, spaces),
        *(_unknown(name, spaces, unused) for name in unknown),
        *(
            _unused(name, command, spaces[name])
            for name in unused
            if not any(_alike(name, other) for other in unknown)
        ),
    )


# -- switches -------------------------------------------------------------------------------


def _switch_faults(command: Command, spaces: Mapping[str, Space]) -> Iterator[LineError]:
    flag = command.joined_switch
    if flag and f"{flag}={{{flag}}}" in command.words:
        yield LineError(
            f"{{{flag}}} is the flag itself: write {{{flag}}} in place of {flag}={{{flag}}}",
            program_instead(_replaced(f"{flag}={{{flag}}}", f"{{{flag}}}")),
        )
    elif flag:
        name = flag.lstrip("-")
        param = f'{name}="{flag}",""'
        yield LineError(
            f"{{{flag}}} is only a part of a word, where no word can be left out: write {{{name}}}"
            f" there, and --param '{param}'",
            program_instead(_replaced(f"{{{flag}}}", f"{{{name}}}")),
            param_added(param),
        )
    for name in command.switches:
        if name in spaces and {*spaces[name].feasible.list} != {ON, OFF}:
            given = f"{name}={spaces[name]}"
            yield LineError(
                f"{{--{name}}} is there or left out, so --param {given} has no effect: delete it,"
                f" or write --{name}={{{name}}} for a flag with a value",
                param_left_out(f"{name}="),
            )


def switch_meant(words: Sequence[str], output: str) -> str:
    """Return the line in which a flag is a switch, if a program's output says it takes no value.

    Python's argparse says so: `argument --amp: ignored explicit argument 'on'`. Else "".
    """
    said = _TAKES_NO_VALUE.search(output)
    if not said:
        return ""
    flag = said[1]
    name = flag.lstrip("-")
    line = tuple(words)
    for change in (
        program_instead(
            lambda program: tuple(
                f"{{{flag}}}" if word.startswith(f"{flag}=") else word for word in program
            )
        ),
        param_left_out(f"{name}="),
    ):
        line = change(line)
    return command_line(("trialwatch", *line))


# -- places without a parameter -------------------------------------------------------------


def _unknown(name: str, spaces: Mapping[str, Space], unused: list[str]) -> LineError:
    if name == FILE:
        return LineError(
            "{file} in the command is the path of the file with the metrics:"
            " add --file NAME, such as --file metrics.log"
        )
    similar = next((other for other in unused if _alike(name, other)), None)
    if similar is not None:
        return LineError(
            f"{{{name}}} in the command has no --param, and --param {similar} is not used:"
            f" write {{{similar}}} in the command, or --param {name}={spaces[similar]}",
            program_instead(_replaced(f"{{{name}}}", f"{{{similar}}}")),
        )
    return LineError(
        f"{{{name}}} in the command has no --param: add --param {name}=SPACE, such as"
        f" --param {name}=0.001..0.1:log, --param {name}=2..5 or --param {name}=adam,sgd;"
        f" for the text {{{name}}} itself, write {{{{{name}}}}}",
        param_added(f"{name}={usual_space(name)}"),
    )


def _alike(name: str, other: str) -> bool:
    return bool(nearest(name, [other]))


# -- parameters without a place -------------------------------------------------------------


def _unused(name: str, command: Command, space: Space) -> LineError:
    place = f"{{{name}}}"
    use, change = next(
        _uses(name, command, space), (f"--{name}={place}", _appended(f"--{name}={place}"))
    )
    return LineError(
        f"--param {name} has no effect, because the command has no {place}:"
        f" write {place} where its value belongs, such as {use},"
        f" or delete --param {name}={space}",
        program_instead(change),
    )


def _uses(name: str, command: Command, space: Space) -> Iterator[tuple[str, Change]]:
    """Yield the part of the command that is probably meant, and the change to it."""
    place = f"{{{name}}}"
    flag = re.compile(rf"(-{{1,2}}{re.escape(name)}|{re.escape(name)})(=.*)?", re.IGNORECASE)
    for variable, value in command.variables:
        if variable.lower() == name.lower():
            text = f"{variable}={place}"
            yield text, _replaced(f"{variable}={value}", text)
    for word, following in zip(command.words, (*command.words[1:], "-"), strict=True):
        found = flag.fullmatch(word.replace("_", "-")) or flag.fullmatch(word)
        if found and found[2]:
            text = f"{word.partition('=')[0]}={place}"
            yield text, _replaced(word, text)
        elif found and word.startswith("-") and not following.startswith("-"):
            yield command_line([word, place]), _value_replaced(word, place)
        elif found and word.startswith("-") and {*space.feasible.list} == {ON, OFF}:
            yield f"{{{word}}} in the place of {word}", _replaced(word, f"{{{word}}}")
        shell = re.search(rf"\$(?:\{{{re.escape(name)}\}}|{re.escape(name)}\b)", word)
        if shell:
            use = f"{place} in the place of {shell[0]}"
            yield use, _replaced(word, word.replace(shell[0], place))


def _replaced(old: str, new: str) -> Change:
    """Return the change of a text in the words of a program."""

    def change(words: Words) -> Words:
        if old in words:
            return tuple(new if word == old else word for word in words)
        return tuple(word.replace(old, new) for word in words)

    return change


def _value_replaced(flag: str, value: str) -> Change:
    """Return the change of the word behind a flag."""

    def change(words: Words) -> Words:
        index = words.index(flag) + 1
        return (*words[:index], value, *words[index + 1 :])

    return change


def _appended(word: str) -> Change:
    return lambda words: (*words, word)
