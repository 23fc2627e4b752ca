"""The settings of an installation: Katib's `katib-config`, and a section of trialwatch's own.

    apiVersion: config.kubeflow.org/v1beta1
    kind: KatibConfig
    init: {controller: {injectSecurityContext: false}}
    runtime:
      metricsCollectors:
        - kind: StdOut
          image: trialwatch/collector
    trialwatch:                 # optional, and so is each key of it
      sidecar: native           # or container, before Kubernetes 1.29
      drainSeconds: 300
      runAsUser: 65532          # null: the platform assigns users
      echo: true
      logLevel: info            # of sidecars; by default warning
      dbManagerAddress: katib-db-manager.kubeflow:6789
      dbManagerCA: |            # sidecars call the DB manager over TLS, each with a token
        -----BEGIN CERTIFICATE-----
      suggestionCA: |           # the same for the early stops that sidecars report
        -----BEGIN CERTIFICATE-----

Katib's controller may refuse a section that it does not know. Where it reads the same ConfigMap,
the section stands in a key of its own, `trialwatch.yaml`, without the line `trialwatch:`.
Other keys of katib-config are for other programs, and are ignored here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from api import names
from api.installation.containers import PullPolicy, Resources, read_pull_policy, read_resources
from api.installation.service_addresses import OwnServices, own_services
from api.installation.services import ServiceConfig, read_stoppings
from api.installation.stores import db_manager_of
from api.installation.text import OWN_KEY, read_config
from api.installation.trial_kinds import TrialKinds, allowed_kinds
from api.objects.fields import Field
from api.objects.yamltext import load_objects
from api.sidecar_values import LogLevel
from api.types import CollectorKind, JsonObject

_KATIBS_COLLECTORS = frozenset({"file-metrics-collector", "tfevent-metrics-collector"})
"""The names of Katib's images, in whatever registry."""
COLLECTOR_IMAGE = "trialwatch/collector:0.1.0"
"""The image of the collector where katib-config does not name collectors."""
MAX_SECONDS = 10**7
"""The longest drain that may be set, in seconds: some 115 days."""
_SECTION = "trialwatch"
_PEM = "-----BEGIN CERTIFICATE-----"


class SidecarMode(StrEnum):
    """How the collector runs in a pod."""

    NATIVE = "native"
    """A native sidecar: an init container that keeps running. Kubernetes 1.29 and later."""
    CONTAINER = "container"
    """An ordinary container, the first of the pod."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorConfig:
    """How to run the collector of one kind."""

    image: str
    pull_policy: PullPolicy = PullPolicy.IF_NOT_PRESENT
    resources: Resources = field(default_factory=Resources)
    wait_all: bool | None = None

    @property
    def is_katibs(self) -> bool:
        """Whether the image has the name of one of Katib's, which has no launcher."""
        name, _, _ = self.image.partition("@")
        return name.rpartition("/")[2].partition(":")[0] in _KATIBS_COLLECTORS


