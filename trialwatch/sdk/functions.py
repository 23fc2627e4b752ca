"""A function as a program: a script that calls it, and beside it the function itself.

    STATE_DIR/functions/1a2b3c4d/train.py     the program of each trial: python train.py lr=0.03
    STATE_DIR/functions/1a2b3c4d/train.pkl    the function, `sys.path`, how values are read

The digits change with the function's code, so a changed function is another search. The function is
pickled by cloudpickle, which takes functions of a notebook, lambdas and closures by value, and
functions of a module by their names.
"""

from __future__ import annotations

import inspect
import os
import pickle
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from trialwatch.sdk.code_digest import code_digest
from trialwatch.sdk.errors import TuneError
from trialwatch.sdk.spaces import Space, decoder_of

DEFAULT_STATE_DIR: Final = Path(".trialwatch")
"""That of `trialwatch run`."""

_SCRIPT = """\
# Written by trialwatch.tune: calls {name}() with the values in the arguments, {example}=VALUE.
import pickle
import sys
from pathlib import Path

with Path(__file__).with_suffix(".pkl").open("rb") as file:
    sys.path[:] = pickle.load(file)
    from trialwatch.sdk.function_trial import run

    run(file, sys.argv[1:])
"""

TrainFunction = Callable[..., Any]


def check_arguments(function: TrainFunction, space: Mapping[str, Space]) -> None:
    """Check that a function takes the parameters of a space.

    Raises:
        TuneError: an argument is missing, or not known.
    """
    if inspect.iscoroutinefunction(function):
        raise TuneError(
            f"{name_of(function)}() is a coroutine: write a plain function that calls asyncio.run()"
        )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # a function in C does not say what it takes
    try:
        signature.bind(**dict.fromkeys(space))
    except TypeError as error:
        raise TuneError(
            f"{name_of(function)}{signature} does not take the parameters of the space,"
            f" {', '.join(space) or 'none'}: {error}"
        ) from None


def store_function(
    function: TrainFunction, space: Mapping[str, Space], metric: str, state_dir: Path
) -> tuple[str, ...]:
    """Store a function; return the words of the program that calls it.

    Args:
        function: takes the parameters by name.
        space: the space of each parameter.
        metric: the name of a returned number.
        state_dir: the directory that stores experiments.

    Raises:
        TuneError: the function cannot be pickled, or the files cannot be written.
    """
    name = re.sub(r"\W+", "_", name_of(function)).strip("_")
    script = state_dir / "functions" / code_digest(function) / f"{name}.py"
    content = _pickled(function, {key: decoder_of(one) for key, one in space.items()}, metric)
    text = _SCRIPT.format(name=name, example=next(iter(space), "NAME"))
    try:
        script.parent.mkdir(parents=True, exist_ok=True)
        _write(script.with_suffix(".pkl"), content)
        if not script.exists() or script.read_text(encoding="utf-8") != text:
            _write(script, text.encode())
    except OSError as error:
        raise TuneError(f"cannot write {script}: {error.strerror}") from None
    # -P: the directory of the script is not on the path.
    return (sys.executable, "-P", str(script), *(f"{key}={{{key}}}" for key in space))


def name_of(function: TrainFunction) -> str:
    """Return a function's name."""
    inner = getattr(function, "func", function)  # of a functools.partial
    return str(getattr(inner, "__name__", type(function).__name__))


def _pickled(function: TrainFunction, decoders: Mapping[str, object], metric: str) -> bytes:
    import cloudpickle  # noqa: PLC0415 - commands need no import of it

    path = [os.path.abspath(folder) for folder in sys.path]  # noqa: PTH100 - "" is the directory here
    try:
        rest: bytes = cloudpickle.dumps(function)
    except Exception as error:  # what a class raises in its own __reduce__
        raise TuneError(
            f"{name_of(function)}() cannot be sent to the processes of the trials: {error}; create"
            " such objects inside of the function"
        ) from error
    return pickle.dumps(path) + pickle.dumps((dict(decoders), metric)) + rest


def _write(path: Path, content: bytes) -> None:
    """Replace a file at once: a trial may read it at this moment."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)
