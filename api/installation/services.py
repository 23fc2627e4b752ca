"""The services for search and early stopping that katib-config lists.

    init: {controller: {enableGRPCProbeInSuggestion: true}}
    runtime:
      suggestions:
        - algorithmName: hyperband         # deployed once for each experiment
          image: ghcr.io/kubeflow/katib/suggestion-hyperband:latest
        - algorithmName: mine              # trialwatch only: a service that already runs
          endpoint: search.team:6789
      earlyStoppings:
        - algorithmName: medianstop
          image: ghcr.io/kubeflow/katib/earlystopping-medianstop:latest

An entry of `suggestions` is a Kubernetes container with a few more fields of Katib, and with one of
trialwatch: `fsGroup`, the group of the volume of a service without root's rights. Of two entries
for the same algorithm, the last one counts, as in Katib. If an entry has `endpoint` and `image`,
the endpoint counts here, and Katib's controller can use the image of the same entry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from api import names
from api.documents import mapping_at, value_at
from api.errors import UserError
from api.installation.containers import (
    CPU,
    MEMORY,
    STORAGE,
    Resources,
    read_pull_policy,
    read_resources,
    render_resources,
    with_defaults,
)
from api.installation.text import read_config
from api.objects.fields import Field
from api.types import JsonObject

KATIBS_DEFAULTS: Final = Resources(
    requests={CPU: "50m", MEMORY: "10Mi", STORAGE: "500Mi"},
    limits={CPU: "500m", MEMORY: "100Mi", STORAGE: "5Gi"},
)
"""Katib's default resources of a service's container."""
SUGGESTION_PORT_NAME: Final = "suggestion-api"
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^:\s/]+):[0-9]{1,5}")
_NOT_OF_THE_CONTAINER = frozenset(
    (
        "algorithmName",
        "endpoint",
        "fsGroup",
        "serviceAccountName",
        "volumeMountPath",
        "persistentVolumeClaimSpec",
        "persistentVolumeSpec",
        "persistentVolumeLabels",
    )
)
"""The fields of an entry that are not those of the container."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchEntry:
    """The service of one search algorithm."""

    endpoint: str = ""
    """HOST:PORT of a running service; if "", a service is deployed."""
    container: JsonObject = field(default_factory=dict)
    """The service's container, with image, pull policy and resources."""
    service_account: str = ""
    fs_group: int | None = None
    """The group that may write to the volume; None: as the volume is. trialwatch only."""
    mount_path: str = names.SUGGESTION_DATA_DIR
    claim: JsonObject = field(default_factory=dict)
    """The spec of the volume claim for resume policy FromVolume, with Katib's defaults."""
    volume: JsonObject = field(default_factory=dict)
    """The spec of the volume for this claim; if empty, the cluster provides one."""
    volume_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppingEntry:
    """The service of one early-stopping algorithm."""

    endpoint: str = ""
    """HOST:PORT of a running service; if "", a service is deployed."""
    container: JsonObject = field(default_factory=dict)
    """Image, pull policy and resources of the service's container."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceConfig:
    """The services of katib-config; by default, trialwatch's own has all algorithms."""

    suggestions: Mapping[str, SearchEntry] = field(default_factory=dict)
    early_stoppings: Mapping[str, StoppingEntry] = field(default_factory=dict)
    grpc_probes: bool = True
    """Whether a deployed service has a gRPC health probe."""


def parse_services(text: str) -> ServiceConfig:
    """Read the text of katib-config, or of a ConfigMap that contains it.

    Raises:
        SetupError: the text is not YAML, or an entry cannot be used; each fault with its path.
    """
    return read_config(text, _services)


def _services(document: JsonObject, _: str) -> ServiceConfig:
    root = Field(document).open_ended()
    controller = root.at("init").open_ended().at("controller").open_ended()
    probes = controller.at("enableGRPCProbeInSuggestion")
    runtime = root.at("runtime").open_ended()
    return root.accept(
        ServiceConfig(
            suggestions=MappingProxyType(dict(runtime.at("suggestions").records(_search))),
            early_stoppings=read_stoppings(runtime),
            grpc_probes=probes.absent or probes.flag(),
        )
    )


def read_stoppings(runtime: Field) -> Mapping[str, StoppingEntry]:
    """Read `earlyStoppings` of `runtime`; the faults stay in the field."""
    return MappingProxyType(dict(runtime.at("earlyStoppings").records(_stopping)))


def _search(f: Field) -> tuple[str, SearchEntry]:
    f.open_ended()
    name, endpoint = _head(f)
    container = dict(_container(f))
    # Other fields are copied unchanged; the API server checks them.
    container |= {
        key: value
        for key, value in (f.mapping() or {}).items()
        if key not in _NOT_OF_THE_CONTAINER and key not in container and value is not None
    }
    _check_ports(f)
    return name, SearchEntry(
        endpoint=endpoint,
        container=container,
        service_account=f.at("serviceAccountName").text(),
        fs_group=f.at("fsGroup").integer(),
        mount_path=f.at("volumeMountPath").text() or names.SUGGESTION_DATA_DIR,
        claim=_claim(f.at("persistentVolumeClaimSpec")),
        volume=_volume(f.at("persistentVolumeSpec")),
        volume_labels=f.at("persistentVolumeLabels").text_map(),
    )


def _stopping(f: Field) -> tuple[str, StoppingEntry]:
    f.open_ended()
    name, endpoint = _head(f)
    return name, StoppingEntry(endpoint=endpoint, container=_container(f))


def _head(f: Field) -> tuple[str, str]:
    name, endpoint = f.at("algorithmName").text(), f.at("endpoint").text()
    if not name:
        f.at("algorithmName").require("must be specified")
    if endpoint and _ADDRESS.fullmatch(endpoint) is None:
        f.at("endpoint").refuse("is not an address; write HOST:PORT, such as search.team:6789")
    if not endpoint and not f.at("image").text().strip():
        f.at("image").require(
            "must be specified; or write the endpoint (HOST:PORT) of a service that already runs"
        )
    return name, endpoint


def _container(f: Field) -> JsonObject:
    wanted = f.at("resources").record(read_resources) or Resources()
    try:
        resources = with_defaults(wanted, KATIBS_DEFAULTS)
    except UserError as error:
        f.at("resources").refuse(str(error))
        resources = KATIBS_DEFAULTS
    return {
        "image": f.at("image").text().strip(),
        "imagePullPolicy": read_pull_policy(f.at("imagePullPolicy")).value,
        "resources": render_resources(resources),
    }


def _check_ports(f: Field) -> None:
    """Refuse a port that collides with the port of the service."""

    def check(port: Field) -> None:
        port.open_ended()
        taken = port.at("name").text() == SUGGESTION_PORT_NAME
        if taken or port.at("containerPort").integer() == names.SUGGESTION_PORT:
            port.refuse(
                f'invalid suggestion config: a port with name "{SUGGESTION_PORT_NAME}" or number'
                f" {names.SUGGESTION_PORT} must not be specified; delete it: the controller adds it"
            )

    f.at("ports").records(check)


def _claim(f: Field) -> JsonObject:
    given = f.mapping() or {}
    requests = value_at(given, "resources", "requests")
    return {
        **given,
        "accessModes": given.get("accessModes") or ["ReadWriteOnce"],
        "resources": {
            **mapping_at(given, "resources"),
            "requests": requests or {"storage": "1Gi"},
        },
    }


def _volume(f: Field) -> JsonObject:
    given = f.mapping() or {}
    return {**given, "persistentVolumeReclaimPolicy": "Delete"} if given else {}
