"""Everything that is wrong with an experiment, asking for the objects that it needs.

    decision = decide_on_experiment(request, config)
    question = next(decision)               # ObjectLookup, RightLookup
    question = decision.send(answer)        # an ObjectAnswer to one, a RightAnswer to the other
    ...                                     # StopIteration.value is an ExperimentVerdict

Both webhooks judge, the mutating one first: between the two the API server looks at an object's
schema and its rules in CEL, and who is refused there would hear nothing of what only we know.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from api.errors import Fault
from api.faults import forbidden, invalid, nearest, required
from api.installation.trial_kinds import kind_of
from api.objects.defaults import with_defaults
from api.objects.experiments import read_experiment
from api.objects.fields import Field
from api.objects.validation import faults_of
from api.objects.validation_template import described_job
from api.objects.validation_update import update_faults
from api.types import ConfigMapSource, Experiment, Json, JsonObject
from filters.pattern import fault_of
from webhook.experiments.authors import (
    AuthorVerdict,
    RightAnswer,
    RightLookup,
    decide_on_author,
)
from webhook.experiments.installation import faults_of_installation
from webhook.experiments.request import ExperimentRequest
from webhook.experiments.warnings import needs_namespace, warnings_of_experiment
from webhook.model.config import Config
from webhook.model.lookups import (
    LookupFailed,
    ObjectAbsent,
    ObjectAnswer,
    ObjectFound,
    ObjectLookup,
)

_TEMPLATE = "spec.trialTemplate"
_MOST_UNREAD = 50
"""Where more cannot be read, or is unknown, that is enough to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentVerdict:
    """What is to be said of an experiment; with neither faults nor `unknown` it is taken."""

    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    unknown: str = ""
    """Why it cannot be judged now."""
    kind: str = ""
    """The kind of trials that the author was found to have the right to create."""


Question = ObjectLookup | RightLookup
Reply = ObjectAnswer | RightAnswer
ExperimentDecision = Generator[Question, Any, ExperimentVerdict]
"""Each question is sent a reply of its own kind."""


def decide_on_experiment(asked: ExperimentRequest, config: Config) -> ExperimentDecision:
    """Judge an experiment. Raises RecursionError where it is nested too deeply."""
    if asked.settled:
        return ExperimentVerdict()
    new = _read(asked.document)
    template = yield from _template(new.experiment)
    if template.unknown:
        return ExperimentVerdict(unknown=template.unknown)
    faults = [*new.faults, *template.faults, *_ruled(new, template.text, config)]
    if asked.old is not None:
        faults = list(_of_a_change(faults, new, _read(asked.old), template.text, config))
    if faults or new.experiment is None:
        return ExperimentVerdict(faults=tuple(dict.fromkeys(faults)))
    author = yield from _author(asked, new.experiment, template.text)
    if author.faults or author.unknown:
        return ExperimentVerdict(faults=author.faults, unknown=author.unknown)
    namespace: ObjectAnswer | None = None
    if needs_namespace(new.experiment):
        namespace = yield ObjectLookup(
            api_version="v1", kind="Namespace", namespace="", name=asked.namespace
        )
    told = warnings_of_experiment(new.experiment, asked.namespace, namespace)
    warnings = (*(str(fault) for fault in new.strange), *told)
    return ExperimentVerdict(warnings=warnings, kind=author.kind)


def _author(
    asked: ExperimentRequest, experiment: Experiment, text: str | None
) -> Generator[RightLookup, RightAnswer, AuthorVerdict]:
    """Judge whether its author may have the trials; `text` is the template's of a ConfigMap."""
    template = experiment.spec.trial_template
    job = described_job(template, text) if template is not None else None
    if job is None:
        return AuthorVerdict()
    return (yield from decide_on_author(asked.author, kind_of(job), asked.namespace, _TEMPLATE))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    experiment: Experiment | None
    """With its defaults; None: it is none."""
    faults: tuple[Fault, ...]
    strange: tuple[Fault, ...]
    """Fields that nobody knows."""


