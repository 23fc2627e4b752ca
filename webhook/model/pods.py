"""A pod as the webhook sees it: only the fields that a decision needs, with their types checked.

Anyone who may create pods writes them. The API server has checked a pod's types; a file given to
`trialwatch inject`, or a request from a program that is not the API server, is unchecked. So
`api.objects.fields` reads every field: it does not descend into fields that it is not asked for,
and raises SpecError with all faults of a pod at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from api import names
from api.faults import shown
from api.objects.fields import Field
from api.types import JsonObject

DEFAULT_GRACE = 30
"""Kubernetes' default of `terminationGracePeriodSeconds`: seconds from SIGTERM to SIGKILL."""
_LONGEST = 2**53
_NO_OBJECT: JsonObject = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """An owner reference."""

    api_version: str
    kind: str
    name: str
    uid: str = ""
    """Shows a cache that it is out of date. The API server's answer counts whatever its uid, as in
    Katib."""
    controller: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PodMetadata:
    """The metadata of a pod, or of an object that owns it."""

    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    owners: tuple[Owner, ...] = ()

    @property
    def collects(self) -> bool:
        """Whether the pod asks for its metrics to be collected without a Trial object."""
        return self.labels.get(names.COLLECT_LABEL) == "true"

    @property
    def names_metrics(self) -> bool:
        """Whether the pod's own annotation names the metrics to collect."""
        return names.METRICS_ANNOTATION in self.annotations


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A volume in a container."""

    volume: str
    path: str
    read_only: bool = False
    by_expression: bool = False
    """Whether it has a `subPathExpr`, which depends on the container's environment."""
    document: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container; quantities and securityContext are as written in the pod."""

    name: str
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    requests: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    user: int | None = None
    security_context: JsonObject = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    """Its environment; empty texts for values that are elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod; `grace` and `deadline` in seconds, `user` a numeric user id."""

    metadata: PodMetadata = field(default_factory=PodMetadata)
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    volumes: Mapping[str, JsonObject] = field(default_factory=dict)
    grace: int = DEFAULT_GRACE
    deadline: int | None = None
    user: int | None = None
    windows: bool = False
    host_network: bool = False
    """Whether the pod's 127.0.0.1 is that of its node."""
    pod_level_resources: bool = False
    pull_secrets: tuple[str, ...] = ()
    architecture: str = ""


def read_metadata(document: JsonObject) -> PodMetadata:
    """Read the metadata of an object. Raises SpecError."""
    root = Field(document).open_ended()
    return root.accept(_metadata(root.at("metadata")))


def read_pod(document: JsonObject) -> Pod:
    """Read a pod, or a pod's template. Raises SpecError."""
    root = Field(document).open_ended()
    pod = root.at("spec").open_ended()
    grace = _seconds(pod.at("terminationGracePeriodSeconds"))
    return root.accept(
        Pod(
            metadata=_metadata(root.at("metadata")),
            containers=pod.at("containers").records(_container),
            init_containers=pod.at("initContainers").records(_container),
            volumes=dict(pod.at("volumes").records(_volume)),
            grace=DEFAULT_GRACE if grace is None else grace,
            deadline=_seconds(pod.at("activeDeadlineSeconds")),
            user=_user(pod.at("securityContext")),
            windows=pod.at("os").open_ended().at("name").text() == "windows",
            host_network=pod.at("hostNetwork").flag(),
            pod_level_resources=not pod.at("resources").absent,
            pull_secrets=pod.at("imagePullSecrets").records(_secret),
            architecture=pod.at("nodeSelector").text_map().get("kubernetes.io/arch", ""),
        )
    )


def _metadata(f: Field) -> PodMetadata:
    f.open_ended()
    return PodMetadata(
        name=f.at("name").text(),
        labels=f.at("labels").text_map(),
        annotations=f.at("annotations").text_map(),
        owners=f.at("ownerReferences").records(_owner),
    )


def _owner(f: Field) -> Owner:
    f.open_ended()
    return Owner(
        api_version=f.at("apiVersion").text(),
        kind=f.at("kind").text(),
        name=f.at("name").text(),
        uid=f.at("uid").text(),
        controller=f.at("controller").flag(),
    )


def _container(f: Field) -> Container:
    f.open_ended()
    resources = f.at("resources").open_ended()
    context = f.at("securityContext")
    user = _user(context)
    return Container(
        name=f.at("name").text(),
        image=f.at("image").text(),
        command=f.at("command").texts(),
        args=f.at("args").texts(),
        mounts=f.at("volumeMounts").records(_mount),
        requests=_quantities(resources.at("requests")),
        limits=_quantities(resources.at("limits")),
        user=user,
        security_context=context.mapping() or _NO_OBJECT,
        variables=_variables(f.at("env")),
    )


def _variables(f: Field) -> dict[str, str]:
    """Read variables leniently: the API server checks the environment, here it is only a hint."""
    found = {}
    for variable in f.value if isinstance(f.value, list) else []:
        if isinstance(variable, dict) and isinstance(variable.get("name"), str):
            value = variable.get("value")
            found[variable["name"]] = value if isinstance(value, str) else ""
    return found


def _mount(f: Field) -> Mount:
    f.open_ended()
    return Mount(
        volume=f.at("name").text(),
        path=f.at("mountPath").text(),
        read_only=f.at("readOnly").flag(),
        by_expression=bool(f.at("subPathExpr").text()),
        document=f.mapping() or _NO_OBJECT,
    )


def _volume(f: Field) -> tuple[str, JsonObject]:
    return f.at("name").text(), f.mapping() or _NO_OBJECT


def _secret(f: Field) -> str:
    return f.open_ended().at("name").text()


def _quantities(f: Field) -> dict[str, str]:
    """Read quantities as texts; `webhook.pods.qos` parses those that matter."""
    values = f.mapping() or {}
    return {
        name: value if isinstance(value, str) else shown(value) for name, value in values.items()
    }


def _user(f: Field) -> int | None:
    return f.open_ended().at("runAsUser").integer()


def _seconds(f: Field) -> int | None:
    seconds = f.integer(limit=_LONGEST)
    if seconds is not None and seconds < 0:
        f.refuse("must not be negative")
    return seconds
