"""A trial's job from its template and its parameters.

Katib replaces `${trialParameters.NAME}` in the template's text and parses what comes out, so that
a value with a quote or a newline breaks the job, or becomes a part of it. Here the template is
parsed first, and a value stays what it is. For a harmless value the two are the same:

| the template | `lr: ${trialParameters.lr}` with 0.1 | `lr: "${trialParameters.lr}"` |
|---|---|---|
| `configMap`, a text | the number 0.1 | the text 0.1 |
| `trialSpec`, already parsed | the text 0.1 | the text 0.1 |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import count

from api.errors import Fault, SpecError
from api.faults import invalid, nearest, quoted
from api.objects.yamltext import load_objects
from api.types import Assignment, Json, JsonObject, TrialTemplate
from controller.reconcile.views import Key

_PATH = "spec.trialTemplate"
_META = re.compile(r"\$\{trialSpec\.(.+?)\}")
_KEYED = re.compile(r"(.+)\[(.+)]")


def render_template(
    template: TrialTemplate, text: str | None, key: Key, assignments: Sequence[Assignment]
) -> JsonObject:
    """Fill in the template for the trial of this name.

    `text` is the template's where a ConfigMap holds it.

    Raises:
        SpecError: the template is not to be had or cannot be read, or a parameter has no value.
    """
    form = _form(template, text)
    filled = form.filled(_values(template, form.document, key, assignments))
    metadata = filled.get("metadata")
    named = {**(metadata if isinstance(metadata, Mapping) else {}), "name": key.name}
    if key.namespace:
        named["namespace"] = key.namespace
    return {**filled, "metadata": named}


def _form(template: TrialTemplate, text: str | None) -> _Parsed | _Text:
    if template.trial_spec is not None:
        return _Parsed(template.trial_spec)
    return _Text(_found(template, text), [one.name for one in template.trial_parameters])


def _found(template: TrialTemplate, text: str | None) -> str:
    if text is not None:
        return text
    source = template.config_map
    if source is None:
        raise SpecError((invalid(_PATH, "", "has neither trialSpec nor configMap"),))
    where = f"key {quoted(source.path)} of ConfigMap {source.namespace}/{source.name}"
    raise SpecError((invalid(f"{_PATH}.configMap", source.name, f"there is no {where}"),))


# -- values ---------------------------------------------------------------------------------


def _values(
    template: TrialTemplate, document: JsonObject, key: Key, assignments: Sequence[Assignment]
) -> dict[str, str]:
    """Return the value of each trial parameter, by its name."""
    by_name = {assignment.name: assignment.value for assignment in assignments}
    unused = set(by_name)
    values: dict[str, str] = {}
    faults: list[Fault] = []
    for index, parameter in enumerate(template.trial_parameters):
        path = f"{_PATH}.trialParameters[{index}].reference"
        fact = _META.search(parameter.reference)
        unused.discard(parameter.reference)
        value = _fact(fact[1], document, key) if fact else by_name.get(parameter.reference)
        if value is None:
            why = "names nothing that the trial's template has"
            if not fact:
                why = f"is no parameter of the search{nearest(parameter.reference, by_name)}"
            faults.append(invalid(path, parameter.reference, why))
        else:
            values[parameter.name] = value
    if unused:
        why = f"has no place for the parameters {', '.join(sorted(unused))}; add them there"
        faults.append(invalid(f"{_PATH}.trialParameters", list(values), why))
    if faults:
        raise SpecError(tuple(faults))
    return values


def _fact(name: str, document: JsonObject, key: Key) -> str | None:
    """Return a fact of the trial, or of the template's object: `Name`, `Labels[app]`."""
    metadata = document.get("metadata")
    facts: dict[str, Json] = {
        "Name": key.name,
        "Namespace": key.namespace,
        "Kind": document.get("kind"),
        "APIVersion": document.get("apiVersion"),
    }
    keyed = _KEYED.match(name)
    if keyed is not None and keyed[1] in ("Annotations", "Labels"):
        texts = metadata.get(keyed[1].lower()) if isinstance(metadata, Mapping) else None
        fact = texts.get(keyed[2]) if isinstance(texts, Mapping) else None
    else:
        fact = facts.get(name)
    return fact if isinstance(fact, str) else None


# -- filling in -----------------------------------------------------------------------------


class _Parsed:
    """A template that is an object already."""

    def __init__(self, document: JsonObject) -> None:
        self.document = document

    def filled(self, values: Mapping[str, str]) -> JsonObject:
        fill = _filler({_place(name): value for name, value in values.items()})
        return {fill(name): _filled(part, fill) for name, part in self.document.items()}


class _Text:
    """A template that is a text; `document` is what it says, its places as they are written.

    Each place becomes a plain word before anything is parsed, for as it is written it is no YAML
    where it stands without quotes in `{...}` or `[...]`. Then the words become the values.
    """

    def __init__(self, text: str, names: Sequence[str]) -> None:
        prefix = next(word for n in count() if (word := f"trialParameter{n}x") not in text)
        self._words = {name: f"{prefix}{number}x" for number, name in enumerate(names)}
        self._text = _filler({_place(name): word for name, word in self._words.items()})(text)
        self.document = self.filled({name: _place(name) for name in names})

    def filled(self, values: Mapping[str, str]) -> JsonObject:
        fill = _filler({self._words[name]: value for name, value in values.items()})
        documents = load_objects(self._text, fill)
        if len(documents) != 1:
            raise SpecError((invalid(_PATH, "", f"holds {len(documents)} objects, not one"),))
        return documents[0]


def _place(name: str) -> str:
    return f"${{trialParameters.{name}}}"


def _filler(values: Mapping[str, str]) -> Callable[[str], str]:
    """Make the function that replaces all places of a text at once, so none within a value."""
    if not values:
        return lambda text: text
    places = re.compile("|".join(map(re.escape, values)))
    return lambda text: places.sub(lambda match: values[match[0]], text)


def _filled(part: Json, fill: Callable[[str], str]) -> Json:
    """Fill each text of a JSON value, names included; its shape is not touched."""
    if isinstance(part, str):
        return fill(part)
    if isinstance(part, Mapping):
        return {fill(name): _filled(inner, fill) for name, inner in part.items()}
    if isinstance(part, list | tuple):
        return [_filled(inner, fill) for inner in part]
    return part
