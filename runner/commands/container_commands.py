"""Check the containers of a pod: their programs, scripts and working directories are here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from posixpath import basename, dirname, join, normpath

from api.errors import Fault, UserError
from api.faults import invalid, nearest
from runner.commands.local_files import Files
from runner.commands.script_words import UNKNOWN, Use, UsedFile, used_files
from runner.pods.bind_mounts import BindMount, binds_of
from runner.pods.environment import environment_of, variables_of
from runner.pods.expansion import expand
from runner.pods.pod_spec import Container, Pod


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BUILTINS = _words(
    ". : cd command eval exit export false if let read return set source test time trap true type"
    " ulimit umask unset wait"
)
_LONGER = 3
"""How many characters a similar program's name may be longer or shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What a container gets from this machine."""

    environ: Mapping[str, str]
    cwd: str
    """The working directory of a container without workingDir."""
    files: Files


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFaults:
    """The result of a check."""

    faults: tuple[Fault, ...] = ()
    """What certainly cannot run."""
    warnings: tuple[Fault, ...] = ()
    """What cannot run, unless another container brings the file."""


def command_faults(pod: Pod, path: str, host: Host) -> CommandFaults:
    """Check all containers of a pod; `path` is that of its spec. Texts may contain `UNKNOWN`."""
    listed = (("initContainers", pod.init_containers), ("containers", pod.containers))
    found = [
        fault
        for kind, containers in listed
        for i, container in enumerate(containers)
        for fault in _Check(pod, container, host).faults(f"{path}.{kind}[{i}]")
    ]
    alone = len(pod.containers) + len(pod.init_containers) == 1
    return CommandFaults(
        faults=tuple(fault for fault, certain in found if certain and alone),
        warnings=tuple(
            fault if alone else _doubtful(fault)
            for fault, certain in found
            if not (certain and alone)
        ),
    )


def _doubtful(fault: Fault) -> Fault:
    why = f"{fault.message}; ignore this if another container of the pod creates it"
    return replace(fault, message=why)


class _Check:
    """The check of one container."""

    def __init__(self, pod: Pod, container: Container, host: Host) -> None:
        self._container, self._host = container, host
        env = tuple(
            replace(one, field_path="", value=UNKNOWN) if one.field_path else one
            for one in container.env
        )
        variables = variables_of(replace(container, env=env), pod)
        words = (*container.command, *container.args)
        self._words = tuple(expand(word, variables) for word in words)
        self._path = environment_of(variables, host.environ).get("PATH", os.defpath)
        self._binds = _binds(pod, container)
        self._cwd = join(host.cwd, container.working_dir) if container.working_dir else host.cwd

    def faults(self, path: str) -> Iterator[tuple[Fault, bool]]:
        """Yield what is missing, and whether this is certain."""
        if self._binds is None:
            return
        place = self._here(self._cwd)
        if place is None:
            return
        if self._host.files.missing(place):
            hint = nearest(basename(place), self._host.files.names(dirname(place)))
            why = f"is not a directory of this machine; create it, or correct workingDir{hint}"
            yield invalid(f"{path}.workingDir", self._cwd, why), True
            return
        for file in used_files(self._words):
            why = self._why_missing(file)
            if why:
                yield invalid(self._field(path, file.word), file.name, why), _certain(file)

    def _field(self, path: str, word: int) -> str:
        own = len(self._container.command)
        return f"{path}.command[{word}]" if word < own else f"{path}.args[{word - own}]"

    def _why_missing(self, file: UsedFile) -> str:
        if UNKNOWN in file.name or not file.name:
            return ""
        if file.use in (Use.PROGRAM, Use.SHELL_PROGRAM):
            return self._program(file)
        searched = file.use is Use.SHELL_SCRIPT and "/" not in file.name
        if searched and self._in_path(file.name, executable=False):
            return ""  # a shell reads a script in PATH, even if it cannot be executed
        place = self._here(join(self._cwd, file.name))
        if place is None or not self._host.files.missing(place):
            return ""
        where = f"in {self._cwd}, where trials run"
        if file.name.startswith("/"):
            where = "of this machine, and trials run here without their image"
        return f"is not a file {where}{self._similar(file.name, place)}"

    def _program(self, file: UsedFile) -> str:
        files, name = self._host.files, file.name
        if "/" in name:
            place = self._here(join(self._cwd, name))
            if place is None or files.executable(place):
                return ""
            if files.is_file(place):
                return f"is a file that cannot be executed: chmod +x {name}"
            if not files.missing(place):
                return ""
            why = "is not on this machine, and trials run here without their image; create it"
            return f"{why}, or use another command{self._similar(name, place)}"
        builtin = file.use is Use.SHELL_PROGRAM and name in _BUILTINS
        if builtin or self._in_path(name):
            return ""
        why = "is not on this machine (not found in PATH), and trials run here without their image"
        return f"{why}; install it, or use another command{self._similar_program(name)}"

    def _folders(self) -> list[str | None]:
        """Return the directories of PATH on this machine; None for one that is not known."""
        return [self._here(join(self._cwd, folder)) for folder in self._path.split(os.pathsep)]

    def _in_path(self, name: str, *, executable: bool = True) -> bool:
        """Return whether a file is in PATH, or may be."""
        found = self._host.files.executable if executable else self._host.files.is_file
        return any(folder is None or found(join(folder, name)) for folder in self._folders())

    def _here(self, path: str) -> str | None:
        """Return the path on this machine; None if it is in a volume of the trial, or unknown."""
        if UNKNOWN in path or (self._binds and ".." in path.split("/")):
            return None
        if not self._binds:
            return path  # not normalized: the folder before `..` may be a symbolic link
        place = normpath(path)
        for bind in reversed(self._binds or ()):
            if place == bind.target or place.startswith(f"{bind.target}/"):
                return None if UNKNOWN in bind.source else bind.source + place[len(bind.target) :]
        return place

    def _similar(self, name: str, place: str) -> str:
        """Return the most similar file: by its name elsewhere, in the same folder, anywhere."""
        files = self._host.files
        below = files.below(self._here(self._cwd) or self._cwd)
        for other in below:
            if basename(other) == basename(name):
                return f'; did you mean "{other}"?'
        folder = dirname(place)
        near = {join(dirname(name), one): one for one in files.names(folder)}
        return nearest(name, near) or nearest(name, below)

    def _similar_program(self, name: str) -> str:
        if self._host.files.is_file(self._here(join(self._cwd, name)) or ""):
            return f'; did you mean "./{name}"?'
        known = dict.fromkeys(
            other
            for folder in self._folders()
            for other in self._host.files.names(folder or "")
            if other[:1] == name[:1] and abs(len(other) - len(name)) <= _LONGER
        )
        return nearest(name, known)


def _binds(pod: Pod, container: Container) -> tuple[BindMount, ...] | None:
    """Return the mounts, those of an emptyDir from an unknown place; None if they are unknown."""
    try:
        binds = binds_of(container, pod, UNKNOWN)
    except UserError:
        return None
    return None if any(UNKNOWN in bind.target for bind in binds) else binds


def _certain(file: UsedFile) -> bool:
    """Return whether the command must fail; a shell may know a function of this name."""
    return file.use is not Use.SHELL_PROGRAM
