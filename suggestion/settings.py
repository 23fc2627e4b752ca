"""The settings of one suggestion service: built once, from its command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from api import names
from serving.addresses import Address
from serving.client_security import ClientSecurity
from serving.flag_values import ADDRESS, ADDRESS_OR_OFF, PATH, PAUSE, Kind, whole_number
from serving.main import Program
from serving.settings import Row, setting, settings_of
from serving.shared_settings import db_manager_security, grace, port_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that may differ between two suggestion services."""

    listen: Address = setting(
        Row(
            "--listen",
            ADDRESS,
            "Where the program serves gRPC. Port 0 takes a free port. An early-stopping container"
            f" in the same pod takes 0.0.0.0:{names.EARLY_STOPPING_PORT}.",
        ),
        Address(host="0.0.0.0", port=names.SUGGESTION_PORT),  # noqa: S104 - a server for other machines
    )
    kubeconfig: Path | None = setting(
        Row(
            "--kubeconfig",
            PATH,
            "The file that says how to reach the cluster in which early-stopped trials are marked.",
            default="the cluster in which the program runs",
        ),
        None,
    )
    namespace: str | None = setting(
        Row(
            "--namespace",
            Kind(placeholder="NAMESPACE", read=lambda text: text or None),
            "The namespace of a trial if the caller names none.",
            default="the namespace of the program's own pod, else `default`",
        ),
        None,
    )
    search_workers: int = setting(
        Row(
            "--search-workers",
            whole_number("N", 64),
            "How many processes search: so many namespaces are served at the same time. They share"
            " three quarters of the memory that the container or the machine has.",
        ),
        2,
    )
    search_timeout: timedelta = setting(
        Row(
            "--search-timeout",
            PAUSE,
            "A search that takes longer is stopped, even if its caller would wait longer.",
        ),
        timedelta(minutes=2),
    )
    metrics_listen: Address | None = setting(
        Row(
            "--metrics-listen",
            ADDRESS_OR_OFF,
            "Where the program serves `/metrics` to Prometheus; `off`: nowhere.",
        ),
        None,
    )
    db_manager: Address | None = setting(
        Row(
            "--db-manager",
            ADDRESS,
            "The only DB manager that the program calls: a request that names another one is"
            " refused.",
            default="each DB manager that a request names",
        ),
        None,
    )
    db_manager_security: ClientSecurity = db_manager_security()
    grace: timedelta = grace(20, "after SIGTERM or SIGINT")
    port_file: Path | None = port_file("gRPC")


PROGRAM: Final = Program(
    name="suggestion",
    purpose="Chooses the parameters of the next trials, and decides which trials to stop early,\n"
    "over gRPC.\n"
    "Exit status: 0 ended by SIGTERM or SIGINT, 2 wrong set-up.",
    settings=Settings,
)


def read_settings(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> Settings:
    """Build the settings.

    Raises:
        UserError: a flag is unknown, or its value is not of the flag's kind.
    """
    return settings_of(Settings, argv, environ or {})
