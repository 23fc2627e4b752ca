"""The rules for an Experiment that can be checked without a cluster.

This module and its neighbours are Katib's validating webhook. Messages keep Katib's words where
users know them, and add the wrong value and a remedy. Katib accepts some experiments that can
never produce a trial (a bound that is not a number, a name twice); these rules refuse them at
once instead of hours later. The experiment must have its defaults (`with_defaults`).

Other rules need a cluster and are elsewhere: the label of the namespace, the images of algorithm
and collector in katib-config, the ConfigMap of a template, a leftover volume.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeAlias

from api.algorithms import NETWORK_OUTPUTS
from api.errors import Fault
from api.faults import invalid, nearest, required
from api.types import (
    Experiment,
    ExperimentSpec,
    Objective,
    ObjectiveType,
    ObjectMeta,
)

from .enqueued import enqueue_faults
from .validation_collector import collector_faults, scraped_name_faults
from .validation_nas import nas_faults
from .validation_space import space_faults, space_warnings
from .validation_template import template_faults, unused_faults

CheckFilter: TypeAlias = Callable[[str], str | None]
"""Returns what is wrong with a `metricsFormat` regex, or None. `filters` implements it."""

LONGEST_NAME = 40
_LISTED = 20
"""The most names of metrics that a message lists, or strategies that get a hint."""
_LONGEST_LISTED = 80
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_PREFIX = re.compile(r"[a-z][-a-z0-9]*")
NAME_RULE = (
    "name must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character (e.g. 'my-name', or 'abc-123'), and may "
    f"not be longer than {LONGEST_NAME} characters"
)


def faults_of(
    experiment: Experiment, *, check_filter: CheckFilter, template_text: str | None = None
) -> tuple[Fault, ...]:
    """Return all faults of an experiment, in the order of its fields.

    `template_text` is the template from the ConfigMap that `trialTemplate.configMap` names. If it
    is None, the content of such a template is not checked.
    """
    spec = experiment.spec
    return (
        *_name_faults(experiment.metadata),
        *_budget_faults(spec),
        *_objective_faults(spec.objective),
        *_algorithm_faults(spec),
        *space_faults(spec),
        *enqueue_faults(experiment),
        *_network_faults(spec),
        *template_faults(spec, template_text),
        *collector_faults(spec.collector, check_filter),
        *scraped_name_faults(spec.collector, spec.objective),
    )


def warnings_of(experiment: Experiment) -> tuple[Fault, ...]:
    """Return what is allowed but probably a mistake; Katib accepts it without a warning."""
    return (*without_effect(experiment), *space_warnings(experiment.spec))


def without_effect(experiment: Experiment) -> tuple[Fault, ...]:
    """Return those of the warnings that a search would be wasted with.

    Katib accepts such an experiment, so a cluster does too; a run on this machine refuses it.
    """
    return (*unused_faults(experiment.spec), *_strategy_faults(experiment.spec.objective))


def _network_faults(spec: ExperimentSpec) -> Iterator[Fault]:
    """Check the space of an architecture search; other services have rules of their own."""
    algorithm = spec.algorithm.name if spec.algorithm else ""
    if spec.nas_config is not None and algorithm in NETWORK_OUTPUTS:
        yield from nas_faults(spec.nas_config, algorithm)


def _name_faults(metadata: ObjectMeta) -> Iterator[Fault]:
    if not metadata.name and metadata.generate_name:
        # Kubernetes appends five characters.
        name, path, pattern = metadata.generate_name, "metadata.generateName", _PREFIX
        longest = LONGEST_NAME - 5
    else:
        name, path, pattern = metadata.name, "metadata.name", _NAME
        longest = LONGEST_NAME
    if not pattern.fullmatch(name) or len(name) > longest:
        yield invalid(path, name, NAME_RULE)


def _budget_faults(spec: ExperimentSpec) -> Iterator[Fault]:
    failed, most, parallel = (
        spec.max_failed_trial_count,
        spec.max_trial_count,
        spec.parallel_trial_count,
    )
    if failed is not None and failed < 0:
        yield invalid("spec.maxFailedTrialCount", failed, "should not be less than 0")
    if most is not None and most <= 0:
        why = "must be greater than 0; delete it to search without a limit"
        yield invalid("spec.maxTrialCount", most, why)
    if parallel is not None and parallel <= 0:
        why = "must be greater than 0; delete it to run 3 at a time"
        yield invalid("spec.parallelTrialCount", parallel, why)
    if most is None or most <= 0:
        return
    limit = f"should be less than or equal to spec.maxTrialCount, which is {most}"
    limit += "; write a smaller number"
    if failed is not None and failed > most:
        yield invalid("spec.maxFailedTrialCount", failed, limit)
    if parallel is not None and parallel > most:
        yield invalid("spec.parallelTrialCount", parallel, limit)


def _objective_faults(objective: Objective | None) -> Iterator[Fault]:
    if objective is None:
        why = "must be specified; set its type and objectiveMetricName"
        yield required("spec.objective", why)
        return
    if objective.type is ObjectiveType.UNKNOWN:
        yield invalid("spec.objective.type", objective.type.value, "must be minimize or maximize")
    metric = "spec.objective.objectiveMetricName"
    if not objective.metric:
        yield required(metric, "must be specified; write the metric's name as in the log")
    elif objective.metric in objective.additional:
        path = "spec.objective.additionalMetricNames"
        why = f"should not contain {metric}; delete it from this list"
        yield invalid(path, objective.metric, why)
    yield from _metric_name_faults(objective)


def _metric_name_faults(objective: Objective) -> Iterator[Fault]:
    """Check the names, which the collector receives as one text, separated by `;`."""
    places = [("spec.objective.objectiveMetricName", objective.metric)]
    for i, name in enumerate(objective.additional):
        places.append((f"spec.objective.additionalMetricNames[{i}]", name))
        if not name:
            yield required(places[-1][0], "must be specified; write a name or delete the item")
    for path, name in places:
        if ";" in name:
            yield invalid(
                path, name, "must not contain ';', which separates names; rename the metric"
            )


def _strategy_faults(objective: Objective | None) -> Iterator[Fault]:
    """Find strategies of metrics that are not collected."""
    known = dict.fromkeys(objective.metrics if objective else ())
    listed = ", ".join(name[:_LONGEST_LISTED] for name in islice(known, _LISTED))
    listed += ", ..." if len(known) > _LISTED else ""
    for i, strategy in enumerate(objective.strategies if objective else ()):
        if strategy.name not in known:
            hint = nearest(strategy.name, known) if i < _LISTED else ""
            why = (
                "has no effect: no metric of the objective has this name; write one of:"
                f" {listed}{hint}"
            )
            yield invalid(f"spec.objective.metricStrategies[{i}].name", strategy.name, why)


def _algorithm_faults(spec: ExperimentSpec) -> Iterator[Fault]:
    if spec.early_stopping is not None and not spec.early_stopping.name:
        why = "must be specified; write medianstop or asha, or delete spec.earlyStopping"
        yield required("spec.earlyStopping.algorithmName", why)
