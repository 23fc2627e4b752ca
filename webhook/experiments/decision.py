"""The decision about an experiment: a generator that yields look-ups and returns a verdict.

    decision = decide_on_experiment(request, config)
    lookup = next(decision)              # an ObjectLookup or a RightLookup
    lookup = decision.send(answer)       # an ObjectAnswer or a RightAnswer
    ...                                  # StopIteration.value is an ExperimentVerdict

The mutating and the validating webhook both decide. Between the two the API server checks the
schema and the CEL rules; an experiment that it refuses there never reaches the validating webhook,
so its user would not see the faults that only the webhook knows.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from api.documents import mapping_at
from api.errors import Fault
from api.faults import forbidden, invalid, nearest, required
from api.installation.trial_kinds import kind_of
from api.limits import faults_beyond_limits
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
    decide_on_reader,
)
from webhook.experiments.installation import faults_of_enqueued, faults_of_installation
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
"""The most unreadable or unknown fields that an answer lists."""
_MOST_WARNINGS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentVerdict:
    """The result; with neither faults nor a failed look-up, the experiment is accepted."""

    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    lookup_failure: str = ""
    """Why something that the decision needs could not be looked up; empty: no look-up failed."""
    kind: str = ""
    """The kind of trials that the author has the right to create."""


ExperimentDecision = Generator[ObjectLookup | RightLookup, Any, ExperimentVerdict]
"""It must be sent an ObjectAnswer to an ObjectLookup, and a RightAnswer to a RightLookup."""


def decide_on_experiment(request: ExperimentRequest, config: Config) -> ExperimentDecision:
    """Decide on an experiment.

    Raises:
        RecursionError: the document is nested too deeply.
    """
    if request.exempt:
        return ExperimentVerdict()
    beyond = _beyond_limits(request)
    if beyond:
        return ExperimentVerdict(faults=beyond)
    new = _read(request.document)
    template = yield from _template(request, new.experiment)
    if template.lookup_failure:
        return ExperimentVerdict(lookup_failure=template.lookup_failure)
    faults = [*new.faults, *template.faults, *_rule_faults(new, template.text, config)]
    if request.old is not None:
        faults = list(_change_faults(faults, new, _read(request.old), template.text, config))
    if faults or new.experiment is None:
        return ExperimentVerdict(faults=tuple(dict.fromkeys(faults)))
    author = yield from _author(request, new.experiment, template.text)
    if author.faults or author.lookup_failure:
        return ExperimentVerdict(faults=author.faults, lookup_failure=author.lookup_failure)
    namespace: ObjectAnswer | None = None
    if needs_namespace(new.experiment):
        namespace = yield ObjectLookup(
            api_version="v1", kind="Namespace", namespace="", name=request.namespace
        )
    more = warnings_of_experiment(new.experiment, request.namespace, config, namespace)
    warnings = (*(str(fault) for fault in new.unknown_fields), *more)
    return ExperimentVerdict(warnings=warnings[:_MOST_WARNINGS], kind=author.kind)


def _beyond_limits(request: ExperimentRequest) -> tuple[Fault, ...]:
    """Return where a request exceeds a limit that the stored experiment does not exceed.

    This comes first: the API server checks the same limits only after the mutating webhook.
    """
    faults = faults_beyond_limits(request.document)
    stored = faults_beyond_limits(request.old) if faults and request.old is not None else ()
    return tuple(fault for fault in faults if fault not in stored)


def _author(
    request: ExperimentRequest, experiment: Experiment, text: str | None
) -> Generator[RightLookup, RightAnswer, AuthorVerdict]:
    """Decide whether the author may have such trials; `text` is that of a template's ConfigMap."""
    template = experiment.spec.trial_template
    job = described_job(template, text) if template is not None else None
    if job is None:
        return AuthorVerdict()
    return (yield from decide_on_author(request.author, kind_of(job), request.namespace, _TEMPLATE))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    experiment: Experiment | None
    """With its defaults; None: the document is not an experiment."""
    faults: tuple[Fault, ...]
    unknown_fields: tuple[Fault, ...]


