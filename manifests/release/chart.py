"""The Helm chart, made from the renderings of `standalone` with each component.

An object is a part of the chart as it is rendered. Values stand where `values.py` puts them, and
what a component adds, changes or removes is under the condition of its value. Left out are the
Namespace, which Helm makes (`--create-namespace`), and the CRDs, which are files in `crds/`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from api.objects.yamlout import dump_objects
from api.objects.yamltext import load_objects
from manifests.release import texts
from manifests.release.conditions import conditional, merged
from manifests.release.values import Object, expanded, lifted, with_own_config

OVERLAY = "standalone"
COMPONENTS: tuple[Mapping[str, str], ...] = (
    {
        'eq .Values.database "postgres"': "postgres",
        'eq .Values.database "mysql"': "mysql",
    },
    {".Values.certManager": "cert-manager"},
    {".Values.networkPolicies": "network-policies"},
    {".Values.searches": "searches"},
    {".Values.monitoring": "monitoring"},
)
"""For each choice: the component that each condition brings."""
_OWN_CONFIG = ".Values.katibConfig"
_CRD = "CustomResourceDefinition"
_NO_TEMPLATES = {_CRD, "Namespace"}

Render = Callable[[str, Sequence[str]], str]
"""Renders an overlay with components."""
_Key = tuple[str, str]
_Lines = dict[_Key, list[str]]


def chart(version: str, kubernetes: str, render: Render) -> dict[str, str]:
    """Return the text of each file of the chart, by its path.

    Args:
        version: of the chart and of trialwatch.
        kubernetes: the oldest version that trialwatch is for, such as `1.30`.
        render: renders an overlay with components.

    Raises:
        ValueError: The components do not fit into one template.
    """
    everything = _objects(render(OVERLAY, ()))
    base, values = lifted(_for_templates(everything))
    choices = [
        {condition: _marked(render(OVERLAY, (name,))) for condition, name in one.items()}
        for one in COMPONENTS
    ]
    choices.append({_OWN_CONFIG: with_own_config(base)})
    return {
        "Chart.yaml": texts.chart_file(version, kubernetes),
        "values.yaml": texts.values_file(values, version),
        "values.schema.json": json.dumps(texts.schema(), indent=2) + "\n",
        "templates/_helpers.tpl": texts.HELPERS,
        "templates/NOTES.txt": texts.NOTES,
        **{f"templates/{name}.yaml": text for name, text in _templates(base, choices).items()},
        **{
            f"crds/{one['spec']['names']['plural']}.yaml": f"{texts.HEAD}\n{dump_objects([one])}"
            for one in everything
            if one["kind"] == _CRD
        },
    }


def _templates(
    base: Sequence[Object], choices: Sequence[Mapping[str, Sequence[Object]]]
) -> dict[str, str]:
    """Return the text of each template by its name: one for each program."""
    everything = [base, *(some for choice in choices for some in choice.values())]
    files = {_key(one): _file(one) for some in everything for one in some}
    of_base = _lines(base)
    of_choices = [
        {condition: _lines(some) for condition, some in choice.items()} for choice in choices
    ]
    templates: dict[str, list[str]] = {}
    for key, file in files.items():
        templates.setdefault(file, [texts.HEAD]).extend(_document(key, of_base, of_choices))
    return {file: expanded("\n".join((*lines, ""))) for file, lines in templates.items()}


def _document(key: _Key, base: _Lines, choices: Sequence[Mapping[str, _Lines]]) -> list[str]:
    """Return the template of one object."""
    if key not in base:
        (choice,) = (one for one in choices if any(key in some for some in one.values()))
        return conditional({c: some[key] for c, some in choice.items() if key in some}, ())
    present = [{c: some[key] for c, some in one.items() if key in some} for one in choices]
    lines = merged(base[key], present)
    for one in choices:
        if absent := {c: () for c, some in one.items() if key not in some}:
            lines = conditional(absent, lines)
    return lines


def _objects(rendering: str) -> list[Object]:
    return [dict(one) for one in load_objects(rendering)]


def _for_templates(objects: Sequence[Object]) -> list[Object]:
    return [one for one in objects if one["kind"] not in _NO_TEMPLATES]


def _marked(rendering: str) -> list[Object]:
    return lifted(_for_templates(_objects(rendering)))[0]


def _lines(objects: Sequence[Object]) -> _Lines:
    return {_key(one): ["---", *_literal(dump_objects([one])).splitlines()] for one in objects}


def _literal(text: str) -> str:
    """Return what Helm renders as `text`: an alert has expressions of its own."""
    return text.replace("{{", '{{ "{{" }}')


def _key(one: Object) -> _Key:
    return one["kind"], one["metadata"]["name"]


def _file(one: Object) -> str:
    """Return the file of an object: that of its program, if it is of one."""
    program = one["metadata"].get("labels", {}).get("app.kubernetes.io/name")
    return str(program or ("users" if one["kind"] == "ClusterRole" else one["metadata"]["name"]))


def files_in_order(files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the files as a package of Helm has them: Chart.yaml first."""
    yield "Chart.yaml", files["Chart.yaml"]
    yield from sorted((path, text) for path, text in files.items() if path != "Chart.yaml")
