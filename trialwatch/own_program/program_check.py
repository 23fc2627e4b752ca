"""Whether a program and its script are on this machine, before any trial starts."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from api.documents import text_at
from api.faults import nearest_of
from api.timestamps import to_micros
from runner.commands.local_files import LocalFiles
from runner.commands.script_words import UNKNOWN, Use, UsedFile, used_files
from runner.state.directory import StateDirectory
from runner.state.documents import read_document
from trialwatch.tuning.command import Command, command_line
from trialwatch.tuning.corrections import Change, LineError, program_instead
from trialwatch.tuning.next_line import command_words

_SCRIPTS = (".py", ".sh", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl", ".R", ".jl", ".lua", ".php")
_OTHERS = {"python": ("python3",), "python3": ("python",), "pip": ("pip3",), "nodejs": ("node",)}
_SHELL_WORDS = ("cd", "source", "export", "eval", "exec", "ulimit", "set", "alias", ".")
INTERPRETERS = {
    ".py": "python3",
    ".sh": "sh",
    ".js": "node",
    ".mjs": "node",
    ".rb": "ruby",
    ".pl": "perl",
    ".R": "Rscript",
    ".jl": "julia",
}


def check_program(command: Command, environ: Mapping[str, str]) -> None:
    """Check that the program exists, and the script that it gets.

    Raises:
        LineError: one of them does not exist; says which one is probably meant.
    """
    path = dict(command.variables).get("PATH", environ.get("PATH", os.defpath))
    program = command.words[0]
    unknown = "{" in program and " " not in program  # a parameter chooses the program
    if not unknown and shutil.which(program, path=path) is None:
        raise _no_program(command, path)
    for file in _scripts(command):
        searched = file.use is Use.SHELL_SCRIPT and "/" not in file.name
        found = searched and any(Path(folder, file.name).is_file() for folder in path.split(":"))
        if LocalFiles().missing(str(Path.cwd() / file.name)) and not found:
            why = f"{file.name!r} does not exist in {Path.cwd()}"
            raise _with_similar_file(why, file.name, command)


def program_faults(command: Command, environ: Mapping[str, str]) -> list[LineError]:
    """Return what `check_program` raises, as a list."""
    try:
        check_program(command, environ)
    except LineError as error:
        return [error]
    return []


def changed_script(command: Command, state: StateDirectory) -> Iterator[str]:
    """Yield a sentence if the script has changed since the stored search began."""
    stored = read_document(state.experiment)
    began = text_at(stored, "status", "startTime")
    if not text_at(stored, "status", "currentOptimalTrial", "bestTrialName"):
        return  # without a result, all trials run again
    own = [command.words[0]] if "/" in command.words[0] else []
    for name in [*own, *(file.name for file in _scripts(command))]:
        path = Path(name)
        if began and path.is_file() and path.stat().st_mtime * 1e6 > to_micros(began):
            yield (
                f"{name} has changed since this search began, so its first trials ran another"
                " program; --fresh starts anew"
            )


def _no_program(command: Command, path: str) -> LineError:
    program = command.words[0]
    file = Path(program)
    if file.is_dir():
        return LineError(f"{program!r} is a directory: write a program behind --")
    if file.is_file():
        return _not_started(file, command)
    if program in _SHELL_WORDS:
        return LineError(
            f"{program!r} is a word of the shell: write -- sh -c '{program} ... && ...'",
            *([] if len(command.words) == 1 else [_in_a_shell(command)]),
        )
    if " " in program.strip():
        return LineError(
            f"the command is one word, because it is in quotes: write -- {program}",
            *_split_up(command),
        )
    if "/" in program:
        why = f"the program {program!r} does not exist in {Path.cwd()}"
        return _with_similar_file(why, program, command)
    return _not_installed(command, path)


def _instead(command: Command, *words: str) -> Change:
    """Return the change of the program's words; its variables stay."""
    line = command_words(Command(words=words, variables=command.variables))
    return program_instead(lambda _: line)


def _in_a_shell(command: Command) -> Change:
    return _instead(command, "sh", "-c", command_line(command.words))


def _split_up(command: Command) -> list[Change]:
    with contextlib.suppress(ValueError):
        return [_instead(command, *shlex.split(command.words[0]), *command.words[1:])]
    return []


def _not_installed(command: Command, path: str) -> LineError:
    program, *rest = command.words
    others = [other for other in _OTHERS.get(program, ()) if shutil.which(other, path=path)]
    if others:
        line = command_line((others[0], *rest))
        return LineError(
            f"this machine has no program {program!r}, but {others[0]!r}: write -- {line}",
            _instead(command, others[0], *rest),
        )
    name = nearest_of(program, [name for name in _programs(path) if name[0] == program[0]])
    if name:
        why = f'this machine has no program {program!r}; did you mean "{name}"?'
        return LineError(why, _instead(command, name, *rest))
    return LineError(f"this machine has no program {program!r}: install it, or write its path")


def _not_started(file: Path, command: Command) -> LineError:
    """Say how to start a file that is in the current directory."""
    rest = command.words[1:]
    if os.access(file, os.X_OK):
        words: tuple[str, ...] = (f"./{file}", *rest)
        return LineError(
            f"{str(file)!r} is a file here, but not in PATH: write -- {command_line(words)}",
            _instead(command, *words),
        )
    words = (INTERPRETERS.get(file.suffix, "sh"), str(file), *rest)
    return LineError(
        f"{str(file)!r} is a file that cannot be executed: write -- {command_line(words)},"
        f" or chmod +x {command_line([str(file)])}",
        _instead(command, *words),
    )


def _programs(path: str) -> list[str]:
    folders = [Path(folder) for folder in path.split(os.pathsep) if folder]
    return sorted({file.name for folder in folders if folder.is_dir() for file in folder.iterdir()})


def _scripts(command: Command) -> Iterator[UsedFile]:
    """Yield the scripts that the command certainly needs, such as train.py of python."""
    for file in used_files(command.filled(lambda _: UNKNOWN).words):
        if file.use in (Use.SCRIPT, Use.SHELL_SCRIPT) and UNKNOWN not in file.name:
            yield file


def _with_similar_file(why: str, script: str, command: Command) -> LineError:
    """Return an error with the most similar file in the script's directory."""
    folder = Path(script).parent
    names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    name = nearest_of(Path(script).name, names)
    if name:
        before, slash, _ = script.rpartition("/")
        other = before + slash + name
        words = (other if word == script else word for word in command.words)
        return LineError(f'{why}; did you mean "{name}"?', _instead(command, *words))
    scripts = sorted(name for name in names if name.endswith(_SCRIPTS))[:5]
    if not scripts:
        return LineError(f"{why}: write the path of your script")
    one_of = "one of " if len(scripts) > 1 else ""
    return LineError(f"{why}: write {one_of}{', '.join(scripts)}")


def line_for_a_script(file: str) -> str:
    """Return the line that tunes a script, "" if the file is not one."""
    interpreter = INTERPRETERS.get(Path(file).suffix)
    if interpreter is None or not Path(file).is_file():
        return ""
    return command_line(("trialwatch", "tune", "--", interpreter, file))
