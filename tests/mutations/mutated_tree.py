"""A copy of the tree, in which one file at a time is mutated and tests run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, files
from tests.mutations.table import Mutation

_PYTEST = ("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header")
_LINES_SHOWN = 40


class Result(StrEnum):
    """What the tests said."""

    PASSED = "passed"
    FAILED = "failed"
    HUNG = "hung"
    BROKEN = "broken"
    """They could not run, so they show nothing: the mutation breaks an import, or pytest does not
    know a test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of pytest."""

    result: Result
    seconds: float
    output: str
    """The end of what it printed."""


class MutatedTree:
    """The copy. The tests in it load the product from it, also in the programs that they start."""

    def __init__(self, folder: Path, *, source: Path = ROOT) -> None:
        """Copy the repository's files into a folder that does not exist yet."""
        self._folder = folder
        self._moment = int(time.time()) + 10
        for path in files() if source == ROOT else source.rglob("*"):
            if path.is_file():
                copy = folder / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, copy)

    @contextmanager
    def with_mutation(self, mutation: Mutation) -> Iterator[None]:
        """Mutate a file; put it back at the end.

        Raises:
            StaleRow: the row does not fit the file.
        """
        path = self._folder / mutation.file
        text = path.read_text(encoding="utf-8")
        self._write(path, mutation.mutated(text))
        try:
            yield
        finally:
            self._write(path, text)

    def _write(self, path: Path, text: str) -> None:
        """Write a file with a time of its own: Python compares times to see that code is new."""
        path.write_text(text, encoding="utf-8")
        self._moment += 10
        os.utime(path, (self._moment, self._moment))

    def run(self, tests: Sequence[str], *, most_seconds: float) -> Run:
        """Run tests until the first one fails."""
        # CI: properties are checked with the same examples each time.
        environ = {**os.environ, "PYTHONPATH": str(self._folder), "CI": "true"}
        begun = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *_PYTEST, *tests],
            cwd=self._folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=most_seconds)
            result = _result_of(process.returncode)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            result = Result.HUNG
        except BaseException:  # such as Ctrl-C: the tests are in a session of their own
            os.killpg(process.pid, signal.SIGKILL)
            raise
        shown = "\n".join(output.splitlines()[-_LINES_SHOWN:])
        return Run(result=result, seconds=time.monotonic() - begun, output=shown)


def _result_of(status: int) -> Result:
    if status == pytest.ExitCode.OK:
        return Result.PASSED
    return Result.FAILED if status == pytest.ExitCode.TESTS_FAILED else Result.BROKEN
