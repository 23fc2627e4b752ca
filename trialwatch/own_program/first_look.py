"""`trialwatch tune` without an objective: one run, the metrics in its output, the next line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from api.types import Assignment, LogFormat, ObjectiveType
from suggestion.core.search_space import space_of
from trialwatch.own_program.one_run import OneRun, run_once
from trialwatch.tuning.candidates import Candidate, candidates
from trialwatch.tuning.command import command_line
from trialwatch.tuning.guess import Guess, guess_parameters, lone_flags
from trialwatch.tuning.metrics_table import metrics_table
from trialwatch.tuning.next_line import line_with_metric
from trialwatch.tuning.output_sample import PART
from ui.model.formatting import number

if TYPE_CHECKING:
    import argparse

    from trialwatch.tuning.request import TuningRequest

_MIDDLE = 0.5


def first_look(request: TuningRequest, arguments: argparse.Namespace) -> int:
    """Run the program once, and print its metrics and the line to write next.

    Returns:
        the exit status: 0, or 1 if the program failed or printed no metric.
    """
    values = _middle(request)
    shown = " ".join(f"{one.name}={number(one.value)}" for one in values)
    what = f"once with {shown}" if shown else "once as it is"
    print(f"no --maximize or --minimize is given, so the program runs {what}:", flush=True)
    parameters = request.parameters
    done = run_once(request.command, parameters, values, arguments.file)
    as_json = request.metrics_file and request.metrics_file.format is LogFormat.JSON
    log_format = LogFormat.JSON if as_json else LogFormat.TEXT
    found = [
        one
        for one in candidates(done.output, log_format, request.filters)
        if one.name not in request.spaces  # the program repeats its parameters
    ]
    guess = None if request.spaces else guess_parameters(request.command, lists=False)
    lines = _report(done, found, arguments.words, guess)
    if found and (done.status == 0 or done.interrupted):
        lines += [
            f"to try it with and without {flag}, write {{{flag}}} in its place"
            for flag in lone_flags(request.command)[:1]
        ]
    print(*lines, sep="\n")
    sys.stdout.flush()
    return 0 if found and (done.status == 0 or done.interrupted) else 1


def _middle(request: TuningRequest) -> tuple[Assignment, ...]:
    space = space_of(request.parameters) if request.spaces else None
    return () if space is None else space.point([_MIDDLE] * len(space.dimensions))


def _report(
    done: OneRun, found: Sequence[Candidate], words: Sequence[str], guess: Guess | None
) -> list[str]:
    failed = done.status != 0 and not done.interrupted
    lines = [""]
    if failed:
        lines.append(f"the program failed with exit status {done.status}: mend it first")
    if found:
        lines += [f"metrics in the output{_part_of(done)}:", *metrics_table(found)]
    if failed:
        return lines
    return [*lines, *_no_metrics()] if not found else [*lines, "", *_next(found, words, guess)]


def _part_of(done: OneRun) -> str:
    """Say which part of a long output was read."""
    if done.length <= 2 * PART:
        return ""
    mib = 1 << 20
    return f" (the first and the last {PART // mib} MiB of {done.length / mib:.1f} MiB)"


def _no_metrics() -> list[str]:
    return [
        "the output has no metric: let the program print lines such as accuracy=0.93, or write",
        "--file PATH if it writes metrics to a file, or --metrics-format REGEX",
    ]


def _next(found: Sequence[Candidate], words: Sequence[str], guess: Guess | None) -> list[str]:
    if guess is not None and not guess.parameters:
        return _how_to_add_parameters(words)
    best, *others = found
    lines = ["write next:", f"  {line_with_metric(words, best.name, guess)}"]
    other = next((one for one in others if _decides(one, best)), None)
    if other is not None:
        lines += ["or:", f"  {line_with_metric(words, other.name, guess)}"]
    return lines


def _decides(other: Candidate, best: Candidate) -> bool:
    """Return whether another metric is a good objective too, in the other direction."""
    return ObjectiveType.UNKNOWN is not other.direction is not best.direction


def _how_to_add_parameters(words: Sequence[str]) -> list[str]:
    line = command_line(("trialwatch", *words))
    return [
        "the command has no value that looks like a parameter: write {NAME} where a value belongs,",
        f"and --param NAME=SPACE, such as --param lr=0.001..0.1:log, in\n  {line}",
    ]
