"""The settings of one controller: built once, from its command line and its environment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from api import names
from api.errors import UserError
from api.faults import quoted
from api.installation.service_addresses import own_services
from api.installation.stores import db_manager_of
from controller.reconcile.views import Policy
from kube.leader_election import LeaseTimes
from serving.addresses import Address
from serving.client_security import ClientSecurity
from serving.flag_values import (
    ADDRESS,
    ADDRESS_TEXT,
    DURATION,
    DURATION_OR_NEVER,
    PAUSE,
    SECONDS,
    SWITCH,
    Kind,
)
from serving.main import Program
from serving.settings import Row, from_environment, part, setting, settings_of
from serving.shared_settings import (
    CLUSTER_VARIABLES,
    client_security,
    grace,
    katib_config,
    kubeconfig,
    log_level,
    port_file,
)

_NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LEASE: Final = "--leader-elect-lease-duration"
_RENEW: Final = "--leader-elect-renew-deadline"
_RETRY: Final = "--leader-elect-retry-period"


def _namespace(text: str) -> str:
    if text and _NAMESPACE.fullmatch(text) is None:
        raise UserError(
            f"{quoted(text)} is not the name of a namespace; write one as `kubectl get namespaces`"
            " shows it"
        )
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that may differ between two controllers."""

    kubeconfig: Path | None = kubeconfig()
    namespace: str = setting(
        Row(
            "--namespace",
            Kind(placeholder="NAME", read=_namespace),
            "Reconcile the experiments of this namespace only, and list nothing cluster-wide.",
            default="all namespaces",
        ),
        "",
    )
    """Empty: all."""
    katib_config: Path | None = katib_config()
    """None: the ConfigMap of the core namespace."""
    core_namespace: str = from_environment(CLUSTER_VARIABLES[0].of)
    db_manager: str = setting(
        Row(
            "--db-manager",
            ADDRESS_TEXT,
            "The DB manager that has the metrics of trials.",
            default="`dbManagerAddress` of the settings, else as Katib's variables say",
        ),
        "",
    )
    """Empty: as the settings of the installation say, else `usual_db_manager`."""
    db_manager_security: ClientSecurity = client_security()
    usual_db_manager: str = from_environment(db_manager_of)
    suggestion: str = from_environment(
        lambda environ: own_services(CLUSTER_VARIABLES[0].of(environ)).suggestion,
        Row(
            "--suggestion",
            ADDRESS_TEXT,
            "trialwatch's service of search and early stopping. It serves the algorithms that the"
            " settings do not name.",
        ),
    )
    suggestion_security: ClientSecurity = client_security(
        "this service", ClientSecurity(flags="--suggestion")
    )
    listen: Address = setting(
        Row(
            "--listen",
            ADDRESS,
            "Where the program serves `/healthz`, `/readyz` and `/metrics`, without TLS. Port 0"
            " takes a free port.",
        ),
        Address(host="0.0.0.0", port=names.METRICS_PORT),  # noqa: S104 - a server for other machines
    )
    leader_elect: bool = setting(
        Row(
            "--leader-elect",
            SWITCH,
            f"Work only while holding the Lease `{names.OWN_CONTROLLER}` of the namespace in"
            f" {names.CORE_NAMESPACE_ENV}, so that one of several replicas works.",
        ),
        True,  # noqa: FBT003 - the default of the row above
    )
    lease_times: LeaseTimes = part(
        LeaseTimes(),
        duration=Row(
            _LEASE, SECONDS, "How long other replicas respect a Lease without renewal; at least 1s."
        ),
        renew_deadline=Row(
            _RENEW,
            SECONDS,
            "How long the holder tries to renew the Lease before it stops work; less than the"
            " lease duration.",
        ),
        retry=Row(
            _RETRY,
            SECONDS,
            "How often a replica tries to acquire or to renew the Lease; less than half of the"
            " renew deadline.",
        ),
    )
    policy: Policy = part(
        Policy(),
        metrics_grace=Row(
            "--metrics-grace",
            DURATION,
            "How long after the end of its job a trial's objective may still arrive.",
        ),
        metrics_poll=Row(
            "--metrics-poll",
            PAUSE,
            "How soon the controller asks the DB manager again for a missing objective.",
        ),
        live_interval=Row(
            "--live-interval",
            DURATION_OR_NEVER,
            "How often the status of a running trial shows its latest values; 0s: never.",
        ),
        pending_patience=Row(
            "--pending-patience",
            DURATION,
            "How long a trial's pod may run nothing before the trial shows the cause.",
        ),
        container_grace=Row(
            "--container-grace",
            DURATION_OR_NEVER,
            "How long other containers of a trial's pod may run after the container that trains has"
            " ended, before the trial ends without them; 0s: without limit.",
        ),
        stop_grace=Row(
            "--stop-grace",
            DURATION,
            "How long the job of an early-stopped trial may take to end by itself.",
        ),
        deletion_grace=Row(
            "--deletion-grace",
            DURATION,
            "How long a deleted trial waits for its job to go, and for an unreachable DB manager.",
        ),
        start_deadline=Row(
            "--start-deadline",
            DURATION_OR_NEVER,
            "How long a trial may be without a running pod before it fails, unless it waits for"
            " room; 0s: without limit.",
        ),
        room_deadline=Row(
            "--room-deadline",
            DURATION_OR_NEVER,
            "How long a trial may wait for room on a node or in a quota before it fails; 0s:"
            " without limit.",
        ),
        template_retry=Row(
            "--template-retry",
            PAUSE,
            "How soon the controller looks again for a trial template in a missing ConfigMap.",
        ),
        stop_at_end=Row(
            "--stop-at-end", SWITCH, "End the running trials when their experiment has ended."
        ),
    )
    grace: timedelta = grace(15, "after SIGTERM or SIGINT")
    log_level: int = log_level()
    port_file: Path | None = port_file("HTTP")


PROGRAM: Final = Program(
    name="controller",
    purpose="Runs the experiments of a cluster: asks the search, creates trials and their jobs,\n"
    "reads their metrics, and writes the results into the objects' status.\n"
    "Exit status: 0 ended by SIGTERM or SIGINT, 2 wrong set-up.",
    settings=Settings,
    variables=CLUSTER_VARIABLES,
    variables_head="Katib's variables make the DB manager's address, unless a flag or the settings"
    " name one",
)


def read_settings(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Build the settings.

    Raises:
        UserError: a flag is unknown, its value is not of the flag's kind, or the times of the
            Lease do not fit together.
    """
    settings, usual = settings_of(Settings, argv, environ), LeaseTimes()
    if not settings.lease_times.are_sound:
        raise UserError(
            f"{_LEASE} must be at least 1s, and more than {_RENEW}, which must be more than twice"
            f" {_RETRY}; {usual.duration:g}s, {usual.renew_deadline:g}s and {usual.retry:g}s are"
            " usual"
        )
    return settings
