"""Read a pod's document to run it here; what this machine cannot provide is a fault with its path.

Fields for the scheduler or the network of a cluster are ignored. So are probes and the memory,
because the processes share the machine with everything else. GPUs and CPUs: `pod_resources`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from api.errors import Fault
from api.objects.fields import Field
from api.types import JsonObject
from runner.pods.pod_resources import cpus_of, gpus_of

DEFAULT_GRACE = 30
"""Seconds from SIGTERM to SIGKILL; Kubernetes' default."""
_LONGEST = 2**53
_INSTEAD = "write the value itself: this machine has no cluster"


class RestartPolicy(StrEnum):
    """When a container is restarted."""

    ALWAYS = "Always"
    ON_FAILURE = "OnFailure"
    NEVER = "Never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable of a container: its value, or the field of the pod with the value."""

    name: str
    value: str = ""
    field_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A volume mount of a container."""

    volume: str
    path: str
    sub_path: str = ""
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container; `stays` marks a native sidecar among the init containers."""

    name: str
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[Variable, ...] = ()
    working_dir: str = ""
    mounts: tuple[Mount, ...] = ()
    stays: bool = False
    gpus: Mapping[str, int] = field(default_factory=dict)
    """By resource, such as `nvidia.com/gpu`: how many GPUs the container needs."""
    cpus: int = 0
    """How many whole CPUs the container requests; 0 if it requests none."""
    affinity: tuple[int, ...] = ()
    """The CPUs on which the container runs; empty means all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPath:
    """A volume that is a path of this machine."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyDir:
    """A volume that is empty at first and is deleted with the pod."""


Volume = EmptyDir | HostPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod, as far as it matters on this machine."""

    name: str
    namespace: str
    uid: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    restart_policy: RestartPolicy = RestartPolicy.ALWAYS
    grace: int = DEFAULT_GRACE
    deadline: int | None = None


def read_pod(document: JsonObject, path: str = "") -> Pod:
    """Read a pod.

    Raises:
        SpecError: the document is not a pod, or needs what this machine does not have; all faults.
    """
    root = Field(document, path).open_ended()
    metadata, spec = root.at("metadata").open_ended(), root.at("spec").open_ended()
    grace = spec.at("terminationGracePeriodSeconds").integer(limit=_LONGEST)
    containers = spec.at("containers").records(_container)
    inits = spec.at("initContainers").records(_init_container)
    mounted = frozenset(mount.volume for one in (*containers, *inits) for mount in one.mounts)
    pod = Pod(
        name=metadata.at("name").text(),
        namespace=metadata.at("namespace").text() or "default",
        uid=metadata.at("uid").text(),
        labels=metadata.at("labels").text_map(),
        annotations=metadata.at("annotations").text_map(),
        containers=containers,
        init_containers=inits,
        restart_policy=spec.at("restartPolicy").choice(RestartPolicy, RestartPolicy.ALWAYS),
        grace=DEFAULT_GRACE if grace is None else max(0, grace),
        deadline=spec.at("activeDeadlineSeconds").integer(limit=_LONGEST),
        volumes=_volumes(spec.at("volumes"), mounted),
    )
    if not pod.containers:
        spec.at("containers").require("a pod needs at least one container")
    return root.accept(pod)


def ignored_fields(document: JsonObject, path: str = "") -> tuple[Fault, ...]:
    """Return the fields that have an effect in a cluster, but are ignored here."""
    spec = Field(document, path).at("spec")
    faults: list[Fault] = []
    for listed in ("containers", "initContainers"):
        containers = spec.at(listed).value
        for i, container in enumerate(containers if isinstance(containers, list) else ()):
            place = Field(container, f"{spec.at(listed).path}[{i}]")
            faults.extend(_ignored_fields(place))
    return tuple(faults)


_WITHOUT_EFFECT = {
    "lifecycle": "its hooks are not run on this machine",
    "livenessProbe": "probes do not run on this machine",
    "startupProbe": "probes do not run on this machine",
}


def _ignored_fields(container: Field) -> Iterator[Fault]:
    for name, why in _WITHOUT_EFFECT.items():
        if not container.at(name).absent:
            yield Fault(container.at(name).path, why)


def _container(f: Field) -> Container:
    f.open_ended()
    if not f.at("envFrom").absent:
        f.at("envFrom").refuse(f"is not supported on this machine; {_INSTEAD}, in env")
    if f.at("name").absent:
        f.at("name").require("must be specified")
    return Container(
        name=f.at("name").text(),
        image=f.at("image").text(),
        command=f.at("command").texts(),
        args=f.at("args").texts(),
        env=f.at("env").records(_variable),
        working_dir=f.at("workingDir").text(),
        mounts=f.at("volumeMounts").records(_mount),
        gpus=gpus_of(f.at("resources").open_ended()),
        cpus=cpus_of(f.at("resources").open_ended()),
    )


def _init_container(f: Field) -> Container:
    stays = f.at("restartPolicy").text() == RestartPolicy.ALWAYS
    return replace(_container(f), stays=stays)


def _variable(f: Field) -> Variable:
    f.open_ended()
    source = f.at("valueFrom").open_ended()
    for kind in ("configMapKeyRef", "secretKeyRef", "resourceFieldRef", "fileKeyRef"):
        if not source.at(kind).absent:
            source.at(kind).refuse(f"cannot be looked up; {_INSTEAD}")
    path = source.at("fieldRef").open_ended().at("fieldPath")
    if path.text() and not _is_field(path.text()):
        path.refuse(f"is not a supported field; write one of: {', '.join(FIELDS)}")
    return Variable(name=f.at("name").text(), value=f.at("value").text(), field_path=path.text())


FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "metadata.labels['KEY']",
    "metadata.annotations['KEY']",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.podIP",
)


def _is_field(path: str) -> bool:
    return path in FIELDS or (
        path.startswith(("metadata.labels['", "metadata.annotations['")) and path.endswith("']")
    )


def _mount(f: Field) -> Mount:
    f.open_ended()
    if not f.at("subPathExpr").absent:
        f.at("subPathExpr").refuse("is not supported on this machine; write subPath")
    path = f.at("mountPath")
    if not path.text().startswith("/") or path.text().strip("/") == "":
        path.refuse("must be an absolute path below /")
    sub_path = f.at("subPath")
    if ".." in sub_path.text().split("/") or sub_path.text().startswith("/"):
        sub_path.refuse("must stay within its volume")
    return Mount(
        volume=f.at("name").text(),
        path=path.text(),
        sub_path=sub_path.text(),
        read_only=f.at("readOnly").flag(),
    )


def _volumes(f: Field, mounted: frozenset[str]) -> dict[str, Volume]:
    found = dict(f.records(lambda one: _volume(one, mounted)))
    return {name: volume for name, volume in found.items() if volume is not None}


def _volume(f: Field, mounted: frozenset[str]) -> tuple[str, Volume | None]:
    f.open_ended()
    name = f.at("name").text()
    if not f.at("hostPath").absent:
        path = f.at("hostPath").open_ended().at("path").text()
        return name, HostPath(path=path)
    if f.at("emptyDir").mapping() is not None:
        return name, EmptyDir()
    if name in mounted:
        kinds = [kind for kind in f.mapping() or () if kind != "name"]
        for kind in kinds or ["emptyDir"]:
            why = "is not supported here; write emptyDir, or hostPath with a path of this machine"
            f.at(kind).refuse(why)
    return name, None
