"""Checks names of objects that callers send: they become part of Kubernetes API paths."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from api import names
from api.errors import UserError
from api.faults import quoted
from serving.error_interceptor import Context

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def namespace_of(context: Context) -> str:
    """Return the namespace in the call's metadata; empty if absent.

    Raises:
        UserError: the text is not a Kubernetes name.
    """
    return namespace_in(context.invocation_metadata() or ())


def namespace_in(pairs: Iterable[tuple[str, str | bytes]]) -> str:
    """Return the namespace in metadata; empty if absent.

    Raises:
        UserError: the text is not a Kubernetes name.
    """
    for key, value in pairs:
        if key == names.NAMESPACE_METADATA and value:
            text = value if isinstance(value, str) else value.decode(errors="replace")
            return check_name(f"metadata {names.NAMESPACE_METADATA}", text)
    return ""


def check_name(field: str, name: str) -> str:
    """Return an object's name.

    Args:
        field: of the request, as the error names it.
        name: as the caller sent it.

    Raises:
        UserError: the text is not a Kubernetes name.
    """
    if _NAME.fullmatch(name) is None:
        raise UserError(
            f"{field}: {quoted(name)} is not a Kubernetes name; write a-z, 0-9, - and ."
        )
    return name
