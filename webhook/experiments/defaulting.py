"""The experiment as it was sent, with the defaults filled in and all else as it was.

What is not known here (a field of a later version) and what the request does not change stays:
fields that are fixed must be equal to the stored ones, letter by letter, and an experiment that was
stored without a default must be editable, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment, render_experiment_spec
from api.types import Json, JsonObject

_COUNTS: Final = ("parallelTrialCount", "maxTrialCount", "maxFailedTrialCount")
_COLLECTOR: Final = "metricsCollectorSpec"


def fill_in_defaults(document: JsonObject, old: Json = None) -> JsonObject:
    """Return the experiment with its defaults; `old` is the one in whose place it is put.

    Raises:
        SpecError: it cannot be read.
    """
    experiment = parse_experiment(document, unknown_fields=False)
    sent, stored = _mapping(document.get("spec")), _mapping(_mapping(old).get("spec"))
    said = _mapping(render_experiment_spec(experiment.spec))
    meant = _mapping(render_experiment_spec(with_defaults(experiment).spec))
    if _COLLECTOR in said:
        said = {**said, _COLLECTOR: _with_kind_as_sent(said[_COLLECTOR], sent[_COLLECTOR])}
    spec = dict(sent)
    for name, part in meant.items():
        same = old is not None and sent.get(name) == stored.get(name)
        if part != said.get(name) and (name in _COUNTS or not same):
            spec[name] = _laid_over(sent.get(name), said.get(name), part)
    return {**document, "spec": spec}


def _with_kind_as_sent(said: Json, sent: Json) -> JsonObject:
    """Take away a kind that nobody wrote: the reader itself has a default for it."""
    collector = dict(_mapping(_mapping(said).get("collector")))
    if not _mapping(_mapping(sent).get("collector")).get("kind"):
        collector.pop("kind", None)
    return {**_mapping(said), "collector": collector}


def _laid_over(sent: Json, said: Json, meant: Json) -> Json:
    """Change what was sent where `meant` differs from `said`, what is known of it, and only there.

    `said` and `meant` have the same items in their lists, but for more at the end of `meant`.
    """
    if said == meant:
        return sent
    if isinstance(meant, Mapping):
        was, known = _mapping(sent), _mapping(said)
        changed = {
            name: _laid_over(was.get(name), known.get(name), part)
            for name, part in meant.items()
            if known.get(name) != part
        }
        return {**was, **changed}
    if isinstance(meant, list):
        items, known_items = _list(sent), _list(said)
        both = zip(items, known_items, meant, strict=False)
        return [*(_laid_over(*three) for three in both), *meant[len(items) :]]
    return meant


def _mapping(part: Json) -> JsonObject:
    return part if isinstance(part, Mapping) else {}


def _list(part: Json) -> list[Json]:
    return list(part) if isinstance(part, list | tuple) else []
