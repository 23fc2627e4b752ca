"""What is written is read back equal, by way of JSON and by way of YAML."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.objects.experiments import parse_experiment, render_experiment
from api.objects.suggestions import parse_suggestion, render_suggestion
from api.objects.trials import parse_trial, render_trial
from api.objects.yamlout import dump_objects
from api.objects.yamltext import load_objects
from api.types import Experiment, HttpGet, JsonObject, Suggestion, Trial, freeform

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


def anything(hint: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401, PLR0911
    """Make values of a type of `api.types`, with every field that may be left out left out too."""
    if hint in (str, int, float, bool):
        return {str: TEXTS, int: INTS, float: FLOATS, bool: st.booleans()}[hint]
    if hint is HttpGet:
        # 0 and "" both mean: left out.
        ports = INTS | TEXTS.filter(bool)
        return st.builds(HttpGet, path=TEXTS, port=ports, host=TEXTS, scheme=TEXTS)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint, localns=vars(freeform))  # where Json names itself
        return st.builds(hint, **{name: anything(part) for name, part in hints.items()})
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return st.sampled_from(hint)
    origin, parts = get_origin(hint), get_args(hint)
    if origin is tuple:
        return st.lists(anything(parts[0]), max_size=2).map(tuple)
    if origin is Mapping:
        values = TEXTS if parts == (str, str) else JSON
        return st.dictionaries(TEXTS, values, max_size=2)
    assert origin in (Union, types.UnionType), hint
    (some,) = (part for part in parts if part is not type(None))
    # A text that may be None is never empty: that is how it is left out.
    present = anything(some).filter(bool) if some is str else anything(some)
    return st.none() | present


CASES: list[Any] = [
    pytest.param(Experiment, parse_experiment, render_experiment, id="Experiment"),
    pytest.param(Trial, parse_trial, render_trial, id="Trial"),
    pytest.param(Suggestion, parse_suggestion, render_suggestion, id="Suggestion"),
]


@pytest.mark.parametrize(("noun", "parse", "render"), CASES)
@given(data=st.data())
@settings(suppress_health_check=list(HealthCheck))
def test_an_object_survives_json_and_yaml(
    noun: type,
    parse: Callable[[object], Any],
    render: Callable[[Any], JsonObject],
    data: st.DataObject,
) -> None:
    thing = data.draw(anything(noun))
    rendered = render(thing)
    assert parse(rendered) == thing
    assert render(parse(rendered)) == rendered
    assert parse(json.loads(json.dumps(rendered))) == thing
    assert load_objects(dump_objects([rendered])) == [rendered]


@given(document=st.dictionaries(TEXTS, JSON, max_size=4))
def test_free_form_json_survives_yaml(document: dict[str, Any]) -> None:
    assert load_objects(dump_objects([document, document])) == [document, document]
