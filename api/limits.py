"""How large the parts of an Experiment may be: one table for the CRD, the webhook and the filters.

The API server calls a mutating webhook before it checks the CRD's schema. So the webhook itself
checks these limits, before anything whose time or memory grows with a part: a pattern to compile, a
list to compare. The limits are far above what a search needs; each has its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from api.errors import Fault
from api.faults import invalid
from api.types import Json

MOST_PATTERNS = 100
LONGEST_PATTERN = 16_384
"""Characters of one `metricsFormat`."""
MOST_PATTERN_CHARACTERS = 32_768
"""Characters of all `metricsFormat`s: each is compiled at admission and in each sidecar."""
MOST_METRICS = 1001
"""The objective and its additional metrics."""
LONGEST_METRIC = 1024
MOST_VALUES = 20_000
"""Values and names in a `spec`, or in the text of a template: reading one takes about 10 us."""
_LONGEST_NAME = 253
_MOST_FAULTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The most items of a list, or the most characters of a text."""

    path: str
    """The field of an Experiment; `[]` stands for any item of a list."""
    most: int
    reason: str


ITEMS = (
    Limit(path="spec.parameters", most=256, reason="each is compared with the others"),
    Limit(
        path="spec.parameters[].feasibleSpace.list",
        most=10_000,
        reason="each search reads all values for each trial",
    ),
    Limit(
        path="spec.trialTemplate.trialParameters",
        most=256,
        reason="each is compared with the placeholders of the template",
    ),
    Limit(
        path="spec.objective.additionalMetricNames",
        most=MOST_METRICS - 1,
        reason="each is looked for in each line of the output",
    ),
    Limit(
        path="spec.objective.metricStrategies",
        most=MOST_METRICS,
        reason="there is one for each metric",
    ),
    Limit(
        path="spec.algorithm.algorithmSettings",
        most=1000,
        reason="each is compared with the settings of the algorithm",
    ),
    Limit(
        path="spec.earlyStopping.algorithmSettings",
        most=1000,
        reason="each is compared with the settings of the algorithm",
    ),
    Limit(
        path="spec.metricsCollectorSpec.source.filter.metricsFormat",
        most=MOST_PATTERNS,
        reason="each is compiled, and runs on each line of the output",
    ),
)
CHARACTERS = (
    Limit(path="spec.parameters[].name", most=_LONGEST_NAME, reason="names are compared"),
    *(
        Limit(
            path=f"spec.parameters[].feasibleSpace.{bound}",
            most=_LONGEST_NAME,
            reason="it is read as a number",
        )
        for bound in ("min", "max", "step")
    ),
    *(
        Limit(
            path=f"spec.trialTemplate.trialParameters[].{name}",
            most=_LONGEST_NAME,
            reason="names are compared",
        )
        for name in ("name", "reference")
    ),
    *(
        Limit(
            path=f"spec.trialTemplate.{name}",
            most=LONGEST_PATTERN,
            reason="it is an expression, which is parsed",
        )
        for name in ("successCondition", "failureCondition")
    ),
    Limit(
        path="spec.objective.additionalMetricNames[]",
        most=LONGEST_METRIC,
        reason="it is looked for in each line of the output",
    ),
    Limit(
        path="spec.objective.objectiveMetricName",
        most=LONGEST_METRIC,
        reason="it is looked for in each line of the output",
    ),
    Limit(
        path="spec.metricsCollectorSpec.source.filter.metricsFormat[]",
        most=LONGEST_PATTERN,
        reason="it is compiled",
    ),
)


def faults_beyond_limits(document: Json) -> tuple[Fault, ...]:
    """Return where an Experiment exceeds a limit; any JSON is accepted, and wrong types pass.

    The work is in proportion to the document at most. Only the first faults are returned.
    """
    return (
        faults_of_size(document)
        or tuple(islice(_faults(document), _MOST_FAULTS))
        or tuple(_pattern_faults(document))
    )


def faults_of_size(document: Json) -> tuple[Fault, ...]:
    """Return the fault of an object whose `spec` has more than `MOST_VALUES` values and names."""
    spec = document.get("spec") if isinstance(document, Mapping) else None
    if _values(spec, MOST_VALUES) <= MOST_VALUES:
        return ()
    why = f"must have at most {MOST_VALUES} values and names in all, because each is checked"
    return (invalid("spec", spec, f"{why}; move data into a ConfigMap or a volume"),)


def _faults(document: Json) -> Iterator[Fault]:
    for limit in ITEMS:
        for path, value in _parts(document, limit.path):
            if isinstance(value, list | tuple) and len(value) > limit.most:
                yield invalid(path, value, f"must have at most {limit.most} items: {limit.reason}")
    for limit in CHARACTERS:
        for path, value in _parts(document, limit.path):
            if isinstance(value, str) and len(value) > limit.most:
                why = f"must have at most {limit.most} characters, not {len(value)}"
                yield invalid(path, value, f"{why}: {limit.reason}")


def _pattern_faults(document: Json) -> Iterator[Fault]:
    path = "spec.metricsCollectorSpec.source.filter.metricsFormat"
    texts = [text for _, text in _parts(document, f"{path}[]") if isinstance(text, str)]
    total = sum(map(len, texts))
    if total > MOST_PATTERN_CHARACTERS:
        why = f"must have at most {MOST_PATTERN_CHARACTERS} characters in all, not {total}"
        yield invalid(path, texts, f"{why}: each pattern is compiled")


def _parts(document: Json, path: str) -> Iterator[tuple[str, Json]]:
    """Yield the values at a path, each with its own path; a part of another type has none."""
    found: list[tuple[str, Json]] = [("", document)]
    for step in path.split("."):
        name = step.removesuffix("[]")
        found = [
            (f"{way}.{name}" if way else name, part[name])
            for way, part in found
            if isinstance(part, Mapping) and name in part
        ]
        if step.endswith("[]"):
            found = [
                (f"{way}[{number}]", item)
                for way, part in found
                if isinstance(part, list | tuple)
                for number, item in enumerate(part)
            ]
    yield from found


def _values(document: Json, most: int) -> int:
    """Count the values and names in a JSON value; stop soon after `most`."""
    count = 0
    waiting = [document]
    while waiting and count <= most:
        part = waiting.pop()
        count += 1
        if isinstance(part, Mapping):
            count += len(part)
            waiting.extend(part.values())
        elif isinstance(part, list | tuple):
            waiting.extend(part)
    return count
