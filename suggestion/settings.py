"""The settings of one suggestion service: built once, from its command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from api import names
from api.errors import SetupError
from serving.access.refusals import Mode
from serving.access.settings import AccessSettings, access_rows, check_access
from serving.addresses import Address
from serving.client_security import ClientSecurity
from serving.flag_values import ADDRESS, ADDRESS_OR_OFF, FOLDER, PATH, PAUSE, Kind, whole_number
from serving.main import Program
from serving.server_security import TlsFiles, plain_listen, tls_cert, tls_files, tls_key
from serving.settings import Row, part, setting, settings_of
from serving.shared_settings import client_security, grace, port_file


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
    checkpoints: Path | None = setting(
        Row(
            "--checkpoints",
            FOLDER,
            "Where the trials of `pbt` have their checkpoints, if this directory exists: the mount"
            " of a volume that the trials mount too.",
        ),
        Path(names.SUGGESTION_DATA_DIR),
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
    db_manager_security: ClientSecurity = client_security()
    tls_cert: Path | None = tls_cert()
    tls_key: Path | None = tls_key()
    plain_listen: Address | None = plain_listen(
        "Serve the same without TLS here too, for health probes and for callers without TLS; tokens"
        " are refused here. `off`: nowhere. Needs `--tls-cert`."
    )
    access: AccessSettings = part(
        AccessSettings(),
        **access_rows(
            but_not="to stop trials that have reported with one",
            needs="`--tls-cert`, `--auth-keys` and `--db-manager`",
            managers="ask for suggestions and stop rules",
        ),
    )
    grace: timedelta = grace(20, "after SIGTERM or SIGINT")
    port_file: Path | None = port_file("gRPC")

    @property
    def tls(self) -> TlsFiles | None:
        """The files of TLS; None: plaintext.

        Raises:
            SetupError: a file or TLS itself is missing.
        """
        return tls_files(self.tls_cert, self.tls_key, self.plain_listen)


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
        SetupError: flags do not fit together.
    """
    settings = settings_of(Settings, argv, environ or {})
    check_access(settings.access, tls=settings.tls is not None)
    if settings.access.mode is not Mode.OFF and settings.db_manager is None:
        raise SetupError(
            f"--auth {settings.access.mode} needs --db-manager HOST:PORT: else a caller could make"
            " the service call any address"
        )
    return settings
