"""Whether a program and its script are on this machine, before any trial starts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from api.documents import text_at
from api.errors import UserError
from api.faults import nearest
from api.timestamps import to_micros
from runner.commands.local_files import LocalFiles
from runner.commands.script_words import UNKNOWN, Use, UsedFile, used_files
from runner.state.directory import StateDirectory
from runner.state.documents import read_document
from trialwatch.tuning.command import Command, command_line

_SCRIPTS = (".py", ".sh", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl", ".R", ".jl", ".lua", ".php")
_OTHERS = {"python": ("python3",), "python3": ("python",), "pip": ("pip3",), "nodejs": ("node",)}
_SHELL_WORDS = ("cd", "source", "export", "eval", "exec", "ulimit", "set", "alias", ".")
_INTERPRETERS = {
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
        UserError: one of them does not exist; says which one is probably meant.
    """
    path = dict(command.variables).get("PATH", environ.get("PATH", os.defpath))
    program = command.words[0]
    unknown = "{" in program and " " not in program  # a parameter chooses the program
    if not unknown and shutil.which(program, path=path) is None:
        raise UserError(_no_program(command, path))
    for file in _scripts(command):
        searched = file.use is Use.SHELL_SCRIPT and "/" not in file.name
        found = searched and any(Path(folder, file.name).is_file() for folder in path.split(":"))
        if LocalFiles().missing(str(Path.cwd() / file.name)) and not found:
            raise UserError(
                f"{file.name!r} does not exist in {Path.cwd()}{_similar_file(file.name)}"
            )


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


def _no_program(command: Command, path: str) -> str:
    program, rest = command.words[0], command.words[1:]
    file = Path(program)
    if file.is_dir():
        return f"{program!r} is a directory: write a program behind --"
    if file.is_file():
        return _not_started(file, rest)
    if program in _SHELL_WORDS:
        return f"{program!r} is a word of the shell: write -- sh -c '{program} ... && ...'"
    if " " in program.strip():
        return f"the command is one word, because it is in quotes: write -- {program}"
    if "/" in program:
        return f"the program {program!r} does not exist in {Path.cwd()}{_similar_file(program)}"
    return _not_installed(program, rest, path)


def _not_installed(program: str, rest: tuple[str, ...], path: str) -> str:
    others = [other for other in _OTHERS.get(program, ()) if shutil.which(other, path=path)]
    if others:
        line = command_line((others[0], *rest))
        return f"this machine has no program {program!r}, but {others[0]!r}: write -- {line}"
    names = [name for name in _programs(path) if name[0] == program[0]]
    hint = nearest(program, names) or ": install it, or write its path"
    return f"this machine has no program {program!r}{hint}"


def _not_started(file: Path, rest: tuple[str, ...]) -> str:
    """Say how to start a file that is in the current directory."""
    if os.access(file, os.X_OK):
        line = command_line((f"./{file}", *rest))
        return f"{str(file)!r} is a file here, but not in PATH: write -- {line}"
    line = command_line((_INTERPRETERS.get(file.suffix, "sh"), str(file), *rest))
    return f"{str(file)!r} is a file that cannot be executed: write -- {line}, or chmod +x {file}"


def _programs(path: str) -> list[str]:
    folders = [Path(folder) for folder in path.split(os.pathsep) if folder]
    return sorted({file.name for folder in folders if folder.is_dir() for file in folder.iterdir()})


def _scripts(command: Command) -> Iterator[UsedFile]:
    """Yield the scripts that the command certainly needs, such as train.py of python."""
    for file in used_files(command.filled(lambda _: UNKNOWN).words):
        if file.use in (Use.SCRIPT, Use.SHELL_SCRIPT) and UNKNOWN not in file.name:
            yield file


def _similar_file(script: str) -> str:
    folder = Path(script).parent
    names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    hint = nearest(Path(script).name, names)
    if hint:
        return hint
    scripts = sorted(name for name in names if name.endswith(_SCRIPTS))[:5]
    return f": write one of {', '.join(scripts)}" if scripts else ": write the path of your script"
