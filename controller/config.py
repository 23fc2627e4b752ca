"""The settings in katib-config that concern the controller.

    init:
      controller:
        trialResources: [Job.v1.batch, PyTorchJob.v1.kubeflow.org]
    runtime:
      suggestions: [{algorithmName: mine, endpoint: "search.team:6789"}]
    trialwatch:
      dbManagerAddress: katib-db-manager.kubeflow:6789

All other settings are for other programs, and ignored.
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
    """The settings of an installation; the defaults if katib-config is empty."""

    trial_resources: tuple[Kind, ...] = (_JOB,)
    """Kinds of jobs that are watched from the start; others when a trial needs them."""
    trial_kinds: TrialKinds = field(default_factory=TrialKinds)
    """Kinds that trials may have; an object of another kind is never created."""
    db_manager: str = ""
    """The address of the DB manager, as collectors receive it; "" if not set."""
    services: ServiceConfig = field(default_factory=ServiceConfig)
    """The services of search and early stopping."""


def parse_config(text: str) -> Config:
    """Parse the text of katib-config, or of a ConfigMap that contains it.

    Raises:
        SetupError: it is not YAML, or settings are not valid; each is named with its path.
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
    # The webhook validates this section; here a wrong type counts as not set.
    value = section.at("dbManagerAddress").value
    return value if isinstance(value, str) else ""


def _watched(kind: TrialKind) -> Kind:
    return Kind(api_version=kind.api_version, kind=kind.kind)
