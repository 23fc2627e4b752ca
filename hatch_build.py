"""Adds to a wheel the launcher in C, and the manual page that `make dist` has written.

The launcher needs a C compiler and a static C library on this machine. A wheel with it has the tag
of its machine, and `trialwatch run` starts trainers with it. Without it, a wheel is for any
machine, and the launcher in Python does the same work.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FLAGS = ("-static", "-O2", "-s")
_IN_WHEEL = "trialwatch/_packages/launcher/launch"
_MANUAL = "TRIALWATCH_MANUAL"
"""The variable with the path of the manual page: it cannot be written without the dependencies."""


class LauncherHook(BuildHookInterface[BuilderConfig]):
    """Runs before and after a wheel is written."""

    _folder: str | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add files to the wheel; `version` is `standard` or `editable`."""
        if version == "editable":
            return
        if manual := os.environ.get(_MANUAL):
            build_data["shared_data"][manual] = "share/man/man1/trialwatch.1"
        compiler = shutil.which(os.environ.get("CC", "cc"))
        if compiler is not None and sys.platform == "linux":
            self._add_launcher(compiler, build_data)

    def _add_launcher(self, compiler: str, build_data: dict[str, Any]) -> None:
        self._folder = tempfile.mkdtemp(prefix="trialwatch-")
        program = Path(self._folder, "launch")
        sources = sorted(str(path) for path in Path(self.root, "launcher").glob("*.c"))
        command = [compiler, *_FLAGS, "-o", str(program), *sources]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - this machine's compiler
        if done.returncode:
            self.app.display_warning(
                "the launcher in C is not in this wheel, because it cannot be compiled:"
                f" {done.stderr.strip()}"
            )
            return
        build_data["force_include"][str(program)] = _IN_WHEEL
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{_platforms(os.uname().machine)}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - the hook's interface
        """Remove what `initialize` has made."""
        if self._folder is not None:
            shutil.rmtree(self._folder)


def _platforms(machine: str) -> str:
    """Return the platforms of a static program: each Linux, whatever its C library is."""
    return f"manylinux_2_17_{machine}.musllinux_1_1_{machine}"
