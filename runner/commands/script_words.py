"""The program and the script of a command line, as far as they are certain.

python3 -u train.py --lr 0.1               program python3, script train.py
sh -c "LR=0.1 python train.py | tee log"   program sh; the rest is a program of the shell
env A=1 sh -c "python train.py"            programs env and sh, script train.py
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from posixpath import basename

UNKNOWN = "\0"
"""Stands in a word for text that is only known in a trial."""
_MOST_LEVELS = 5
_PYTHON = re.compile(r"(?:python|pypy)[0-9.]*")
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh"})
_OTHERS = frozenset({"perl", "ruby", "julia", "Rscript", "php", "lua", "luajit"})
"""Interpreters whose first argument is the script, unless it is an option."""
_WRAPPERS = frozenset({"env", "nohup", "exec"})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_SHELL_PROGRAM = re.compile(r"[;&|()<>`\n#!{}]|\$\(")
"""What makes a text more than one simple command."""
_EXPANDED = re.compile(r"[$*?\[~]")
"""What a shell replaces in a word."""
_PYTHON_FLAGS = frozenset("bBdEiIOPqRsSuvx")


class Use(StrEnum):
    """What a command line does with a file."""

    PROGRAM = "program"
    SHELL_PROGRAM = "shell-program"
    """A program or a builtin of a shell."""
    SCRIPT = "script"
    SHELL_SCRIPT = "shell-script"
    """A script that a shell looks for in PATH too."""


@dataclass(frozen=True, slots=True)
class UsedFile:
    """A file that a command line needs."""

    name: str
    use: Use
    word: int
    """The index of the word with the name."""


def used_files(words: Sequence[str]) -> Iterator[UsedFile]:
    """Yield the files that a command line certainly needs; doubtful ones are left out."""
    yield from _used(words, in_shell=False, levels=_MOST_LEVELS)


def _used(words: Sequence[str], *, in_shell: bool, levels: int) -> Iterator[UsedFile]:
    if not words or not levels or UNKNOWN in words[0]:
        return
    program = basename(words[0])
    if not (in_shell and program == "exec"):
        yield UsedFile(words[0], Use.SHELL_PROGRAM if in_shell else Use.PROGRAM, 0)
    if program in _WRAPPERS:
        yield from _wrapped(words, levels - 1)
    elif program in _SHELLS:
        yield from _of_a_shell(words, levels - 1)
    else:
        script = _python_script(words) if _PYTHON.fullmatch(program) else _script(program, words)
        if script is not None and UNKNOWN not in words[script]:
            yield UsedFile(words[script], Use.SCRIPT, script)


def _wrapped(words: Sequence[str], levels: int) -> Iterator[UsedFile]:
    """Continue with the command behind `env A=1`; an option or another PATH makes it unknown."""
    start = 1
    while start < len(words) and _ASSIGNMENT.match(words[start]):
        if words[start].startswith("PATH="):
            return
        start += 1
    if start < len(words) and not words[start].startswith("-"):
        inner = _used(words[start:], in_shell=False, levels=levels)
        yield from (replace(file, word=file.word + start) for file in inner)


def _python_script(words: Sequence[str]) -> int | None:
    """Return the index of the script; None without one, or if an option is not known."""
    index = 1
    while index < len(words):
        word = words[index]
        if not word.startswith("-"):
            return index
        letters = word[1:]
        while letters and letters[0] in _PYTHON_FLAGS:
            letters = letters[1:]
        if letters[:1] in ("W", "X"):
            index += 1 if letters[1:] else 2
        elif letters or word == "-":
            return None  # -c, -m, standard input, or an option of a later version
        else:
            index += 1
    return None


def _script(program: str, words: Sequence[str]) -> int | None:
    """Return the index of the script of another interpreter; options may only be `--name=value`."""
    index = 1
    while index < len(words) and words[index].startswith("--") and "=" in words[index]:
        index += 1
    if index >= len(words) or words[index].startswith("-"):
        return None
    if program == "node":  # it completes a name without an ending
        return index if words[index].endswith((".js", ".mjs", ".cjs")) else None
    return index if program in _OTHERS else None


def _of_a_shell(words: Sequence[str], levels: int) -> Iterator[UsedFile]:
    """Continue with the script of a shell, or with its command behind -c."""
    index, command = 1, False
    while index < len(words) and words[index][:1] in ("-", "+") and len(words[index]) > 1:
        word = words[index]
        index += 1
        if word == "--":
            break
        if word.startswith("--") or "s" in word:
            return  # a long option may have a value; -s reads standard input
        command = command or "c" in word
        index += 1 if "o" in word or "O" in word else 0
    if index >= len(words):
        return
    if command:
        inner = _used(_simple_command(words[index]), in_shell=True, levels=levels)
        yield from (replace(file, word=index) for file in inner)
    elif words[index] != "-" and UNKNOWN not in words[index]:
        yield UsedFile(words[index], Use.SHELL_SCRIPT, index)


def _simple_command(text: str) -> list[str]:
    """Split the text of a shell; empty if it is more than one simple command."""
    if _SHELL_PROGRAM.search(text):
        return []
    try:
        words = shlex.split(text)
    except ValueError:
        return []
    while words and _ASSIGNMENT.match(words[0]):
        if words[0].startswith("PATH="):
            return []
        del words[0]
    return [UNKNOWN if _EXPANDED.search(word) else word for word in words]
