"""What is written is read back equal, by way of JSON and by way of YAML."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.objects.experiments import parse_experiment, render_experiment
from api.objects.suggestions import parse_suggestion, render_suggestion
from api.objects.trials import parse_trial, render_trial
from api.objects.yamlout import dump_objects
from api.objects.yamltext import load_objects
from api.types import Experiment, JsonObject, Suggestion, Trial
from tests.api.any_value import JSON, TEXTS, any_value

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
    thing = data.draw(any_value(noun))
    rendered = render(thing)
    assert parse(rendered) == thing
    assert render(parse(rendered)) == rendered
    assert parse(json.loads(json.dumps(rendered))) == thing
    assert load_objects(dump_objects([rendered])) == [rendered]


@given(document=st.dictionaries(TEXTS, JSON, max_size=4))
def test_free_form_json_survives_yaml(document: dict[str, Any]) -> None:
    assert load_objects(dump_objects([document, document])) == [document, document]