OWN_ENTRIES = (CollectorKind.STDOUT, CollectorKind.FILE, CollectorKind.TENSORFLOW_EVENT)
"""Kinds whose entry in katib-config counts, and no other."""
_OURS = CollectorConfig(image=COLLECTOR_IMAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of an installation; `Config()` has the defaults."""

    collectors: Mapping[CollectorKind, CollectorConfig] = field(
        default_factory=lambda: MappingProxyType(
            dict.fromkeys(
                (CollectorKind.STDOUT, CollectorKind.FILE, CollectorKind.TENSORFLOW_EVENT), _OURS
            )
        )
    )
    suggestions: frozenset[str] = frozenset()
    """The search algorithms that the installation names, besides trialwatch's own."""
    deployed_searches: frozenset[str] = frozenset()
    """Those of them whose service is deployed for each experiment, with a volume if it has one."""
    trial_kinds: TrialKinds = field(default_factory=TrialKinds)
    """The kinds of objects that trials may create."""
    inject_security_context: bool = False
    """Whether the sidecar gets the trainer's securityContext instead of its own."""
    sidecar: SidecarMode = SidecarMode.NATIVE
    drain_seconds: int = 300
    run_as_user: int | None = 65532
    """The sidecar's user id if the trainer has none; None: the platform assigns one."""
    echo: bool = True
    log_level: LogLevel = LogLevel.WARNING
    """The least level of the sidecars' own messages."""
    services: ServiceConfig = field(default_factory=ServiceConfig)
    """The services of katib-config that matter here: those of early stopping."""
    ours: OwnServices = field(default_factory=own_services)
    push_port: int = names.PUSH_PORT
    """The port at which a sidecar accepts metrics from the containers of its pod."""
    db_manager_ca: str = ""
    """The authorities (PEM) of the DB manager's certificate; "": no TLS, and no tokens."""
    suggestion_ca: str = ""
    """The same for trialwatch's own suggestion service."""
    db_manager: str = f"{names.DB_MANAGER_SERVICE}.{names.CORE_NAMESPACE}:{names.DB_MANAGER_PORT}"

    def collector_of(self, kind: CollectorKind) -> CollectorConfig | None:
        """Return how to run the collector of a kind; None if katib-config does not say it.

        Katib's configuration has no entry for some kinds. For these, trialwatch's collector is the
        one of kind StdOut, or else File.
        """
        kinds = (kind,) if kind in OWN_ENTRIES else (kind, CollectorKind.STDOUT, CollectorKind.FILE)
        return next((self.collectors[one] for one in kinds if one in self.collectors), None)


def parse_config(
    katib: str, own: str = "", *, environment: Mapping[str, str] | None = None
) -> Config:
    """Read the text of katib-config, and the text of trialwatch's own section if it is separate.

    `katib` may also be a ConfigMap that holds both texts. `environment` has Katib's variables,
    which name the DB manager unless trialwatch's section does.

    Raises:
        SetupError: a text is not YAML, or settings are not valid; lists each with its path.
    """
    known = environment or {}
    config = Config(
        db_manager=db_manager_of(known),
        ours=own_services(known.get(names.CORE_NAMESPACE_ENV) or names.CORE_NAMESPACE),
    )
    return read_config(katib, lambda document, beside: _read(document, own or beside, config))


def _read(document: JsonObject, own: str, config: Config) -> Config:
    root = Field(document).open_ended()
    controller = root.at("init").open_ended().at("controller").open_ended()
    runtime = root.at("runtime").open_ended()
    listed = runtime.at("metricsCollectors")
    entries = listed.records(_collector)
    searches = dict(runtime.at("suggestions").records(_algorithm))
    config = replace(
        config,
        # Only names are read: a fault in how a service is deployed must not refuse pods.
        suggestions=frozenset(searches),
        deployed_searches=frozenset(name for name, deployed in searches.items() if deployed),
        trial_kinds=allowed_kinds(controller.at("trialResources")),
        inject_security_context=controller.at("injectSecurityContext").flag(),
        # Of two entries for one kind the last counts, as in Katib.
        collectors=config.collectors if listed.absent else MappingProxyType(dict(entries)),
        # A sidecar needs the address of these services only.
        services=ServiceConfig(early_stoppings=read_stoppings(runtime)),
    )
    section = root.at(_SECTION)
    config = root.accept(section.record(lambda f: _own(f, config)) or config)
    for alone in load_objects(own) if own else []:
        part = Field(alone, OWN_KEY)
        config = part.accept(_own(part, config))
    return config


def _collector(f: Field) -> tuple[CollectorKind, CollectorConfig]:
    f.open_ended()
    wait_all = f.at("waitAllProcesses")
    resources = f.at("resources").record(read_resources)
    return f.at("kind").choice(CollectorKind, CollectorKind.STDOUT), CollectorConfig(
        image=f.at("image").text().strip(),
        pull_policy=read_pull_policy(f.at("imagePullPolicy")),
        resources=resources or Resources(),
        wait_all=None if wait_all.absent else wait_all.flag(),
    )


def _algorithm(f: Field) -> tuple[str, bool]:
    """Return the name of a search, and whether its service is deployed for each experiment."""
    f.open_ended()
    return f.at("algorithmName").text(), not (f.mapping() or {}).get("endpoint")


def _own(f: Field, config: Config) -> Config:
    drain, echo, user = f.at("drainSeconds"), f.at("echo"), f.at("runAsUser")
    seconds = drain.integer()
    if seconds is not None and not 0 <= seconds <= MAX_SECONDS:
        drain.refuse(f"must be a number of seconds from 0 to {MAX_SECONDS}")
    number = user.integer()
    if number is not None and number < 0:
        user.refuse("must be a numeric user id, 0 or greater")
    return replace(
        config,
        db_manager_ca=_authorities(f.at("dbManagerCA")),
        suggestion_ca=_authorities(f.at("suggestionCA")),
        sidecar=f.at("sidecar").choice(SidecarMode, config.sidecar),
        drain_seconds=config.drain_seconds if seconds is None else seconds,
        # A missing key keeps the default; null means that the platform assigns a user.
        run_as_user=number if _has(f, "runAsUser") else config.run_as_user,
        echo=config.echo if echo.absent else echo.flag(),
        log_level=f.at("logLevel").choice(LogLevel, config.log_level),
        db_manager=f.at("dbManagerAddress").text() or config.db_manager,
    )


def _authorities(f: Field) -> str:
    text = f.text()
    if text and _PEM not in text:
        f.refuse(f"must be certificates in PEM, which begin with {_PEM}")
    return text


def _has(f: Field, name: str) -> bool:
    return isinstance(f.value, Mapping) and name in f.value
