"""What of katib-config concerns the controller.

    init:
      controller:
        trialResources: [Job.v1.batch, PyTorchJob.v1.kubeflow.org]
    runtime:
      suggestions: [{algorithmName: mine, endpoint: "search.team:6789"}]
    trialwatch:
      dbManagerAddress: katib-db-manager.kubeflow:6789

The rest is for other programs, and passed over.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from api.installation.services import ServiceConfig, parse_services
from api.installation.text import OWN_KEY, read_config
from api.installation.trial_kinds import TrialKind, TrialKinds, strict_kinds
from api.objects.fields import Field
from api.objects.yamltext import load_objects
from api.types import JsonObject
from kube.cluster import Kind

_JOB = Kind(api_version="batch/v1", kind="Job")
_SECTION = "trialwatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of an installation; without any, the ones to start with."""

    trial_resources: tuple[Kind, ...] = (_JOB,)
    """Kinds of jobs that are watched from the start; others are when a trial asks for them."""
    trial_kinds: TrialKinds = field(default_factory=TrialKinds)
    """Kinds that trials may be; an object of another kind is never created."""
    db_manager: str = ""
    """Where collectors are told that the DB manager is; empty: nothing is said."""
    services: ServiceConfig = field(default_factory=ServiceConfig)
    """Which services of search and early stopping there are."""


def parse_config(text: str) -> Config:
    """Read the text of katib-config, or of a ConfigMap that has it.

    Raises:
        SetupError: it is no YAML, or a setting cannot be used; names each with its path.
    """
    services = parse_services(text)

    def read(document: JsonObject, own: str) -> Config:
        root = Field(document).open_ended()
        controller = root.at("init").open_ended().at("controller").open_ended()
        kinds = strict_kinds(controller.at("trialResources"))
        address = _db_manager(root.at(_SECTION).open_ended())
        for section in load_objects(own) if own else []:
            address = _db_manager(Field(section, OWN_KEY).open_ended()) or address
        return root.accept(
            Config(
                trial_resources=tuple(map(_watched, kinds)) or Config().trial_resources,
                trial_kinds=TrialKinds(kinds) if kinds else TrialKinds(),
                db_manager=address,
                services=services,
            )
        )

    return read_config(text, read)


def _db_manager(section: Field) -> str:
    # The webhook judges this section; here an odd value counts as none.
    value = section.at("dbManagerAddress").value
    return value if isinstance(value, str) else ""


def _watched(kind: TrialKind) -> Kind:
    return Kind(api_version=kind.api_version, kind=kind.kind)
