"""Every answer that the webhook gives has a reason, and every reason one sentence.

The word (`Reason.INJECTED` is "injected") is what logs, metrics and Events carry; the sentence is
what a user reads in the response, with the evidence behind it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """Why a pod was changed, let pass or refused, or what is to be known about a change."""

    sentence: str

    def __new__(cls, word: str, sentence: str) -> Self:
        """Make a member of its word and its sentence."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.sentence = sentence
        return member

    # --- the pod is changed ---
    INJECTED = "injected", "the collector is in the pod, and the launcher runs the trainer"
    UNWRAPPED = "unwrapped", "the collector is in the pod, and the trainer runs without launcher"
    CUSTOM = "custom", "the trial's own collector is in the pod"
    PUSHES = "pushes", "the training code reports its metrics itself, so no collector is needed"
    NOT_PRIMARY = "not-primary", "the trial's metrics come from another pod: labels only"

    # --- the pod passes as it is ---
    NOBODYS_TRIAL = "nobodys-trial", "the pod is no trial's, and nobody asked for its metrics"

    # --- to be known about a change ---
    IMAGE_SILENT = (
        "image-silent",
        (
            "the registry did not tell the image's command, so the trainer runs without launcher:"
            " nothing waits for the delivery when it ends; set `command` to have it wrapped"
        ),
    )
    WRAP_DECLINED = (
        "wrap-declined",
        (
            "the trainer runs without launcher, as the pod's annotation has it:"
            " nothing waits for the delivery when it ends"
        ),
    )
    SHARED_VOLUME = (
        "shared-volume",
        (
            "the metrics file is on a volume that other pods may write to as well;"
            " trials that write to one file at a time get each other's metrics"
        ),
    )
    NO_SHARED_PROCESSES = (
        "no-shared-processes",
        (
            "a custom collector sees the trainer's processes only where the trial's own template"
            " says `shareProcessNamespace: true`"
        ),
    )
    KATIBS_IMAGE = (
        "katibs-image",
        (
            "katib-config names Katib's own collector, which does not know trialwatch's flags;"
            " name the image of trialwatch's collector"
        ),
    )

    # --- the pod is refused: what it is, or asks for ---
    POD_UNREADABLE = "pod-unreadable", "the pod cannot be read"
    WINDOWS = "windows", "the launcher is a Linux program, and the pod is for Windows"
    NO_CONTAINER = "no-container", "the container that trains is not in the pod"
    ANNOTATION_WRONG = "annotation-wrong", "a label or annotation makes no sense"
    NO_METRICS = "no-metrics", "nobody said which metrics to collect"
    NO_NAME = "no-name", "there is no name under which the metrics can be stored"
    KIND_UNSUPPORTED = "kind-unsupported", "metrics of this kind cannot be collected yet"
    FILTER_WRONG = "filter-wrong", "the metrics cannot be looked for"
    FLAGS_WRONG = "flags-wrong", "the collector cannot be told what to do"
    FILE_UNREACHABLE = "file-unreachable", "the collector cannot get at the metrics file"
    NAME_TAKEN = "name-taken", "the pod uses a name or place that trialwatch needs"
    COMMAND_UNKNOWN = "command-unknown", "the trainer's command is known to its image only"
    NEEDS_LAUNCHER = "needs-launcher", "this cannot be done without the launcher"
    RESOURCES_WRONG = "resources-wrong", "the collector's resources make no sense"
    CUSTOM_WRONG = "custom-wrong", "the custom collector is no container"
    KATIB_WAS_HERE = "katib-was-here", "Katib's own webhook has put its collector into the pod"

    # --- the pod is refused: what stands around it ---
    LOOKUP_FAILED = "lookup-failed", "it could not be found out whether the pod is a trial's"
    TRIAL_MISSING = "trial-missing", "the trial that the pod belongs to is not there"
    TRIAL_UNREADABLE = "trial-unreadable", "the trial cannot be read"
    SUGGESTION_MISSING = "suggestion-missing", "the trial's suggestion is not there"
    SUGGESTION_UNREADABLE = "suggestion-unreadable", "the trial's suggestion cannot be read"
    CONFIG_INCOMPLETE = "config-incomplete", "katib-config does not say how to collect this kind"