def _read(document: Json) -> _Reading:
    f = Field(document)
    experiment = f.record(read_experiment)
    faults = tuple(f.faults(unknown=False))
    if experiment is None and not faults:
        faults = (required("document", "must be an Experiment"),)
    return _Reading(
        experiment=None if experiment is None else with_defaults(experiment),
        faults=faults,
        unknown_fields=() if faults else tuple(islice(f.faults(), _MOST_UNREAD)),
    )


def _rule_faults(reading: _Reading, template: str | None, config: Config) -> Iterator[Fault]:
    """Yield the broken rules, without those that an unreadable value may only seem to break."""
    if reading.experiment is None or len(reading.faults) > _MOST_UNREAD:
        return
    yield from (
        fault
        for fault in (
            *faults_of(reading.experiment, check_filter=_filter_fault, template_text=template),
            *faults_of_installation(reading.experiment.spec, config, template),
            *faults_of_enqueued(reading.experiment, config),
        )
        if not any(_concerns(read.path, fault.path) for read in reading.faults)
    )


def _change_faults(
    faults: list[Fault], new: _Reading, old: _Reading, template: str | None, config: Config
) -> Iterator[Fault]:
    """Yield what is wrong with a change; faults that the stored experiment has too do not count."""
    if old.experiment is None or old.faults:
        why = "; ".join(str(fault) for fault in old.faults[:3])
        remedy = "its spec cannot be changed; create a new experiment"
        yield forbidden("spec", f"Cannot decode incoming old object: {why}; {remedy}")
        return
    if new.experiment is not None and not new.faults:
        yield from update_faults(old.experiment, new.experiment)
    before = set(_rule_faults(old, template, config))
    yield from (fault for fault in faults if fault not in before)


def _concerns(unread: str, ruled: str) -> bool:
    """Return whether an unreadable value may be the cause of a rule's fault.

    It may be if the fault is at the same path, above it, below it, or in the same small part.
    """
    if _within(unread, ruled):
        return True
    home, _, _ = unread.rpartition(".")
    return _within(ruled, unread if home in ("", "spec") else home)


def _within(path: str, whole: str) -> bool:
    return path == whole or path.startswith((f"{whole}.", f"{whole}["))


@lru_cache(maxsize=256)
def _filter_fault(pattern: str) -> str | None:
    return fault_of(pattern)


# -- a template that is in a ConfigMap ------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Template:
    text: str | None = None
    faults: tuple[Fault, ...] = ()
    lookup_failure: str = ""


_TemplateDecision = Generator[ObjectLookup | RightLookup, Any, _Template]


def _template(request: ExperimentRequest, experiment: Experiment | None) -> _TemplateDecision:
    """Find the text of a template in a ConfigMap, if the author may read it."""
    template = experiment.spec.trial_template if experiment else None
    source = template.config_map if template and template.trial_spec is None else None
    if source is None or not (source.name and source.namespace and source.path):
        return _Template()
    reader = yield from decide_on_reader(
        request.author, source, request.namespace, f"{_TEMPLATE}.configMap"
    )
    if reader.faults or reader.lookup_failure:
        return _Template(faults=reader.faults, lookup_failure=reader.lookup_failure)
    answer: ObjectAnswer = yield ObjectLookup(
        api_version="v1", kind="ConfigMap", namespace=source.namespace, name=source.name
    )
    match answer:
        case ObjectFound(document=document):
            return _text_of(document, source)
        case ObjectAbsent():
            why = "does not exist; create it, or correct configMapName and configMapNamespace"
            return _Template(faults=(_template_fault(source, why),))
        case LookupFailed(cause=cause):
            name = f"ConfigMap {source.namespace}/{source.name}"
            why = f"{_TEMPLATE}.configMap: cannot look up {name}: {cause}"
            return _Template(lookup_failure=why)


def _text_of(document: JsonObject, source: ConfigMapSource) -> _Template:
    texts = mapping_at(document, "data")
    text = texts.get(source.path)
    if isinstance(text, str):
        return _Template(text=text)
    near = nearest(source.path, texts) or "; correct templatePath, or add the key to the ConfigMap"
    return _Template(faults=(_template_fault(source, f"has no key {source.path}{near}"),))


def _template_fault(source: ConfigMapSource, why: str) -> Fault:
    which = f"ConfigMap {source.namespace}/{source.name}"
    return invalid(_TEMPLATE, "", f"unable to parse {_TEMPLATE}: {which} {why}")
