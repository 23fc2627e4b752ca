"""Where an algorithm is asked: the one rule, for whoever calls it and whoever names it to others.

| katib-config has for the algorithm | it is asked |
|---|---|
| an entry with `endpoint` | there |
| an entry with `image` | at the service that is deployed for the experiment, as Katib names it |
| no entry | in our own service, which has all experiments |
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from api import names
from api.installation.services import SearchEntry, ServiceConfig, StoppingEntry
from api.types import Suggestion


class Host(Enum):
    """Whose service it is."""

    OURS = auto()
    ENDPOINT = auto()
    """One that somebody else runs."""
    DEPLOYED = auto()
    """One that is deployed for this experiment alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A service, and where it is called."""

    host: Host
    address: str
    """HOST:PORT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OurServices:
    """Where our own services are called."""

    suggestion: str
    early_stopping: str


def our_services(core_namespace: str = names.CORE_NAMESPACE) -> OurServices:
    """Return where they are in an installation of ours."""
    host = f"{names.OWN_SUGGESTION}.{core_namespace}"
    return OurServices(
        suggestion=f"{host}:{names.SUGGESTION_PORT}",
        early_stopping=f"{host}:{names.EARLY_STOPPING_PORT}",
    )


def search_place(suggestion: Suggestion, config: ServiceConfig, ours: OurServices) -> Place:
    """Say where the search of an experiment is asked."""
    algorithm = suggestion.spec.algorithm
    entry = config.suggestions.get(algorithm.name) if algorithm else None
    return _place(entry, ours.suggestion, deployed_address(suggestion, names.SUGGESTION_PORT))


def stopping_place(suggestion: Suggestion, config: ServiceConfig, ours: OurServices) -> Place:
    """Say where the early stopping of an experiment is asked, and told of stopped trials."""
    stopping = suggestion.spec.early_stopping
    entry = config.early_stoppings.get(stopping.name) if stopping else None
    address = deployed_address(suggestion, names.EARLY_STOPPING_PORT)
    return _place(entry, ours.early_stopping, address)


def deployed_name(suggestion: Suggestion) -> str:
    """Name all that is deployed for an experiment, as Katib does."""
    algorithm = suggestion.spec.algorithm
    return f"{suggestion.metadata.name}-{algorithm.name if algorithm else ''}"


def deployed_address(suggestion: Suggestion, port: int) -> str:
    """Return where a port of what is deployed is called."""
    return f"{deployed_name(suggestion)}.{suggestion.metadata.namespace}:{port}"


def _place(entry: SearchEntry | StoppingEntry | None, ours: str, deployed: str) -> Place:
    if entry is None:
        return Place(host=Host.OURS, address=ours)
    if entry.endpoint:
        return Place(host=Host.ENDPOINT, address=entry.endpoint)
    return Place(host=Host.DEPLOYED, address=deployed)
