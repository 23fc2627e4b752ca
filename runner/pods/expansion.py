"""`$(VAR)` in a command, an argument or a variable's value, as the kubelet reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Put in the values of variables.

    | written | becomes |
    |---|---|
    | `$(NAME)` | the value; itself where there is no such variable |
    | `$$` | `$`, so that `$$(NAME)` is `$(NAME)` |
    | any other `$` | itself |
    """

    def value(found: re.Match[str]) -> str:
        name = found[1]
        return "$" if name is None else variables.get(name, found[0])

    return _REFERENCE.sub(value, text)
