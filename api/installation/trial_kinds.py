"""The kinds of objects that trials may be: `init.controller.trialResources` of katib-config.

    init:
      controller:
        trialResources: [Job.v1.batch, PyTorchJob.v1.kubeflow.org]

The controller creates the object of a trial with its own rights, so this is an allow-list: an
object of any other kind is never created for a trial. Group and kind are compared, but not the
version, because Kubernetes too grants rights by group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from api.documents import text_at
from api.faults import shown
from api.names import CONFIG_MAP
from api.objects.fields import Field
from api.types import Json

_SETTING: Final = "init.controller.trialResources"
_FORM: Final = "is not a kind; write Kind.version.group, such as Job.v1.batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialKind:
    """A kind of objects; `group` is "" for the core API."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        """The `apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def short(self) -> str:
        """Kind and group, as in `Job.batch`; for the core API, the kind and a dot."""
        return f"{self.kind}.{self.group}"


def read_kind(text: str) -> TrialKind | None:
    """Read `Kind.version.group`, as Katib writes a kind; None if the text has another form."""
    kind, _, rest = text.partition(".")
    version, dot, group = rest.partition(".")
    if not kind or not version or not dot:
        return None
    return TrialKind(group=group, version=version, kind=kind)


def kind_of(document: Json) -> TrialKind:
    """Return the kind that a document states; each missing part is ""."""
    group, _, version = text_at(document, "apiVersion").rpartition("/")
    return TrialKind(group=group, version=version, kind=text_at(document, "kind"))


DEFAULT_KINDS: Final = tuple(
    kind
    for text in (
        "Job.v1.batch",
        "JAXJob.v1.kubeflow.org",
        "MPIJob.v1.kubeflow.org",
        "PaddleJob.v1.kubeflow.org",
        "PyTorchJob.v1.kubeflow.org",
        "TFJob.v1.kubeflow.org",
        "XGBoostJob.v1.kubeflow.org",
        "TrainJob.v1alpha1.trainer.kubeflow.org",
        "JobSet.v1alpha2.jobset.x-k8s.io",
        "RayJob.v1.ray.io",
        "Workflow.v1alpha1.argoproj.io",
        "PipelineRun.v1.tekton.dev",
    )
    if (kind := read_kind(text)) is not None
)
"""The allowed kinds if katib-config does not list any."""


NEVER: Final = frozenset({"rbac.authorization.k8s.io", "admissionregistration.k8s.io"})
"""Groups whose objects grant rights or check requests: never allowed, even if listed."""


@dataclass(frozen=True, slots=True)
class TrialKinds:
    """The allow-list of an installation."""

    allowed: tuple[TrialKind, ...] = DEFAULT_KINDS

    def refusal(self, kind: TrialKind) -> str:
        """Return why trials must not have this kind, and what to do; "" if they may."""
        if any((one.group, one.kind) == (kind.group, kind.kind) for one in self.allowed):
            return "" if kind.group not in NEVER else _never(kind)
        known = ", ".join(sorted(one.short for one in self.allowed))
        return (
            f"trials of the kind {shown(kind.short)} are not allowed here, only {known}; an"
            f" administrator can add a namespaced kind to {_SETTING} of {CONFIG_MAP}"
        )


def _never(kind: TrialKind) -> str:
    return (
        f"trials of the kind {shown(kind.short)} are never allowed, although {_SETTING} of"
        f" {CONFIG_MAP} lists it: its objects grant rights; remove it from the list"
    )


def strict_kinds(listed: Field) -> tuple[TrialKind, ...]:
    """Read the list; each entry that is not a kind is a fault of its field."""

    def read(f: Field) -> TrialKind | None:
        kind = read_kind(f.text_of_item())
        if kind is None:
            f.refuse(_FORM)
        return kind

    return tuple(kind for kind in listed.items(read) if kind is not None)


def allowed_kinds(listed: Field) -> TrialKinds:
    """Read the list and ignore each entry that is not a kind.

    For programs that must not stop because of it; the controller reports the fault.
    """
    value = listed.value
    if not value:
        return TrialKinds()
    entries = value if isinstance(value, list | tuple) else ()
    read = (read_kind(entry) for entry in entries if isinstance(entry, str))
    return TrialKinds(tuple(kind for kind in read if kind is not None))
