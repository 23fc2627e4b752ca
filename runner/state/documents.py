"""Objects as YAML files, replaced atomically: after a crash, a file is old or new, never mixed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from api.errors import SetupError, SpecError
from api.objects.yamlout import dump_objects
from api.objects.yamltext import load_objects
from api.types import JsonObject


def write_document(path: Path, document: JsonObject) -> None:
    """Write an object atomically.

    Raises:
        SetupError: the file cannot be written.
    """
    write_text(path, dump_objects([document]))


def write_text(path: Path, text: str) -> None:
    """Write a file atomically.

    Raises:
        SetupError: the file cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.new")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise SetupError(
            f"cannot write {path} ({os.strerror(error.errno or 0)}): make room, then run again;"
            " the results so far are stored"
        ) from None


def read_document(path: Path) -> JsonObject | None:
    """Return the object in a file; None if the file does not exist.

    Raises:
        SetupError: the file does not hold such a document.
    """
    try:
        documents = load_objects(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, SpecError) as error:
        raise _damaged(path, error) from None
    if len(documents) != 1:
        raise _damaged(path, "it does not have exactly one object")
    return documents[0]


def _damaged(path: Path, why: object) -> SetupError:
    return SetupError(
        f"{path} cannot be read ({why}): restore the file, or remove {path.parent} to start again"
    )
