"""The pod of an experiment's first trial, as the webhook makes it; nothing is started."""

from __future__ import annotations

from dataclasses import replace

from api.documents import mapping_at
from api.errors import UserError
from api.types import JsonObject, Trial
from controller.reconcile.creation import trial_of
from controller.reconcile.enqueued import with_enqueued
from controller.reconcile.jobs import job_document
from controller.reconcile.views import SuggestionReply
from runner.experiments import LoadedExperiment
from runner.jobs.injection import TrialObjects, inject
from runner.jobs.job_spec import pod_of, read_job
from suggestion.core.search_task import search_task_of
from webhook.model.config import Config


def first_trial_of(given: LoadedExperiment) -> Trial:
    """Return the trial that a search would begin with; without a `random_state`, one of many.

    Raises:
        UserError: the search has no trial, or the template cannot be filled in.
    """
    experiment = given.experiment
    task = search_task_of(experiment.spec)
    proposal = task.propose((), 0, experiment.spec.parallel_trial_count or 1, task.seed or 0)
    reply = with_enqueued(experiment, SuggestionReply(trials=proposal.trials), 0)
    if not reply.trials:
        raise UserError("the search has no trial: its space is empty")
    name = f"{experiment.metadata.name}-first"
    return trial_of(experiment, replace(reply.trials[0], name=name), given.template)


def first_pod(trial: Trial) -> JsonObject:
    """Return the pod of a trial, without the uids that a cluster or a run would add.

    Raises:
        UserError: the webhook would refuse the pod, or the job cannot run on this machine.
    """
    job = job_document(trial)
    pod = pod_of(read_job(job), job, name=trial.metadata.name, uid="")
    injected = inject(pod, TrialObjects(trial=trial, job=job), Config()).pod
    metadata = mapping_at(injected, "metadata")
    kept = {key: value for key, value in metadata.items() if value and key != "ownerReferences"}
    labels = mapping_at(metadata, "labels")
    kept["labels"] = {key: value for key, value in labels.items() if value}
    return {**injected, "metadata": kept}
