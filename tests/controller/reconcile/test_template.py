"""Templates: harmless values work as in Katib, and other values do no harm."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import SpecError
from api.objects.yamltext import load_objects
from api.types import Assignment, ConfigMapSource, Json, JsonObject, TrialParameter, TrialTemplate
from controller.reconcile.template import render_template
from controller.reconcile.views import Key

KEY = Key(namespace="trial-namespace", name="trial-name")

JOB: JsonObject = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"labels": {"app": "demo"}, "annotations": {"a.example/b": "note"}},
    "spec": {
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "main",
                        "args": ["--lr=${trialParameters.lr}", "${trialParameters.m}"],
                        "env": [{"name": "${trialParameters.m}", "value": "${trialParameters.n}"}],
                    }
                ]
            }
        }
    },
}
YAML = """\
apiVersion: batch/v1
kind: Job
metadata:
  labels: {lr: ${trialParameters.lr}, quoted: "${trialParameters.m}"}
spec:
  parallelism: ${trialParameters.lr}
  one: [a, ${trialParameters.m}, 'x${trialParameters.lr}']
  joined: 1${trialParameters.lr}
  ${trialParameters.m}: key
  script: |
    train --lr=${trialParameters.lr} \\
      "$HOME" ${trialParameters.m}
"""
PARAMETERS = (
    TrialParameter(name="lr", reference="lr"),
    TrialParameter(name="m", reference="momentum"),
)
CONFIG_MAP = ConfigMapSource(name="templates", namespace="kubeflow", path="job.yaml")


def template(trial_spec: JsonObject | None = JOB, **references: str) -> TrialTemplate:
    named = {"lr": "lr", "m": "momentum", **references}
    return TrialTemplate(
        trial_spec=trial_spec,
        config_map=None if trial_spec else CONFIG_MAP,
        trial_parameters=tuple(
            TrialParameter(name=name, reference=reference) for name, reference in named.items()
        ),
    )


def values(**texts: str) -> tuple[Assignment, ...]:
    return tuple(Assignment(name=name, value=text) for name, text in texts.items())


def container(job: JsonObject) -> Mapping[str, Json]:
    return job["spec"]["template"]["spec"]["containers"][0]  # type: ignore[index, call-overload, return-value]


def katibs(text: str, lr: str, momentum: str) -> JsonObject:
    """Do what Katib does: replace in the text, then parse."""
    filled = text.replace("${trialParameters.lr}", lr).replace("${trialParameters.m}", momentum)
    (document,) = load_objects(filled)
    metadata = document.get("metadata")
    assert isinstance(metadata, Mapping)
    return {**document, "metadata": {**metadata, "name": KEY.name, "namespace": KEY.namespace}}


HARMLESS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,12}", fullmatch=True) | st.floats(
    allow_nan=False, allow_infinity=False
).map(repr)


@given(HARMLESS, HARMLESS)
def test_a_harmless_value_gives_the_job_that_katib_makes_of_a_trial_spec(
    lr: str, momentum: str
) -> None:
    ours = render_template(template(), None, KEY, values(lr=lr, momentum=momentum))

    assert ours == katibs(json.dumps(JOB), lr, momentum)


@given(HARMLESS, HARMLESS)
def test_a_harmless_value_gives_the_job_that_katib_makes_of_a_text(lr: str, momentum: str) -> None:
    try:
        expected = katibs(YAML, lr, momentum)
    except SpecError:
        return  # the value is a key that is there already, or null: Katib makes no job of it
    ours = render_template(template(None), YAML, KEY, values(lr=lr, momentum=momentum))

    assert json.dumps(ours) == json.dumps(expected)


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_value_breaks_a_template_or_takes_another_place(lr: str, momentum: str) -> None:
    job = container(render_template(template(), None, KEY, values(lr=lr, momentum=momentum)))

    assert job["args"] == [f"--lr={lr}", momentum]


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "a\nb: c",
        "'",
        "}",
        "]",
        "# no comment",
        "&a",
        "*a",
        "!!int 3",
        "${trialParameters.m}",
        "$(HOME)",
        "$HOME",
        "x: y",
        "- z",
        "\\",
        "{",
        "%",
        "@",
        "`",
        "| ",
        "\x00",
        "\t",
    ],
)
def test_a_hostile_value_stays_a_text_in_a_template_from_a_config_map(text: str) -> None:
    job = render_template(template(None), YAML, KEY, values(lr=text, momentum="m"))

    spec = job["spec"]
    assert isinstance(spec, Mapping)
    assert spec["parallelism"] == text
    assert spec["one"] == ["a", "m", f"x{text}"]
    assert list(spec) == ["parallelism", "one", "joined", "m", "script"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("0.05", 0.05),
        ("1e-3", 0.001),
        ("true", True),
        ("null", None),
        ("adam", "adam"),
        ("", None),
        (".inf", ".inf"),
        ("<<", "<<"),
        ("3 ", "3 "),
        ("0x10", 16),
        ("12:30", "12:30"),
    ],
)
def test_a_value_without_quotes_in_a_text_is_what_it_looks_like(text: str, value: Json) -> None:
    job = render_template(template(None), YAML, KEY, values(lr=text, momentum="m"))

    spec = job["spec"]
    assert isinstance(spec, Mapping)
    assert (spec["parallelism"], type(spec["parallelism"])) == (value, type(value))
    assert spec["one"] == ["a", "m", f"x{text}"], "with quotes it is a text"


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("${trialSpec.Name}", "trial-name"),
        ("${trialSpec.Namespace}", "trial-namespace"),
        ("${trialSpec.Kind}", "Job"),
        ("${trialSpec.APIVersion}", "batch/v1"),
        ("${trialSpec.Labels[app]}", "demo"),
        ("${trialSpec.Annotations[a.example/b]}", "note"),
    ],
)
def test_a_reference_to_a_fact_gives_the_fact(reference: str, value: str) -> None:
    made = render_template(template(n=reference), None, KEY, values(lr="1", momentum="2"))

    assert container(made)["env"] == [{"name": "2", "value": value}]


@pytest.mark.parametrize(
    ("references", "given", "said"),
    [
        ({"n": "${trialSpec.Labels[nope]}"}, {"lr": "1", "momentum": "2"}, "names nothing"),
        ({"n": "${trialSpec.Annotations[nope]}"}, {"lr": "1", "momentum": "2"}, "names nothing"),
        ({"n": "${trialSpec.Color}"}, {"lr": "1", "momentum": "2"}, "names nothing"),
        ({}, {"lr": "1", "momentun": "2"}, 'did you mean "momentun"?'),
        ({}, {"lr": "1", "momentum": "2", "extra": "3"}, "does not use the parameters extra"),
    ],
)
def test_a_parameter_without_a_place_or_a_value_is_a_fault(
    references: dict[str, str], given: dict[str, str], said: str
) -> None:
    with pytest.raises(SpecError, match="trialParameters") as caught:
        render_template(template(JOB, **references), None, KEY, values(**given))

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, 'cannot find key "job.yaml" of ConfigMap kubeflow/templates'),
        ("a: [", "is not valid YAML"),
        ("just words", "is not an object"),
        ("a: 1\n---\nb: 2", "holds 2 objects"),
        ("", "holds 0 objects"),
    ],
)
def test_a_template_that_cannot_be_had_is_a_fault(text: str | None, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        render_template(template(None), text, KEY, values(lr="1", momentum="2"))

    assert said in str(caught.value)


def test_the_template_itself_is_never_changed() -> None:
    before = json.dumps(JOB)
    render_template(template(), None, KEY, values(lr="1", momentum="2"))

    assert json.dumps(JOB) == before


def test_a_place_that_no_parameter_has_stays_as_it_is() -> None:
    declared = replace(template(), trial_parameters=PARAMETERS)

    made = container(render_template(declared, None, KEY, values(lr="1", momentum="2")))

    assert made["env"] == [{"name": "2", "value": "${trialParameters.n}"}]


# -- sizes ----------------------------------------------------------------------------------


def test_a_config_map_with_aliases_of_a_large_text_is_refused() -> None:
    """A job of 4 GB from 350 KB: the controller ran out of memory, again after each restart."""
    text = f"apiVersion: batch/v1\nkind: Job\na: &a {'x' * 300_000}\nb: [{'*a, ' * 15_000}]\n"

    with pytest.raises(SpecError, match="characters after its aliases are expanded"):
        render_template(template(None), text, KEY, values())


@pytest.mark.parametrize("in_place", [True, False], ids=["trialSpec", "configMap"])
def test_a_long_value_in_many_places_is_refused_before_it_is_inserted(*, in_place: bool) -> None:
    places = "${trialParameters.lr}" * 10_000
    job: JsonObject = {"apiVersion": "batch/v1", "kind": "Job", "args": [places, places]}
    large = values(lr="x" * 100_000, momentum="1")

    with pytest.raises(SpecError, match="characters from its parameters"):
        render_template(template(job if in_place else None), json.dumps(job), KEY, large)


def test_a_template_with_the_words_of_placeholders_is_filled_in_as_any_other() -> None:
    words = " ".join(f"trialParameter{number}x" for number in range(300))
    text = f"apiVersion: batch/v1\nkind: Job\na: {words} ${{trialParameters.lr}}\n"

    filled = render_template(template(None), text, KEY, values(lr="0.1", momentum="1"))

    assert filled["a"] == f"{words} 0.1"
