"""Documents whose strings are stored once."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from controller.on_kube.interning import interned

_SIMPLE = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_PARTS = st.recursive(_SIMPLE, lambda s: st.lists(s) | st.dictionaries(st.text(), s), max_leaves=9)


@given(st.dictionaries(st.text(), _PARTS))
def test_a_document_stays_what_it_is(document: dict[str, Any]) -> None:
    assert json.dumps(interned(document)) == json.dumps(document)


def test_two_documents_share_their_texts() -> None:
    text = '{"spec": {"command": ["python3", "train.py"], "retries": 3}}'
    one, other = (interned(json.loads(text)) for _ in range(2))

    assert one == other
    for first, second in zip(_texts(one), _texts(other), strict=True):
        assert first is second


def _texts(part: Any) -> list[str]:  # noqa: ANN401 - any part of a document
    if isinstance(part, str):
        return [part]
    if isinstance(part, dict):
        return [text for key, value in part.items() for text in (key, *_texts(value))]
    return [text for item in part for text in _texts(item)] if isinstance(part, list) else []
