"""What a migration says: what is there, what each step does, and what stays Katib's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trialwatch.migration import acts
from trialwatch.migration.katib_config import Stage, kept_algorithms
from trialwatch.migration.plan import STAGES, Step
from trialwatch.migration.survey import Survey

_SHOWN: Final = 5
_FORTH: Final = {
    Stage.STORE: "trialwatch's DB manager serves Katib's own database",
    Stage.WEBHOOK: "trialwatch's webhook gives new pods of trials trialwatch's collector",
    Stage.SEARCH: "new experiments search with trialwatch's image, and its service starts",
    Stage.CONTROLLER: "trialwatch's controller goes on with all experiments",
}
_BACK: Final = {
    Stage.STORE: "Katib's DB manager serves its database again",
    Stage.WEBHOOK: "Katib's webhook gives new pods of trials Katib's collector again",
    Stage.SEARCH: "new experiments search with Katib's images again",
    Stage.CONTROLLER: "Katib's controller goes on with all experiments",
}


def survey_lines(survey: Survey) -> list[str]:
    """Return what is there."""
    more = len(survey.running) - _SHOWN
    shown = ", ".join(survey.running[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    running = f" ({shown})" if shown else ""
    kept = kept_algorithms(survey.original)
    lines = [
        f"Katib {survey.version} in the namespace {survey.namespace}, with {survey.database}",
        f"experiments: {len(survey.running)} running{running}, {survey.ended} ended",
    ]
    lines += [f"{stage.word:<11}{_owner(survey, stage)}" for stage in STAGES]
    if kept:
        lines.append(f"algorithms that stay Katib's, with its images: {', '.join(kept)}")
    if survey.ui:
        lines.append("UI: Katib's stays, because trialwatch has none; it reads the same objects")
    return lines


def plan_lines(steps: Sequence[Step]) -> list[str]:
    """Return what will happen, step by step."""
    lines = []
    for number, step in enumerate(steps, start=1):
        lines.append(f"{number}. {heading(step)}")
        lines += [f"     {act_text(act)}" for act in step.acts]
    return lines


def heading(step: Step) -> str:
    """Return the title of a step."""
    sentence = (_BACK if step.back else _FORTH)[step.stage]
    return f"{step.stage.word}: {sentence}"


def act_text(act: acts.Act) -> str:
    """Return what an act does, in one line."""
    match act:
        case acts.Save():
            text = "save what is there, in the ConfigMap trialwatch-migration"
        case acts.Apply(folder) | acts.ApplyBeside(folder):
            text = f"kubectl apply -k {folder}"
        case acts.Remove(folder):
            text = f"kubectl delete -k {folder}"
        case acts.Stop(deployment):
            text = f"scale {deployment} to 0, and wait until its pods are gone"
        case acts.Start(deployment):
            text = f"scale {deployment} up as before, and wait until it is ready"
        case acts.Ready(deployment):
            text = f"wait until {deployment} is ready"
        case acts.Lead(deployment):
            text = f"let the Service katib-db-manager lead to {deployment}"
        case acts.Configure(stage):
            text = _CONFIGURED[stage]
        case acts.SetAside(entries, aside):
            verb = "set aside in" if aside else "bring back in"
            text = f"{verb} Katib's webhook configurations: {', '.join(entries)}"
        case _:
            text = _PLAIN[type(act)]
    return text


_PLAIN: Final = {
    acts.RestoreDefinitions: "give the CRDs the text that they had",
    acts.CompleteSuggestions: "write the suggestions of existing trials into the Suggestions again",
    acts.Deregister: "delete trialwatch's webhook configuration",
    acts.TryPod: "see by a dry run that a pod gets trialwatch's collector",
    acts.Forget: "delete the ConfigMap trialwatch-migration",
}
_CONFIGURED: Final = {
    Stage.STORE: "katib-config: the text that it had",
    Stage.WEBHOOK: "katib-config: trialwatch's image for the collectors that it has",
    Stage.SEARCH: "katib-config: trialwatch's image for the algorithms that it has",
    Stage.CONTROLLER: "katib-config: no image for these algorithms, but trialwatch's own service",
}


def _owner(survey: Survey, stage: Stage) -> str:
    if stage in survey.done:
        return "trialwatch"
    return "begun, not finished" if stage in survey.begun else "Katib"
