"""Whatever JSON comes, there is an object or a list of faults, and never another exception."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.errors import Fault, SpecError
from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment, render_experiment
from api.objects.suggestions import parse_suggestion
from api.objects.trials import parse_trial
from api.objects.validation import faults_of
from api.objects.validation_update import update_faults
from api.objects.yamltext import load_objects
from api.types import Experiment

RELAXED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PARSERS = [parse_experiment, parse_trial, parse_suggestion]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401
    """Give the way to every value in a document."""
    parts: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
    return [path] + [place for key, part in parts for place in places(part, (*path, key))]


def spoil(document: dict[str, Any], data: st.DataObject) -> None:
    """Put a random value in a random place, or delete what is there."""
    *way, last = data.draw(st.sampled_from(places(document)[1:]))
    holder: Any = document
    for key in way:
        holder = holder[key]
    if data.draw(st.booleans()):
        holder[last] = data.draw(JSON)
    else:
        del holder[last]


def read(document: object) -> Experiment | None:
    """Read an Experiment; None where it is refused, and that with faults that say something."""
    refused: tuple[Fault, ...] = ()
    try:
        return parse_experiment(document)
    except SpecError as error:
        refused = error.faults
    assert refused
    assert all(fault.path and fault.message for fault in refused)
    return None


@pytest.mark.parametrize("parse", PARSERS)
@given(value=JSON)
@RELAXED
def test_any_json_is_read_or_refused(parse: Callable[[object], object], value: object) -> None:
    with contextlib.suppress(SpecError):
        parse(value)


@given(data=st.data())
@RELAXED
def test_a_spoiled_experiment_is_read_judged_and_written_or_refused(
    document: dict[str, Any], data: st.DataObject
) -> None:
    original = parse_experiment(document)
    spoiled = copy.deepcopy(document)
    for _ in range(data.draw(st.integers(1, 4))):
        spoil(spoiled, data)
    experiment = read(spoiled)
    if experiment is None:
        return
    experiment = with_defaults(experiment)
    assert with_defaults(experiment) == experiment
    assert parse_experiment(render_experiment(experiment)) == experiment
    faults_of(experiment, check_filter=lambda _: None)
    update_faults(original, experiment)


@given(text=st.text() | st.text(alphabet="ab:-&*[]{}<>!|'\"#?, \n0.1e~"))
@RELAXED
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(SpecError):
        load_objects(text)


@given(text=st.text(alphabet="a{}$. \ntrialPmes", max_size=60))
@RELAXED
def test_any_text_in_a_config_map_is_judged(document: dict[str, Any], text: str) -> None:
    template = copy.deepcopy(document)
    del template["spec"]["trialTemplate"]["trialSpec"]
    template["spec"]["trialTemplate"]["configMap"] = {
        "configMapName": "a",
        "configMapNamespace": "b",
        "templatePath": "c",
    }
    faults_of(parse_experiment(template), check_filter=lambda _: None, template_text=text)


@pytest.mark.parametrize("depth", [50, 100_000])
def test_a_template_of_any_depth_is_judged(document: dict[str, Any], depth: int) -> None:
    nested: Any = "${trialParameters.learningRate}"
    for _ in range(depth):
        nested = [nested]
    document["spec"]["trialTemplate"]["trialSpec"]["deep"] = nested
    assert faults_of(with_defaults(parse_experiment(document)), check_filter=lambda _: None) == ()
    document["spec"]["maxTrialCount"] = nested
    with pytest.raises(SpecError):
        parse_experiment(document)
    while isinstance(nested, list):  # taken apart by hand: Python's own way would recurse
        nested = nested.pop()
