"""What the reference of an Experiment says beside the schema: by the path of a field."""

from __future__ import annotations

from typing import Final

from api.algorithms import ALGORITHMS, EARLY_STOPPING
from api.names import INJECTION_ENABLED, INJECTION_LABEL
from api.objects.metadata import API_VERSION
from api.objects.validation import LONGEST_NAME

SECTIONS: Final = (
    "spec",
    "spec.objective",
    "spec.algorithm",
    "spec.earlyStopping",
    "spec.parameters",
    "spec.metricsCollectorSpec",
    "spec.trialTemplate",
    "spec.nasConfig",
    "status",
)
"""The tables, in the order in which an Experiment is usually written."""
_NAMES = ", ".join(f"`{name}`" for name in ALGORITHMS)
_STOPS = ", ".join(f"`{name}`" for name in EARLY_STOPPING)

HEAD: Final[tuple[tuple[str, str, str, str, str], ...]] = (
    ("`apiVersion`", "string", "required", f"`{API_VERSION}`", "The version of the API."),
    ("`kind`", "string", "required", "`Experiment`", "The kind of object."),
    (
        "`metadata.name`",
        "string",
        "required",
        f"at most {LONGEST_NAME} of a-z, 0-9 and `-`; begins with a letter, does not end with `-`",
        (
            "The experiment's name, with which the names of its trials begin;"
            " `metadata.generateName` may take its place. *Katib checks only its length and its"
            " beginning.*"
        ),
    ),
    (
        "`metadata.namespace`",
        "string",
        "that of the context; `default` on this machine",
        f"on a cluster, its label `{INJECTION_LABEL}` must be `{INJECTION_ENABLED}`",
        "The namespace of the experiment, of its trials and their jobs.",
    ),
)
"""The rows of fields that each object of Kubernetes has."""

MORE_LIMITS: Final[dict[str, tuple[str, ...]]] = {
    "spec.algorithm.algorithmName": (f"{_NAMES}, or a name in `katib-config`",),
    "spec.earlyStopping.algorithmName": (f"{_STOPS}, or a name in `katib-config`",),
    "spec.metricsCollectorSpec.source.filter.metricsFormat": ("RE2's syntax",),
    "spec.metricsCollectorSpec.source.httpGet.port": ("a positive number",),
    "spec.parameters[].name": ("unique",),
    "spec.trialTemplate.failureCondition": ("the part of GJSON in `api/gjson.py`",),
    "spec.trialTemplate.successCondition": ("the part of GJSON in `api/gjson.py`",),
    "spec.trialTemplate.trialParameters[].name": ("unique", "must occur in the template"),
    "spec.trialTemplate.trialParameters[].reference": ("unique",),
}
"""Limits that the webhook checks and the schema does not."""

NOTES: Final[dict[str, str]] = {
    "spec.algorithm.algorithmName": (
        "Katib knows only the names in `katib-config`; trialwatch has its own without an entry."
    ),
    "spec.maxFailedTrialCount": (
        "Without it, `trialwatch run` ends when the first 3 trials fail for one cause."
    ),
    "spec.maxTrialCount": (
        "Katib starts further trials in place of those without metrics; here they count."
    ),
    "spec.metricsCollectorSpec.collector.kind": (
        "With the annotation `trialwatch.dev/push` on its pods, a trial of any kind may also push"
        " metrics to the sidecar by HTTP (docs/push.md)."
    ),
    "spec.metricsCollectorSpec.source.filter.metricsFormat": (
        "Without it, Katib finds `name=value` only; trialwatch finds the usual forms by the"
        " metrics' names. Katib does not check it for StdOut."
    ),
    "spec.metricsCollectorSpec.source.fileSystemPath.kind": (
        "`Invalid` is a word of Katib's schema; kinds File and TensorFlowEvent refuse it."
    ),
    "spec.nasConfig": (
        "For `enas`, `darts` and `auto`, or a service of `katib-config`; Katib's webhook does not"
        " check it."
    ),
    "spec.objective.goal": "In Katib a value that is not a number may count as the best.",
    "spec.objective.objectiveMetricName": "Katib accepts `;` in a name.",
    "spec.parallelTrialCount": (
        "Katib's default is always 3, so it refuses `maxTrialCount: 2` alone."
    ),
    "spec.parameters[].feasibleSpace.list": "Katib accepts an empty list.",
    "spec.parameters[].feasibleSpace.max": "Katib does not check that it is a number.",
    "spec.parameters[].feasibleSpace.min": "Katib does not check that it is a number.",
    "spec.parameters[].feasibleSpace.step": "Katib does not check that it is a number.",
    "spec.parameters[].name": "Katib accepts one name twice.",
    "spec.parameters[].parameterType": "Katib also accepts `unknown`.",
    "spec.resumePolicy": (
        "Katib starts an ended experiment without maxTrialCount again, whatever the policy is."
    ),
    "spec.trialTemplate.retain": (
        "Katib loses the observation of an early-stopped trial without it; trialwatch keeps it."
    ),
    "spec.trialTemplate.trialSpec": (
        "Katib replaces parameters in the job's text, so a quote in a value may break the job;"
        " trialwatch replaces them in the parsed job. `katib-config` lists the allowed kinds."
    ),
}
"""How a field differs from Katib's, or what trialwatch does not do with it."""
