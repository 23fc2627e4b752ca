"""The reasons that the webhook gives: for each answer one reason, and for each reason one sentence.

The word (`Reason.INJECTED` is "injected") stands in logs, metrics and Events. A user reads the
sentence in the response, followed by the evidence and the remedy (`webhook.model.verdicts.Note`).
docs/webhook.md lists all of them with what to do.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """Why a pod was changed, let pass or refused; or a warning about a change."""

    sentence: str

    def __new__(cls, word: str, sentence: str) -> Self:
        """Make a member of its word and its sentence."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.sentence = sentence
        return member

    # --- the pod is changed ---
    INJECTED = "injected", "the pod gets the collector, and the launcher runs the trainer"
    UNWRAPPED = "unwrapped", "the pod gets the collector, and the trainer runs without the launcher"
    CUSTOM = "custom", "the pod gets the trial's own collector"
    PUSHES = "pushes", "the training code reports its metrics itself, so the pod gets no collector"
    NOT_PRIMARY = (
        "not-primary",
        "another pod of the trial has the metrics, so this pod gets labels only",
    )

    # --- the pod passes as it is ---
    NOBODYS_TRIAL = (
        "nobodys-trial",
        "the pod does not belong to a trial, and does not ask for its metrics to be collected",
    )
    OWNER_UNKNOWN = (
        "owner-unknown",
        (
            "the pod has no sign of a trial, and one of its owners could not be looked up or does"
            " not exist; if the pod belongs to a trial, its metrics are not collected"
        ),
    )

    # --- a warning about a change ---
    IMAGE_SILENT = (
        "image-silent",
        (
            "the command of the image is unknown, so the trainer runs without the launcher, and"
            " its container may end before all metrics are stored; set `command`"
        ),
    )
    WRAP_DECLINED = (
        "wrap-declined",
        (
            "the pod's annotation turns the launcher off, so the trainer's container may end"
            " before all metrics are stored"
        ),
    )
    SHARED_VOLUME = (
        "shared-volume",
        (
            "the metrics file is on a volume that other pods may write to; trials that write to"
            " one file at the same time get each other's metrics"
        ),
    )
    NO_SHARED_PROCESSES = (
        "no-shared-processes",
        (
            "a custom collector sees the trainer's processes only if the trial template sets"
            " `shareProcessNamespace: true`"
        ),
    )

    # --- the pod is refused: because of the pod itself ---
    POD_UNREADABLE = "pod-unreadable", "the pod is not valid"
    WINDOWS = "windows", "the pod is for Windows, and the launcher runs on Linux only"
    NO_CONTAINER = "no-container", "the pod does not have the container that trains"
    ANNOTATION_WRONG = "annotation-wrong", "a label or annotation has a wrong value"
    NO_METRICS = "no-metrics", "no metrics are named, so the collector cannot look for them"
    NO_NAME = "no-name", "the name to store the metrics under is missing or not valid"
    FILTER_WRONG = "filter-wrong", "a metric's name or a filter is not valid"
    FLAGS_WRONG = "flags-wrong", "a setting of the collector cannot be passed to it"
    FILE_UNREACHABLE = "file-unreachable", "the collector cannot reach the metrics file"
    NAME_TAKEN = "name-taken", "the pod already uses a name or path that trialwatch needs"
    COMMAND_UNKNOWN = "command-unknown", "the trainer's command is unknown"
    NEEDS_LAUNCHER = "needs-launcher", "the pod turns the launcher off, but needs it"
    RESOURCES_WRONG = "resources-wrong", "the collector's resources are not valid"
    CUSTOM_WRONG = "custom-wrong", "the custom collector is not a valid container"
    KATIB_WAS_HERE = (
        "katib-was-here",
        "Katib's own webhook has already put its collector into the pod",
    )

    # --- the pod is refused: because of other objects ---
    LOOKUP_FAILED = "lookup-failed", "cannot find out whether the pod belongs to a trial"
    TRIAL_MISSING = "trial-missing", "the trial of the pod does not exist"
    TRIAL_UNREADABLE = "trial-unreadable", "the trial of the pod is not valid"
    SUGGESTION_MISSING = "suggestion-missing", "the trial's Suggestion does not exist"
    SUGGESTION_UNREADABLE = "suggestion-unreadable", "the trial's Suggestion is not valid"
    KATIBS_IMAGE = "katibs-image", "katib-config names Katib's own collector, which cannot run here"
    CONFIG_INCOMPLETE = "config-incomplete", "katib-config does not name a collector for this kind"
