"""The rules for `spec.trialTemplate`: it gives a job, and each parameter has a placeholder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from api.algorithms import NETWORK_OUTPUTS
from api.errors import Fault, SpecError, UserError
from api.faults import invalid, nearest, required, shown
from api.gjson import check
from api.limits import MOST_VALUES
from api.types import (
    CollectorKind,
    ConfigMapSource,
    ExperimentSpec,
    Json,
    JsonObject,
    TrialParameter,
    TrialTemplate,
)

from .validation_job import job_faults
from .yamltext import load_objects

_PATH = "spec.trialTemplate"
# Names have at most 253 characters. Without a bound, each start would read on to the line's end.
_PLACEHOLDER = re.compile(r"\$\{trialParameters\.(.{1,253}?)\}")
_META = re.compile(r"\$\{trialSpec\.(.{1,253}?)\}")
_META_WITH_KEY = re.compile(r"(.+)\[(.+)]")
_HINTED = 20
"""The most faults of one kind that are listed, or that get a hint."""
_Near: TypeAlias = Callable[[str, Iterable[str]], str]
_META_NAMES = ("Name", "Namespace", "Kind", "APIVersion", "Annotations", "Labels")


def template_faults(spec: ExperimentSpec, text: str | None) -> Iterator[Fault]:
    """Check the template; `text` is the template of a ConfigMap, None if it is unknown."""
    template = spec.trial_template
    if template is None:
        yield required(_PATH, "must be specified")
        return
    yield from _reading_faults(template)
    source_faults = tuple(_source_faults(template))
    yield from source_faults
    form = None if source_faults else _form(template, text)
    if not template.trial_parameters:
        why = "must be specified; list each NAME of ${trialParameters.NAME} in the template"
        yield required(f"{_PATH}.trialParameters", why)
    yield from _parameter_faults(spec, template.trial_parameters, form)
    if form is not None:
        yield from _form_faults(spec, form)


def described_job(template: TrialTemplate, text: str | None) -> JsonObject | None:
    """Return the object that a template describes; None if it cannot be read or is unknown.

    `text` is the template of a ConfigMap. The object may contain placeholders.
    """
    if template.trial_spec is not None:
        return template.trial_spec
    return None if text is None else _form_of_text(text).document


def unused_faults(spec: ExperimentSpec) -> Iterator[Fault]:
    """Find parameters of the search without effect: no trial parameter refers to them."""
    if spec.trial_template is None:
        return
    references = {parameter.reference for parameter in spec.trial_template.trial_parameters}
    for i, parameter in enumerate(spec.parameters):
        if parameter.name and parameter.name not in references:
            why = (
                f"has no effect: no entry of {_PATH}.trialParameters has it as its reference;"
                f" to use it, add the entry and write ${{trialParameters.{parameter.name}}} in the"
                " template; else delete the parameter"
            )
            yield invalid(f"spec.parameters[{i}].name", parameter.name, why)


def _reading_faults(template: TrialTemplate) -> Iterator[Fault]:
    if not template.primary_container_name:
        why = "must be specified; write the name of the container that trains"
        yield required(f"{_PATH}.primaryContainerName", why)
    if not template.success_condition or not template.failure_condition:
        why = "must be specified; only well-known kinds of jobs in trialSpec have defaults"
        yield required(_PATH, f"successCondition and failureCondition {why}")
    # A condition that cannot be read would fail each trial at its end.
    yield from _condition_faults("successCondition", template.success_condition)
    yield from _condition_faults("failureCondition", template.failure_condition)


def _condition_faults(field: str, expression: str) -> Iterator[Fault]:
    try:
        if expression:
            check(expression)
    except UserError as error:
        yield invalid(f"{_PATH}.{field}", expression, str(error))


def _source_faults(template: TrialTemplate) -> Iterator[Fault]:
    both = f"{_PATH}.trialSpec or {_PATH}.configMap"
    if template.trial_spec is None and template.config_map is None:
        yield required(f"{_PATH}.TrialSource", f"{both} must be specified")
    elif template.trial_spec is not None and template.config_map is not None:
        yield required(_PATH, f"only one of {both} can be specified; delete one")
    elif template.config_map is not None and not _complete(template.config_map):
        why = "configMapName, configMapNamespace and templatePath must be specified"
        yield required(f"{_PATH}.configMap", why)


def _complete(source: ConfigMapSource) -> bool:
    return bool(source.name and source.namespace and source.path)


# -- the job's form, as an object or as text ------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """The content of a template: its placeholders, and the object that it describes."""

    placeholders: tuple[str, ...]
    document: JsonObject | None
    problem: str = ""


def _form(template: TrialTemplate, text: str | None) -> _Form | None:
    if template.trial_spec is not None:
        return _Form(placeholders=_names(_texts(template.trial_spec)), document=template.trial_spec)
    return None if text is None else _form_of_text(text)


def _form_of_text(text: str) -> _Form:
    names = _names([text])
    try:
        documents = load_objects(_PLACEHOLDER.sub("test-value", text), most_values=MOST_VALUES)
    except SpecError as error:
        return _Form(placeholders=names, document=None, problem=str(error))
    if len(documents) != 1:
        problem = f"it contains {len(documents)} objects instead of one"
        return _Form(placeholders=names, document=None, problem=problem)
    return _Form(placeholders=names, document=documents[0])


def _names(texts: Iterable[str]) -> tuple[str, ...]:
    """Return each parameter name that has a placeholder in the texts, once."""
    found = (match[1] for text in texts for match in _PLACEHOLDER.finditer(text))
    return tuple(dict.fromkeys(found))


def _texts(document: Json) -> Iterator[str]:
    """Yield all texts in a JSON value, keys too, at any depth."""
    waiting = [document]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, Mapping):
            waiting.extend(reversed([*part, *part.values()]))
        elif isinstance(part, list | tuple):
            waiting.extend(reversed(part))


# -- parameters -----------------------------------------------------------------------------


def _parameter_faults(
    spec: ExperimentSpec, parameters: tuple[TrialParameter, ...], form: _Form | None
) -> Iterator[Fault]:
    used: set[str] = set()
    references: set[str] = set()
    known, source = _searched(spec)
    places = dict.fromkeys(form.placeholders) if form is not None else None
    for i, parameter in enumerate(parameters):
        path = f"{_PATH}.trialParameters[{i}]"
        if _malformed(parameter):
            why = "name and reference must be specified and name must not contain '{' or '}'"
            yield invalid(path, parameter.name, why)
        elif parameter.name in used:
            yield invalid(f"{path}.name", parameter.name, "appears twice; rename one")
        elif parameter.reference in references:
            why = "appears twice; use one trial parameter in both places"
            yield invalid(f"{path}.reference", parameter.reference, why)
        else:
            used.add(parameter.name)
            references.add(parameter.reference)
            # Finding similar words takes time, and a few hints are enough.
            near = nearest if i < _HINTED else _no_hint
            yield from _reference_faults(path, parameter, known, source, near)
            if places is not None:
                yield from _place_faults(path, parameter, places, near)
    if form is not None:
        yield from _left_over(form, used)


def _malformed(parameter: TrialParameter) -> bool:
    return not parameter.name or not parameter.reference or bool(set("{}") & set(parameter.name))


def _no_hint(_word: str, _known: Iterable[str]) -> str:
    return ""


def _searched(spec: ExperimentSpec) -> tuple[Mapping[str, None], str]:
    """Return the parameters that a trial gets, and where they are from; none if unknown."""
    algorithm = spec.algorithm.name if spec.algorithm else ""
    if spec.nas_config is not None and not spec.parameters:
        outputs = NETWORK_OUTPUTS.get(algorithm, ())
        return dict.fromkeys(outputs), f"what {algorithm} suggests: {', '.join(outputs)}"
    return dict.fromkeys(p.name for p in spec.parameters), "spec.parameters"


def _reference_faults(
    path: str,
    parameter: TrialParameter,
    known: Mapping[str, None],
    source: str,
    near: _Near,
) -> Iterator[Fault]:
    reference = parameter.reference
    if known and not _is_meta(reference) and reference not in known:
        hint = near(reference, known)
        why = f"parameter reference {reference} does not exist in {source}{hint}"
        yield invalid(f"{path}.reference", reference, why)


def _is_meta(reference: str) -> bool:
    """Return whether a reference names trial metadata, such as `${trialSpec.Labels[app]}`."""
    found = _META.search(reference)
    if found is None:
        return False
    keyed = _META_WITH_KEY.match(found[1])
    return (keyed[1] if keyed else found[1]) in _META_NAMES


def _place_faults(
    path: str, parameter: TrialParameter, places: Mapping[str, None], near: _Near
) -> Iterator[Fault]:
    if parameter.name not in places:
        hint = near(parameter.name, places)
        why = f"parameter name: {parameter.name} in spec.trialParameters not found in {_PATH}"
        remedy = f"write ${{trialParameters.{parameter.name}}} where its value belongs"
        yield invalid(f"{path}.name", parameter.name, f"{why}; {remedy}{hint}")


def _left_over(form: _Form, used: set[str]) -> Iterator[Fault]:
    missing = [name for name in form.placeholders if name not in used]
    if missing:
        listed = ", ".join(shown(name) for name in missing[:_HINTED])
        if len(missing) > _HINTED:
            listed += f" and {len(missing) - _HINTED} more"
        hints = "".join(nearest(name, used) for name in missing[:3])
        why = f"in {_PATH} not found in spec.trialParameters; add each of them there{hints}"
        yield invalid(_PATH, ", ".join(missing), f"parameters: [{listed}] {why}")


# -- the object -----------------------------------------------------------------------------


def _form_faults(spec: ExperimentSpec, form: _Form) -> Iterator[Fault]:
    document, template = form.document, spec.trial_template
    if document is None or template is None:
        yield invalid(_PATH, "", f"unable to convert {_PATH} to unstructured: {form.problem}")
        return
    yield from _identity_faults(document.get("metadata"))
    said = [document.get(name) for name in ("apiVersion", "kind")]
    if not all(isinstance(word, str) and word for word in said):
        yield required(_PATH, f"APIVersion and Kind in {_PATH} must be specified")
    elif document["apiVersion"] == "batch/v1" and document["kind"] == "Job":
        pushes = spec.collector is not None and spec.collector.kind is CollectorKind.PUSH
        container = "" if pushes else template.primary_container_name
        yield from job_faults(document, primary_container=container)


def _identity_faults(metadata: Json) -> Iterator[Fault]:
    if metadata is None:
        return
    if not isinstance(metadata, Mapping):
        yield invalid(f"{_PATH}.trialSpec.metadata", metadata, "must be a mapping")
        return
    for name in (metadata.get("name"), metadata.get("namespace")):
        if name is not None and name != "":
            why = "must be omitted, because the controller sets them for each trial; delete them"
            yield invalid(_PATH, name, f"metadata.name and metadata.namespace in {_PATH} {why}")
            return
