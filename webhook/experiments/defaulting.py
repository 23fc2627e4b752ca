"""Fills in the defaults of an experiment, and leaves the rest as the request sent it.

Unknown fields (of a later version) stay. So do fields that the request does not change: fixed
fields must equal the stored ones exactly, and an experiment that was stored without a default must
stay editable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from api.documents import items_at, mapping_at, value_at
from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment, render_experiment_spec
from api.types import Json, JsonObject

_COUNTS: Final = ("parallelTrialCount", "maxTrialCount", "maxFailedTrialCount")
_COLLECTOR: Final = "metricsCollectorSpec"


def fill_in_defaults(document: JsonObject, old: Json = None) -> JsonObject:
    """Return the experiment with its defaults; `old` is the stored one that it replaces.

    Raises:
        SpecError: the experiment is not valid.
    """
    experiment = parse_experiment(document, unknown_fields=False)
    sent, stored = mapping_at(document, "spec"), mapping_at(old, "spec")
    plain = mapping_at(render_experiment_spec(experiment.spec))
    complete = mapping_at(render_experiment_spec(with_defaults(experiment).spec))
    if _COLLECTOR in plain:
        plain = {**plain, _COLLECTOR: _without_default_kind(plain[_COLLECTOR], sent[_COLLECTOR])}
    spec = dict(sent)
    for name, part in complete.items():
        same = old is not None and sent.get(name) == stored.get(name)
        if part != plain.get(name) and (name in _COUNTS or not same):
            spec[name] = _merge(sent.get(name), plain.get(name), part)
    return {**document, "spec": spec}


def _without_default_kind(plain: Json, sent: Json) -> JsonObject:
    """Remove a kind that was not sent: the reader fills it in."""
    collector = dict(mapping_at(plain, "collector"))
    if not value_at(sent, "collector", "kind"):
        collector.pop("kind", None)
    return {**mapping_at(plain), "collector": collector}


def _merge(sent: Json, plain: Json, complete: Json) -> Json:
    """Change `sent` only where `complete` (read, with defaults) differs from `plain` (read).

    A list in `complete` has the items of the list in `plain`, and may have more at its end.
    """
    if plain == complete:
        return sent
    if isinstance(complete, Mapping):
        fields, known = mapping_at(sent), mapping_at(plain)
        changed = {
            name: _merge(fields.get(name), known.get(name), part)
            for name, part in complete.items()
            if known.get(name) != part
        }
        return {**fields, **changed}
    if isinstance(complete, list):
        items, known_items = items_at(sent), items_at(plain)
        triples = zip(items, known_items, complete, strict=False)
        return [*(_merge(*triple) for triple in triples), *complete[len(items) :]]
    return complete
