"""`$(VAR)` in a command, an argument or a variable's value, as the kubelet expands it."""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace references to variables by their values.

    | written | becomes |
    |---|---|
    | `$(NAME)` | the value; unchanged if the variable does not exist |
    | `$$` | `$`, so that `$$(NAME)` is `$(NAME)` |
    | any other `$` | unchanged |
    """

    def value(found: re.Match[str]) -> str:
        name = found[1]
        return "$" if name is None else variables.get(name, found[0])

    return _REFERENCE.sub(value, text)
