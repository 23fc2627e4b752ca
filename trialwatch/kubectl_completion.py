"""`kubectl_complete-trialwatch WORD...`: what kubectl offers for the last word, perhaps empty.

kubectl runs this program when a shell completes `kubectl trialwatch ...`, and reads the form of
Cobra's `__complete`: one candidate a line, a tab before its description, and at the end a colon
with a directive for the shell.
"""

from __future__ import annotations

import sys
from enum import IntEnum
from typing import TYPE_CHECKING

from trialwatch import own_packages  # noqa: F401 - finds all that is imported below

# isort: split

from trialwatch.command_line.parser import COMMANDS
from trialwatch.command_line.plugin import command_first
from trialwatch.commands.completion import Candidate, candidates

if TYPE_CHECKING:
    from collections.abc import Sequence


class Directive(IntEnum):
    """What the shell does beside offering the candidates, in Cobra's numbers."""

    FILES = 0
    NO_FILES = 4


def main(argv: Sequence[str] | None = None) -> int:
    """Print the candidates and the directive; return 0."""
    words = list(sys.argv[1:] if argv is None else argv) or [""]
    found = candidates([*command_first(words[:-1], COMMANDS), words[-1]])
    for candidate in found or ():
        print(_line(candidate))
    print(f":{Directive.FILES if found is None else Directive.NO_FILES}")
    return 0


def _line(candidate: Candidate) -> str:
    description = " ".join(candidate.description.split())
    return f"{candidate.word}\t{description}" if description else candidate.word
