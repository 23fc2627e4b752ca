"""Run a program once, show its output, and keep it to find the metrics in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from api.errors import UserError
from api.types import Assignment, ParameterSpec
from trialwatch.tuning.command import FILE, Command
from trialwatch.tuning.output_sample import OutputSample
from trialwatch.tuning.parameter_files import file_content, params_files_of

_CHUNK = 1 << 16
_UNBUFFERED = {"PYTHONUNBUFFERED": "1"}
"""Python prints to a pipe in blocks; the user should see each line at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneRun:
    """How a program ended, and what it wrote."""

    status: int
    output: bytes
    """Its output, or the content of the file with its metrics; of a long one, start and end."""
    length: int
    """How many bytes the output has."""
    interrupted: bool = False


def run_once(
    command: Command,
    parameters: Sequence[ParameterSpec],
    values: Sequence[Assignment],
    metrics_file: str | None,
) -> OneRun:
    """Run a program with these values to its end, or until Ctrl-C.

    Args:
        command: the program, with places for parameters.
        parameters: the parameters, for a file with all of them.
        values: a value for each parameter.
        metrics_file: the name or path of the file with the metrics; None: they are in the output.

    Raises:
        UserError: the program cannot be started, or the file does not exist afterwards.
    """
    by_name = {one.name: one.value for one in values}
    with tempfile.TemporaryDirectory(prefix="trialwatch-") as folder:
        file = Path(metrics_file) if metrics_file else None
        if file and FILE in command.placeholders:
            file = Path(folder) / file.name
        paths = _params_files(command, parameters, by_name, folder)
        places = {**by_name, **paths, **({FILE: str(file)} if file else {})}
        before = file.stat().st_mtime_ns if file and file.exists() else None
        done = _run(command.filled(lambda name: places[name]))
        if file is None:
            return done
        if not file.exists() or file.stat().st_mtime_ns == before:
            raise UserError(f"the program did not write the file {metrics_file}: correct --file")
        sample = _sample_of(file)
        return replace(done, output=sample.text, length=sample.length)


def _sample_of(file: Path) -> OutputSample:
    sample = OutputSample()
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            sample.feed(chunk)
    return sample


def _params_files(
    command: Command, parameters: Sequence[ParameterSpec], values: Mapping[str, str], folder: str
) -> dict[str, str]:
    """Write the files of parameters; return their paths by placeholder."""
    paths: dict[str, str] = {}
    for file in params_files_of(command):
        text = file_content(file, parameters)
        for name, value in values.items():
            text = text.replace(f"${{trialParameters.{name}}}", value)
        path = Path(folder) / file.placeholder
        path.write_text(text + "\n", encoding="utf-8")
        paths[file.placeholder] = str(path)
    return paths


def _run(command: Command) -> OneRun:
    sample, interrupts = OutputSample(), _Interrupts()
    # Before the program starts: Ctrl-C may come at once.
    with interrupts, _started(command) as process:
        interrupts.process = process
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        while chunk := os.read(process.stdout.fileno(), _CHUNK):
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            sample.feed(chunk)
    return OneRun(
        status=process.returncode,
        output=sample.text,
        length=sample.length,
        interrupted=interrupts.count > 0,
    )


def _started(command: Command) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - it is the user's own command
            command.words,
            env={**os.environ, **_UNBUFFERED, **dict(command.variables)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        raise UserError(f"cannot start {command.words[0]!r}: {error.strerror}") from None


class _Interrupts:
    """Ctrl-C while a program runs: the terminal sends it to the program too; the second one kills.

    A handler, because an exception could come at any moment, and so end the first look itself.
    """

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.count = 0

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGINT, self._note)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self.count > 1:
            if self.process is not None:
                self.process.kill()
        else:
            os.write(sys.stderr.fileno(), b"ending the program; Ctrl-C again kills it\n")
