"""How one controller is set up: built once, from its command line and its environment."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from api import names
from api.errors import UserError
from api.faults import quoted
from api.goflags import Flag
from api.installation.places import our_services
from api.installation.stores import db_manager_of
from controller import flags
from controller.reconcile.views import Policy
from kube.leading import Times
from serving import flag_values as read
from serving.addresses import Address
from serving.flag_values import Given

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that may differ between two controllers."""

    kubeconfig: Path | None = None
    namespace: str = ""
    """Empty: all."""
    katib_config: Path | None = None
    """None: the ConfigMap of the core namespace."""
    core_namespace: str = names.CORE_NAMESPACE
    db_manager: str = ""
    """Empty: as the settings of the installation have it, else `usual_db_manager`."""
    usual_db_manager: str = field(default_factory=lambda: db_manager_of({}))
    suggestion: str = field(default_factory=lambda: our_services().suggestion)
    listen: Address = Address(host="0.0.0.0", port=names.METRICS_PORT)  # noqa: S104 - a server for other machines
    leader_elect: bool = True
    lease_times: Times = field(default_factory=Times)
    policy: Policy = field(default_factory=Policy)
    grace: timedelta = timedelta(seconds=15)
    log_level: int = logging.INFO
    port_file: Path | None = None


def read_settings(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Build the settings; a flag that is given twice counts by its last value.

    Raises:
        UserError: a flag is unknown, or its value means nothing.
    """
    given = read.given_in(argv, flags.FLAGS)
    plain = Settings()
    core = environ.get(names.CORE_NAMESPACE_ENV) or plain.core_namespace
    grace = read.duration(flags.GRACE, given)
    db_manager = read.address(flags.DB_MANAGER, given)
    suggestion = read.address(flags.SUGGESTION, given)
    return Settings(
        kubeconfig=read.path(flags.KUBECONFIG, given),
        namespace=_namespace(given),
        katib_config=read.path(flags.KATIB_CONFIG, given),
        core_namespace=core,
        db_manager=str(db_manager) if db_manager else "",
        usual_db_manager=db_manager_of(environ),
        suggestion=str(suggestion) if suggestion else our_services(core).suggestion,
        listen=read.address(flags.LISTEN, given) or plain.listen,
        leader_elect=read.switch(flags.LEADER_ELECT, given, default=True),
        lease_times=_lease_times(given),
        policy=_policy(given),
        grace=plain.grace if grace is None else grace,
        log_level=read.level(flags.LOG_LEVEL, given),
        port_file=read.path(flags.PORT_FILE, given),
    )


def _lease_times(given: Given) -> Times:
    plain = Times()

    def seconds(flag: Flag, usual: float) -> float:
        value = read.duration(flag, given)
        return usual if value is None else value.total_seconds()

    times = Times(
        duration=seconds(flags.LEASE_DURATION, plain.duration),
        renew_deadline=seconds(flags.RENEW_DEADLINE, plain.renew_deadline),
        retry=seconds(flags.RETRY_PERIOD, plain.retry),
    )
    if not times.are_sound:
        raise UserError(
            f"{flags.LEASE_DURATION.name} must be at least 1s, and more than"
            f" {flags.RENEW_DEADLINE.name}, which must be more than twice"
            f" {flags.RETRY_PERIOD.name}; {plain.duration:g}s, {plain.renew_deadline:g}s and"
            f" {plain.retry:g}s are usual"
        )
    return times


def _policy(given: Given) -> Policy:
    plain = Policy()

    def seconds(flag: Flag, usual: timedelta) -> timedelta:
        value = read.duration(flag, given)
        return usual if value is None else value

    def pause(flag: Flag, usual: timedelta) -> timedelta:
        value = seconds(flag, usual)
        if not value:
            raise UserError(f"{flag.name}: 0s would ask without a pause; write 1s, say")
        return value

    return Policy(
        metrics_grace=seconds(flags.METRICS_GRACE, plain.metrics_grace),
        metrics_poll=pause(flags.METRICS_POLL, plain.metrics_poll),
        live_interval=seconds(flags.LIVE_INTERVAL, plain.live_interval or timedelta(0)) or None,
        pending_patience=seconds(flags.PENDING_PATIENCE, plain.pending_patience),
        stop_grace=seconds(flags.STOP_GRACE, plain.stop_grace),
        deletion_grace=seconds(flags.DELETION_GRACE, plain.deletion_grace),
        start_deadline=seconds(flags.START_DEADLINE, timedelta(0)) or None,
        template_retry=pause(flags.TEMPLATE_RETRY, plain.template_retry),
        stop_at_end=read.switch(flags.STOP_AT_END, given, default=True),
    )


def _namespace(given: Given) -> str:
    text = given.get(flags.NAMESPACE.name, "")
    if text and _NAMESPACE.fullmatch(text) is None:
        raise UserError(
            f"{flags.NAMESPACE.name}: {quoted(text)} is no name of a namespace; write one as"
            " `kubectl get namespaces` shows it"
        )
    return text