def _read(document: Json) -> _Reading:
    f = Field(document)
    experiment = f.record(read_experiment)
    faults = tuple(f.faults(unknown=False))
    if experiment is None and not faults:
        faults = (required("document", "must be an Experiment"),)
    return _Reading(
        experiment=None if experiment is None else with_defaults(experiment),
        faults=faults,
        strange=() if faults else tuple(islice(f.faults(), _MOST_UNREAD)),
    )


def _ruled(reading: _Reading, template: str | None, config: Config) -> Iterator[Fault]:
    """Yield what breaks a rule, but for what cannot be told where something could not be read."""
    if reading.experiment is None or len(reading.faults) > _MOST_UNREAD:
        return
    yield from (
        fault
        for fault in (
            *faults_of(reading.experiment, check_filter=_wrong_filter, template_text=template),
            *faults_of_installation(reading.experiment.spec, config, template),
        )
        if not any(_concerns(read.path, fault.path) for read in reading.faults)
    )


def _of_a_change(
    faults: list[Fault], new: _Reading, old: _Reading, template: str | None, config: Config
) -> Iterator[Fault]:
    """Yield what is wrong with a change: what was so before is not held against it."""
    if old.experiment is None or old.faults:
        why = "; ".join(str(fault) for fault in old.faults[:3])
        remedy = "its spec can be edited no more; create a new experiment"
        yield forbidden("spec", f"Cannot decode incoming old object: {why}; {remedy}")
        return
    if new.experiment is not None and not new.faults:
        yield from update_faults(old.experiment, new.experiment)
    before = set(_ruled(old, template, config))
    yield from (fault for fault in faults if fault not in before)


def _concerns(unread: str, ruled: str) -> bool:
    """Say whether a rule's fault may come of a value that could not be read.

    It may where it is at the same place, above it, below it, or beside it in one small part.
    """
    if _within(unread, ruled):
        return True
    home, _, _ = unread.rpartition(".")
    return _within(ruled, unread if home in ("", "spec") else home)


def _within(path: str, whole: str) -> bool:
    return path == whole or path.startswith((f"{whole}.", f"{whole}["))


@lru_cache(maxsize=1024)
def _wrong_filter(pattern: str) -> str | None:
    return fault_of(pattern)


# -- a template that is in a ConfigMap ------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Template:
    text: str | None = None
    faults: tuple[Fault, ...] = ()
    unknown: str = ""


def _template(experiment: Experiment | None) -> Generator[ObjectLookup, ObjectAnswer, _Template]:
    template = experiment.spec.trial_template if experiment else None
    source = template.config_map if template and template.trial_spec is None else None
    if source is None or not (source.name and source.namespace and source.path):
        return _Template()
    answer = yield ObjectLookup(
        api_version="v1", kind="ConfigMap", namespace=source.namespace, name=source.name
    )
    match answer:
        case ObjectFound(document=document):
            return _text_of(document, source)
        case ObjectAbsent():
            why = "is not there; create it, or correct configMapName and configMapNamespace"
            return _Template(faults=(_unparsed(source, why),))
        case LookupFailed(cause=cause):
            why = f"{_TEMPLATE}.configMap: ConfigMap {source.namespace}/{source.name} could not be"
            return _Template(unknown=f"{why} looked up: {cause}")


def _text_of(document: JsonObject, source: ConfigMapSource) -> _Template:
    data = document.get("data")
    texts = data if isinstance(data, dict) else {}
    text = texts.get(source.path)
    if isinstance(text, str):
        return _Template(text=text)
    near = nearest(source.path, texts) or "; correct templatePath, or add it there"
    return _Template(faults=(_unparsed(source, f"has no key {source.path}{near}"),))


def _unparsed(source: ConfigMapSource, why: str) -> Fault:
    which = f"ConfigMap {source.namespace}/{source.name}"
    return invalid(_TEMPLATE, "", f"unable to parse {_TEMPLATE}: {which} {why}")
