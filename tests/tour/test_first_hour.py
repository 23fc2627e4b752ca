"""docs/first-hour.md is true: its commands run, one after the other, and print what it shows.

A block with `$ ` has commands and their output. `…` stands for any text; a line that is only `…`
stands for any number of lines.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.tree import ROOT

TEXT = (ROOT / "docs" / "first-hour.md").read_text(encoding="utf-8")
ANYTHING = "…"


@dataclass(frozen=True)
class Step:
    command: str
    output: str


def steps() -> Iterator[Step]:
    for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", TEXT, re.MULTILINE):
        lines = textwrap.dedent(block).strip("\n").split("\n")
        if not any(line.startswith("$ ") for line in lines):
            continue
        for part in re.split(r"^\$ ", "\n".join(lines), flags=re.MULTILINE)[1:]:
            yield Step(*_command_and_output(part.rstrip("\n").split("\n")))


def _command_and_output(lines: list[str]) -> tuple[str, str]:
    """Split at the end of the command: behind continued lines, or behind a here-document."""
    end = 1
    while lines[end - 1].endswith("\\"):
        end += 1
    if "<< 'END'" in lines[0]:
        end = lines.index("END") + 1
    return "\n".join(lines[:end]), "\n".join(lines[end:])


def pattern(output: str) -> re.Pattern[str]:
    lines = []
    for line in output.split("\n"):
        some = ".*".join(re.escape(part) for part in line.split(ANYTHING))
        lines.append(r"(?:.*\n)*" if line == ANYTHING else f"{some}\n")
    return re.compile("".join(lines))


def test_the_commands_of_the_page_print_what_it_shows(tmp_path: Path) -> None:
    [script] = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    (tmp_path / "train.py").write_text(script)
    program = tmp_path / "bin" / "trialwatch"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m trialwatch "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}

    shown = [*steps()]

    assert len(shown) >= 12
    for step in shown:
        done = subprocess.run(
            ["bash", "-c", step.command],
            cwd=tmp_path,
            env={**environ, "KUBECONFIG": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        wanted = pattern(step.output) if step.output else re.compile("")
        assert wanted.fullmatch(done.stdout), f"$ {step.command}\n{done.stdout}"
