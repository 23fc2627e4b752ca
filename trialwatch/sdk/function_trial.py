"""The program of a trial whose training is a function: reads values, calls it, prints metrics."""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

from trialwatch.sdk.reporting import report
from trialwatch.sdk.spaces import AS_WRITTEN, Decoder, Value, decoded


def run(file: BinaryIO, words: Sequence[str]) -> None:
    """Call a stored function, and exit with status 1 and its traceback if it raises.

    Args:
        file: how values are read and the objective's name, then the function.
        words: `NAME=VALUE` for each parameter.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # both are files here
    decoders, metric = pickle.load(file)  # noqa: S301 - this user's own call has written it
    try:
        function = pickle.load(file)  # noqa: S301 - the same
        returned = function(**values_of(words, decoders))
        report_returned(returned, metric)
    except Exception as error:  # noqa: BLE001 - it is the trial's failure
        _print_traceback(error)
        sys.exit(1)


def values_of(words: Sequence[str], decoders: Mapping[str, Decoder]) -> dict[str, Value]:
    """Return the value of each parameter."""
    pairs = [word.partition("=") for word in words]
    return {name: decoded(text, decoders.get(name, AS_WRITTEN)) for name, _, text in pairs}


def report_returned(
    returned: Any,  # noqa: ANN401 - a user's function may return anything
    metric: str,
    show: Callable[..., None] = report,
) -> None:
    """Report what a function has returned: metrics by name, or the value of the objective.

    Raises:
        TypeError: it is something else.
    """
    if returned is None:
        return
    if isinstance(returned, Mapping):
        show(returned)
        return
    try:
        number = float(returned)
    except (TypeError, ValueError):
        raise TypeError(
            f"the training returned {type(returned).__name__}: return a number, which is"
            f" {metric}, or a dict of numbers by name, or None"
        ) from None
    show({metric: number})


def _print_traceback(error: Exception) -> None:
    """Print the traceback without the frames of trialwatch before the function."""
    frames = error.__traceback__
    while frames is not None and _is_own(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    sys.stdout.flush()
    traceback.print_exception(error.with_traceback(frames or error.__traceback__))


def _is_own(file: str) -> bool:
    return os.path.abspath(file) == os.path.abspath(__file__)  # noqa: PTH100 - as Python wrote it
