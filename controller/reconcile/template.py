"""A trial's job, from its template and its parameters.

Katib replaces `${trialParameters.NAME}` in the template's text and then parses the result. So a
value with a quote or a newline breaks the job or changes its structure. Here the template is parsed
first, and a value cannot change the structure. For harmless values both give the same result:

| the template | `lr: ${trialParameters.lr}` with 0.1 | `lr: "${trialParameters.lr}"` |
|---|---|---|
| `configMap`, text | the number 0.1 | the string 0.1 |
| `trialSpec`, already parsed | the string 0.1 | the string 0.1 |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Final

from api.documents import mapping_at, value_at
from api.errors import Fault, SpecError
from api.faults import invalid, nearest, quoted
from api.limits import MOST_VALUES
from api.objects.yamltext import MAX_BYTES, load_objects
from api.types import Assignment, Json, JsonObject, TrialTemplate
from controller.reconcile.views import Key

_PATH = "spec.trialTemplate"
_META = re.compile(r"\$\{trialSpec\.(.{1,253}?)\}")
_KEYED = re.compile(r"(.+)\[(.+)]")
_TAKEN: Final = re.compile(r"trialParameter([0-9]+)x")


def render_template(
    template: TrialTemplate, text: str | None, key: Key, assignments: Sequence[Assignment]
) -> JsonObject:
    """Fill in the template for the trial with this key.

    `text` is the text of the template if a ConfigMap holds it; None if that was not found.

    Raises:
        SpecError: the template does not exist or cannot be parsed, or a parameter has no value.
    """
    parsed = _parsed_template(template, text)
    filled = parsed.filled(_values(template, parsed.document, key, assignments))
    own_metadata = {**mapping_at(filled, "metadata"), "name": key.name}
    if key.namespace:
        own_metadata["namespace"] = key.namespace
    return {**filled, "metadata": own_metadata}


def _parsed_template(template: TrialTemplate, text: str | None) -> _Parsed | _Text:
    if template.trial_spec is not None:
        return _Parsed(template.trial_spec)
    return _Text(
        _template_text(template, text), [parameter.name for parameter in template.trial_parameters]
    )


def _template_text(template: TrialTemplate, text: str | None) -> str:
    if text is not None:
        return text
    source = template.config_map
    if source is None:
        raise SpecError((invalid(_PATH, "", "has neither trialSpec nor configMap"),))
    where = f"key {quoted(source.path)} of ConfigMap {source.namespace}/{source.name}"
    raise SpecError((invalid(f"{_PATH}.configMap", source.name, f"cannot find {where}"),))


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
        reference = _META.search(parameter.reference)
        unused.discard(parameter.reference)
        value = (
            _fact(reference[1], document, key) if reference else by_name.get(parameter.reference)
        )
        if value is None:
            reason = "names nothing in the trial's template"
            if not reference:
                reason = f"is not a parameter of the search{nearest(parameter.reference, by_name)}"
            faults.append(invalid(path, parameter.reference, reason))
        else:
            values[parameter.name] = value
    if unused:
        reason = f"does not use the parameters {', '.join(sorted(unused))}; add them there"
        faults.append(invalid(f"{_PATH}.trialParameters", list(values), reason))
    if faults:
        raise SpecError(tuple(faults))
    return values


def _fact(name: str, document: JsonObject, key: Key) -> str | None:
    """Return a fact about the trial or about the template's object: `Name`, `Labels[app]`."""
    facts: dict[str, Json] = {
        "Name": key.name,
        "Namespace": key.namespace,
        "Kind": document.get("kind"),
        "APIVersion": document.get("apiVersion"),
    }
    with_key = _KEYED.match(name)
    if with_key is not None and with_key[1] in ("Annotations", "Labels"):
        fact = value_at(document, "metadata", with_key[1].lower(), with_key[2])
    else:
        fact = facts.get(name)
    return fact if isinstance(fact, str) else None


# -- placeholders ---------------------------------------------------------------------------


class _Parsed:
    """A template that is an object already."""

    def __init__(self, document: JsonObject) -> None:
        self.document = document

    def filled(self, values: Mapping[str, str]) -> JsonObject:
        fill = _filler({_placeholder(name): value for name, value in values.items()})
        return {fill(name): _filled(part, fill) for name, part in self.document.items()}


class _Text:
    """A template that is text. `document` is the parsed text with its placeholders unchanged.

    Each placeholder first becomes a plain word, because a placeholder without quotes inside `{...}`
    or `[...]` is not valid YAML. After parsing, the values replace the words.
    """

    def __init__(self, text: str, names: Sequence[str]) -> None:
        taken = set(_TAKEN.findall(text))
        prefix = f"trialParameter{next(n for n in map(str, count()) if n not in taken)}x"
        self._words = {name: f"{prefix}{number}x" for number, name in enumerate(names)}
        self._text = _filler({_placeholder(name): word for name, word in self._words.items()})(text)
        self.document = self.filled({name: _placeholder(name) for name in names})

    def filled(self, values: Mapping[str, str]) -> JsonObject:
        fill = _filler({self._words[name]: value for name, value in values.items()})
        documents = load_objects(self._text, fill, most_values=MOST_VALUES)
        if len(documents) != 1:
            raise SpecError((invalid(_PATH, "", f"holds {len(documents)} objects instead of one"),))
        return documents[0]


def _placeholder(name: str) -> str:
    return f"${{trialParameters.{name}}}"


def _filler(values: Mapping[str, str]) -> Callable[[str], str]:
    """Return a function that replaces all placeholders in one pass, none inside a value.

    Together the inserted values may have `MAX_BYTES` characters; above, the function raises
    SpecError before it inserts them.
    """
    if not values:
        return lambda text: text
    placeholders = re.compile("|".join(map(re.escape, values)))
    room = MAX_BYTES

    def fill(text: str) -> str:
        nonlocal room
        room -= sum(len(values[name]) for name in placeholders.findall(text))
        if room < 0:
            why = f"has more than {MAX_BYTES} characters from its parameters, which Kubernetes"
            raise SpecError((invalid(_PATH, "", f"{why} does not accept; use shorter values"),))
        return placeholders.sub(lambda match: values[match[0]], text)

    return fill


def _filled(part: Json, fill: Callable[[str], str]) -> Json:
    """Fill in each string of a JSON value, field names included; the structure stays."""
    if isinstance(part, str):
        return fill(part)
    if isinstance(part, Mapping):
        return {fill(name): _filled(inner, fill) for name, inner in part.items()}
    if isinstance(part, list | tuple):
        return [_filled(inner, fill) for inner in part]
    return part
