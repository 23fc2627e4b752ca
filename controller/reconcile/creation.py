"""A trial as it is created from one answer of the search."""

from __future__ import annotations

from api.errors import SpecError
from api.faults import forbidden, quoted
from api.installation.trial_kinds import kind_of
from api.names import AUTHOR_ANNOTATION, EXPERIMENT_LABEL, NUMBER_LABEL, TRIAL_FINALIZER
from api.types import (
    Experiment,
    JsonObject,
    ObjectMeta,
    SuggestedTrial,
    Trial,
    TrialSpec,
    TrialTemplate,
)
from controller.reconcile.suggestions import owner_of
from controller.reconcile.template import render_template
from controller.reconcile.views import Key


def trial_of(experiment: Experiment, suggested: SuggestedTrial, text: str | None) -> Trial:
    """Make the trial; `text` is that of the template where a ConfigMap holds it.

    Raises:
        SpecError: the template cannot be filled in, or has become another than its author may use.
    """
    meta, spec = experiment.metadata, experiment.spec
    template = spec.trial_template or TrialTemplate()
    key = Key(namespace=meta.namespace, name=suggested.name)
    reads_job = bool(template.success_condition and template.failure_condition)
    return Trial(
        metadata=ObjectMeta(
            name=key.name,
            namespace=key.namespace,
            labels={**meta.labels, EXPERIMENT_LABEL: meta.name, **suggested.labels},
            finalizers=(TRIAL_FINALIZER,),
            owner_references=(owner_of(experiment),),
        ),
        spec=TrialSpec(
            objective=spec.objective,
            assignments=suggested.assignments,
            stop_rules=suggested.stop_rules if spec.early_stopping else (),
            run_spec=_checked(
                experiment, render_template(template, text, key, suggested.assignments)
            ),
            retain_run=template.retain,
            collector=spec.collector,
            primary_pod_labels=template.primary_pod_labels,
            primary_container_name=template.primary_container_name,
            success_condition=template.success_condition if reads_job else "",
            failure_condition=template.failure_condition if reads_job else "",
            labels=suggested.labels,
        ),
    )


def _checked(experiment: Experiment, run_spec: JsonObject) -> JsonObject:
    """Let only that kind through for which the webhook has found the author's right, if it has.

    A ConfigMap's template may have changed since, and a parameter's value may change it too.
    """
    checked, kind = experiment.metadata.annotations.get(AUTHOR_ANNOTATION), kind_of(run_spec).short
    if checked not in (None, kind):
        why = (
            f"makes trials of the kind {quoted(kind)}, and the right of the experiment's author was"
            f" checked for the kind {quoted(checked)}; restore the template, or create the"
            " experiment anew"
        )
        raise SpecError((forbidden("spec.trialTemplate", why),))
    return run_spec


def number_of(trial: Trial) -> float:
    """Return a trial's place in the history; those that do not say it come last."""
    text = trial.metadata.labels.get(NUMBER_LABEL, "")
    return int(text) if text.isascii() and text.isdecimal() else float("inf")


def order_key(trial: Trial) -> tuple[float, str, str]:
    """Return what puts trials into the order in which they were asked for."""
    meta = trial.metadata
    return number_of(trial), meta.creation_timestamp or "", meta.name


def in_order(trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
    """Put trials into the order in which they were asked for."""
    return tuple(sorted(trials, key=order_key))
