"""Which services of search and early stopping katib-config names.

    init: {controller: {enableGRPCProbeInSuggestion: true}}
    runtime:
      suggestions:
        - algorithmName: hyperband         # deployed, one for each experiment
          image: ghcr.io/kubeflow/katib/suggestion-hyperband:latest
        - algorithmName: mine              # ours: one that runs already is just called
          endpoint: search.team:6789
      earlyStoppings:
        - algorithmName: medianstop
          image: ghcr.io/kubeflow/katib/earlystopping-medianstop:latest

An entry of `suggestions` is a container of Kubernetes' with a few fields of Katib's beside it. Of
two entries for one algorithm the last one counts, as it does to Katib; of `endpoint` and `image`
the endpoint does, so that Katib's controller can go on reading the same entry.
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
"""What Katib gives a service's container where katib-config says nothing."""
SUGGESTION_PORT_NAME: Final = "suggestion-api"
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^:\s/]+):[0-9]{1,5}")
_KATIBS_FIELDS = frozenset(
    (
        "algorithmName",
        "endpoint",
        "serviceAccountName",
        "volumeMountPath",
        "persistentVolumeClaimSpec",
        "persistentVolumeSpec",
        "persistentVolumeLabels",
    )
)
"""Of an entry: all others are the container's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchEntry:
    """How one search algorithm is asked."""

    endpoint: str = ""
    """HOST:PORT of a service that runs; where it is empty, one is deployed."""
    container: JsonObject = field(default_factory=dict)
    """The service's container, its image, pull policy and resources filled in."""
    service_account: str = ""
    mount_path: str = names.SUGGESTION_DATA_DIR
    claim: JsonObject = field(default_factory=dict)
    """The spec of the claim that a service with policy FromVolume gets, with Katib's defaults."""
    volume: JsonObject = field(default_factory=dict)
    """The spec of a volume for it; empty: the cluster provides one."""
    volume_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppingEntry:
    """How one early-stopping algorithm is asked."""

    endpoint: str = ""
    """HOST:PORT of a service that runs; where it is empty, one is deployed."""
    container: JsonObject = field(default_factory=dict)
    """Image, pull policy and resources of the service's container."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceConfig:
    """All that katib-config says of services; without any, ours has all algorithms."""

    suggestions: Mapping[str, SearchEntry] = field(default_factory=dict)
    early_stoppings: Mapping[str, StoppingEntry] = field(default_factory=dict)
    grpc_probes: bool = True
    """Whether a deployed service is probed by gRPC's health service."""


def parse_services(text: str) -> ServiceConfig:
    """Read the text of katib-config, or of a ConfigMap that holds it.

    Raises:
        SetupError: it is no YAML, or an entry cannot be used; names each fault with its path.
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
    # What stands in the entry as it is; the API server judges it.
    container |= {
        key: value
        for key, value in (f.mapping() or {}).items()
        if key not in _KATIBS_FIELDS and key not in container and value is not None
    }
    _check_ports(f)
    return name, SearchEntry(
        endpoint=endpoint,
        container=container,
        service_account=f.at("serviceAccountName").text(),
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
        f.at("endpoint").refuse("is no address; write HOST:PORT as in search.team:6789")
    if not endpoint and not f.at("image").text().strip():
        f.at("image").require("must be specified; or write endpoint: HOST:PORT of one that runs")
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
    """Keep the port free that the service is called on."""

    def check(port: Field) -> None:
        port.open_ended()
        taken = port.at("name").text() == SUGGESTION_PORT_NAME
        if taken or port.at("containerPort").integer() == names.SUGGESTION_PORT:
            port.refuse(
                f'invalid suggestion config: a port with name "{SUGGESTION_PORT_NAME}" or number'
                f" {names.SUGGESTION_PORT} must not be specified; it is added; delete this one"
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
