"""The rules for a template that is a `batch/v1` Job: what Kubernetes would refuse in each trial.

Katib checks the whole Job by the Kubernetes version that it was built with, so it refuses newer
fields. These rules check only the parts that a trial depends on: the path to the containers,
their commands and their environment. Any other field is refused only if its name is probably a
misspelling of a known name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from api.errors import Fault
from api.faults import invalid, nearest, required

from .fields import Field

_SLIP = 0.85
"""`arg` and `args` are more alike than this, `restartPolicy` and `restartPolicyRules` less."""

_LOOKED_AT = 200
"""The most unknown names of a Job to compare with known names."""
_PATH = "spec.trialTemplate.trialSpec"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Known names, to find misspellings. A newer name is accepted unless it is similar to one of these.
_JOB = _words(
    """
    activeDeadlineSeconds backoffLimit backoffLimitPerIndex completionMode completions managedBy
    manualSelector maxFailedIndexes parallelism podFailurePolicy podReplacementPolicy selector
    successPolicy suspend template ttlSecondsAfterFinished
    """
)
_POD = _words(
    """
    activeDeadlineSeconds affinity automountServiceAccountToken containers dnsConfig dnsPolicy
    enableServiceLinks ephemeralContainers hostAliases hostIPC hostNetwork hostPID hostUsers
    hostname hostnameOverride imagePullSecrets initContainers nodeName nodeSelector os overhead
    preemptionPolicy priority priorityClassName readinessGates resourceClaims resources
    restartPolicy runtimeClassName schedulerName schedulingGates securityContext serviceAccount
    serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain
    terminationGracePeriodSeconds tolerations topologySpreadConstraints volumes
    """
)
_CONTAINER = _words(
    """
    args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports
    readinessProbe resizePolicy resources restartPolicy restartPolicyRules securityContext
    startupProbe stdin stdinOnce terminationMessagePath terminationMessagePolicy tty
    volumeDevices volumeMounts workingDir
    """
)


def job_faults(job: Mapping[str, object], *, primary_container: str) -> Iterator[Fault]:
    """Check a Job's template; if `primary_container` is "", no container is required by name."""
    root = Field(job, _PATH).open_ended()
    spec = root.at("spec").open_ended()
    template = spec.at("template")
    template.at("metadata").mapping()
    pod = template.at("spec").open_ended()
    names = pod.at("containers").records(_read_container)
    pod.at("initContainers").records(_read_container)
    yield from root.faults()
    parts = ((spec, _JOB), (pod, _POD), *((one, _CONTAINER) for one in _containers(pod)))
    yield from _slips(parts)
    if not names:
        if pod.at("containers").value in (None, []):
            yield required(pod.at("containers").path, "a Job needs at least one container")
    elif primary_container and primary_container not in names:
        why = f"is not a container of the Job, which has {', '.join(names)}"
        hint = nearest(primary_container, names) or "; name the container that trains"
        yield invalid("spec.trialTemplate.primaryContainerName", primary_container, why + hint)


def _read_container(f: Field) -> str:
    """Check the parts of a container that users get wrong; return its name."""
    f.open_ended()
    name = f.at("name")
    if name.absent:
        name.require("must be specified")
    f.at("image").text()
    f.at("command").texts()
    f.at("args").texts()
    f.at("env").records(_read_variable)
    return name.text()


def _read_variable(f: Field) -> None:
    f.open_ended()
    f.at("name").text()
    f.at("value").text()


def _containers(pod: Field) -> Iterator[Field]:
    for kind in ("containers", "initContainers"):
        listed = pod.at(kind).value
        if isinstance(listed, list | tuple):
            for i, container in enumerate(listed):
                yield Field(container, f"{pod.at(kind).path}[{i}]")


def _slips(parts: Iterable[tuple[Field, frozenset[str]]]) -> Iterator[Fault]:
    """Find misspellings among the first unknown names: each comparison takes time."""
    unknown = (
        (f, name, f.value[name], known)
        for f, known in parts
        if isinstance(f.value, Mapping)
        for name in f.value
        if isinstance(name, str) and name not in known
    )
    for f, name, value, known in islice(unknown, _LOOKED_AT):
        hint = nearest(name, known, likeness=_SLIP)
        if hint:
            yield invalid(f.at(name).path, value, f"unknown field{hint}")
