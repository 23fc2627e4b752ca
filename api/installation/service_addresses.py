"""The address of the service that answers for an algorithm: one rule for all programs.

| katib-config has for the algorithm | its requests go to |
|---|---|
| an entry with `endpoint` | this address |
| an entry with `image` | the service deployed for the experiment, under Katib's name |
| no entry | trialwatch's own service, which has all algorithms |
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from api import names
from api.installation.services import SearchEntry, ServiceConfig, StoppingEntry
from api.types import Suggestion


class ServiceKind(Enum):
    """Which of the three services it is."""

    OWN = auto()
    """trialwatch's own service."""
    ENDPOINT = auto()
    """A service that already runs; katib-config has its address."""
    DEPLOYED = auto()
    """A service that is deployed for this experiment only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAddress:
    """A service and its address."""

    kind: ServiceKind
    address: str
    """HOST:PORT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnServices:
    """The addresses (HOST:PORT) of trialwatch's own services."""

    suggestion: str
    early_stopping: str


def own_services(core_namespace: str = names.CORE_NAMESPACE) -> OwnServices:
    """Return the default addresses in an installation in this namespace."""
    host = f"{names.OWN_SUGGESTION}.{core_namespace}"
    return OwnServices(
        suggestion=f"{host}:{names.SUGGESTION_PORT}",
        early_stopping=f"{host}:{names.EARLY_STOPPING_PORT}",
    )


def search_address(
    suggestion: Suggestion, config: ServiceConfig, own: OwnServices
) -> ServiceAddress:
    """Return the service of an experiment's search algorithm."""
    algorithm = suggestion.spec.algorithm
    entry = config.suggestions.get(algorithm.name) if algorithm else None
    return _address(entry, own.suggestion, deployed_address(suggestion, names.SUGGESTION_PORT))


def stopping_address(
    suggestion: Suggestion, config: ServiceConfig, own: OwnServices
) -> ServiceAddress:
    """Return the service of an experiment's early stopping, which also gets the stopped trials."""
    stopping = suggestion.spec.early_stopping
    entry = config.early_stoppings.get(stopping.name) if stopping else None
    address = deployed_address(suggestion, names.EARLY_STOPPING_PORT)
    return _address(entry, own.early_stopping, address)


def deployed_name(suggestion: Suggestion) -> str:
    """Return Katib's name for the objects that are deployed for an experiment."""
    algorithm = suggestion.spec.algorithm
    return f"{suggestion.metadata.name}-{algorithm.name if algorithm else ''}"


def deployed_address(suggestion: Suggestion, port: int) -> str:
    """Return the address of a port of the deployed service."""
    return f"{deployed_name(suggestion)}.{suggestion.metadata.namespace}:{port}"


def _address(entry: SearchEntry | StoppingEntry | None, own: str, deployed: str) -> ServiceAddress:
    if entry is None:
        return ServiceAddress(kind=ServiceKind.OWN, address=own)
    if entry.endpoint:
        return ServiceAddress(kind=ServiceKind.ENDPOINT, address=entry.endpoint)
    return ServiceAddress(kind=ServiceKind.DEPLOYED, address=deployed)
