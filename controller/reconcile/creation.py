"""A trial, as it is created from one suggestion of the search."""

from __future__ import annotations

from api.errors import SpecError
from api.faults import forbidden, quoted
from api.installation.trial_kinds import kind_of
from api.names import AUTHOR_ANNOTATION, EXPERIMENT_LABEL, TRIAL_FINALIZER
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
    """Return the trial; `text` is the text of the template if a ConfigMap holds it.

    Raises:
        SpecError: the template cannot be filled in, or its kind is not the one that was checked.
    """
    meta, spec = experiment.metadata, experiment.spec
    template = spec.trial_template or TrialTemplate()
    key = Key(namespace=meta.namespace, name=suggested.name)
    has_conditions = bool(template.success_condition and template.failure_condition)
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
            success_condition=template.success_condition if has_conditions else "",
            failure_condition=template.failure_condition if has_conditions else "",
            labels=suggested.labels,
        ),
    )


def _checked(experiment: Experiment, run_spec: JsonObject) -> JsonObject:
    """Refuse a kind other than the one for which the webhook checked the author's right, if it did.

    The template in a ConfigMap may have changed since, and a parameter's value may change it too.
    """
    checked, kind = experiment.metadata.annotations.get(AUTHOR_ANNOTATION), kind_of(run_spec).short
    if checked not in (None, kind):
        reason = (
            f"makes trials of the kind {quoted(kind)}, but the right of the experiment's author was"
            f" checked for the kind {quoted(checked)}; restore the template, or create the"
            " experiment again"
        )
        raise SpecError((forbidden("spec.trialTemplate", reason),))
    return run_spec
