"""The patch between any two documents, applied by an independent library."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonpath import patch as rfc6902

from api.types import JsonObject
from webhook.server.json_patch import patch_between

_scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "/", "~1"])
_names = st.sampled_from(["a", "b/c", "d~e", "~1", "name"])
_named = st.fixed_dictionaries({"name": _names}, optional={"value": _scalars})


def _nested(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = st.dictionaries(_names, children, max_size=3)
    return objects | st.lists(children, max_size=3) | st.lists(_named, max_size=5)


documents = st.recursive(_scalars, _nested, max_leaves=12)


@given(st.fixed_dictionaries({"x": documents}), st.fixed_dictionaries({"x": documents}))
def test_the_patch_between_two_documents_makes_the_one_of_the_other(
    old: JsonObject, new: JsonObject
) -> None:
    patch = patch_between(old, new)

    made: Any = rfc6902.apply(patch, {**copy.deepcopy(old)})

    # As text: to Python, 1 and true are equal.
    assert json.dumps(made, sort_keys=True) == json.dumps(new, sort_keys=True)


@given(st.fixed_dictionaries({"x": documents}))
def test_equal_documents_have_an_empty_patch(document: JsonObject) -> None:
    assert patch_between(document, document) == []
    assert patch_between(document, dict(document)) == []


def test_a_container_put_first_is_one_operation() -> None:
    old = {"containers": [{"name": "a", "image": "x"}, {"name": "b"}]}
    new = {"containers": [{"name": "c"}, *old["containers"]]}

    assert patch_between(old, new) == [
        {"op": "add", "path": "/containers/0", "value": {"name": "c"}}
    ]


def test_a_list_of_words_is_replaced_as_a_whole() -> None:
    assert patch_between({"command": ["a", "b"]}, {"command": ["l", "--", "a", "b"]}) == [
        {"op": "replace", "path": "/command", "value": ["l", "--", "a", "b"]}
    ]


def test_a_long_list_is_not_searched() -> None:
    old: list[JsonObject] = [{"name": f"n{i}", "value": i} for i in range(1000)]
    new: list[JsonObject] = [{"name": "first"}, *({**item, "value": 0} for item in reversed(old))]

    assert patch_between({"env": old}, {"env": new}) == [
        {"op": "replace", "path": "/env", "value": new}
    ]


def test_unchanged_parts_may_be_nested_deeply() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    old = {"a": deep, "b": [{"name": "x", "deep": deep}]}
    new = {**old, "b": [{"name": "first"}, *old["b"]], "c": 1}

    assert len(patch_between(old, new)) == 2
    while deep:
        deep = deep.pop()
