"""Draws values of any type of `api.types`, for property tests."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from api.types import HttpGet, freeform

# Texts that a reader of YAML could take for something else come more often than chance has them.
TRAPS = ["", "1e-3", "y", "on", "null", "~", "0777", "0o17", "1_000", "12:30:45", "2024-01-01"]
TRAPS += ["<<", "=", "- a", "a: b", "#", "'", '"', "a\nb\n", " a ", "0x1F", ".5", "8.", "\t", "é"]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(TRAPS)
INTS = st.integers(-(2**31) + 1, 2**31 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def any_value(hint: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401, PLR0911
    """Make values of a type of `api.types`, with every field that may be left out left out too."""
    if hint in (str, int, float, bool):
        return {str: TEXTS, int: INTS, float: FLOATS, bool: st.booleans()}[hint]
    if hint is HttpGet:
        # 0 and "" both mean: left out.
        ports = INTS | TEXTS.filter(bool)
        return st.builds(HttpGet, path=TEXTS, port=ports, host=TEXTS, scheme=TEXTS)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint, localns=vars(freeform))  # where Json names itself
        return st.builds(hint, **{name: any_value(part) for name, part in hints.items()})
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return st.sampled_from(hint)
    origin, parts = get_origin(hint), get_args(hint)
    if origin is tuple:
        return st.lists(any_value(parts[0]), max_size=2).map(tuple)
    if origin is Mapping:
        values = TEXTS if parts == (str, str) else JSON
        return st.dictionaries(TEXTS, values, max_size=2)
    assert origin in (Union, types.UnionType), hint
    (some,) = (part for part in parts if part is not type(None))
    # A text that may be None is never empty: that is how it is left out.
    present = any_value(some).filter(bool) if some is str else any_value(some)
    return st.none() | present
