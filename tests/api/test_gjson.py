"""Conditions mean what they mean to Katib: every answer is that of the Go library itself."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import UserError
from api.gjson import MISSING, query
from api.types import Json

DATA = json.loads((Path(__file__).parent / "data" / "gjson.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", DATA["cases"], ids=lambda c: f"{c['document']}-{c['path']}")
def test_a_path_finds_what_the_original_finds(case: dict[str, Json]) -> None:
    found = query(DATA["documents"][case["document"]], str(case["path"]))

    expected = case.get("answer", MISSING)
    # 1, 1.0 and true are equal in Python, and three things in JSON.
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("status.@reverse", "@reverse"),
        ("{a,b}", "{a,b}"),
        ("!true", "!true"),
        ("status.conditions.#(type==", "not closed"),
        ('status.conditions.#(type=="Complete)', "not closed"),
        ("status.conditions.#(type==1)x", "there must be `.` or `|`"),
        ("status..conditions", "empty part"),
        ("status.", "empty part"),
        ("status.conditions.#(reason==~true)#", "~true"),
        (r'status.conditions.#(reason=="a\b")#', "backslash"),
    ],
)
def test_what_is_not_known_is_refused_and_never_means_nothing(path: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        query(DATA["documents"]["job"], path)

    assert said in str(caught.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
    ),
    st.text(alphabet='ab01.#()[]{}|"=<>!%*?@\\ ~', max_size=30) | st.text(max_size=30),
)
def test_any_path_over_any_document_is_answered_or_refused(document: Json, path: str) -> None:
    with contextlib.suppress(UserError):
        query(document, path)


def test_a_path_as_deep_as_its_length_is_refused_and_ends() -> None:
    with pytest.raises(UserError, match="nested too deep"):
        query([], "[" * 1000 + "a" + "]" * 1000)
