"""The settings of one DB manager: built once, from its command line and its environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from api import names
from api.errors import SetupError
from dbmanager.access.policy import Mode
from dbmanager.access_settings import ROWS, AccessSettings
from dbmanager.katib_variables import DEFAULT_DATABASE, SKIP_INITIALIZATION, VARIABLES, database_of
from serving.addresses import Address
from serving.flag_values import (
    ADDRESS,
    ADDRESS_OR_OFF,
    DURATION_OR_NEVER,
    PATH,
    Kind,
    whole_number,
)
from serving.main import Program
from serving.settings import Row, from_environment, part, setting, settings_of
from serving.shared_settings import grace, port_file

FOUR_MEBIBYTES: Final = 4 * 1024 * 1024
_MOST_BYTES: Final = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """The files of the certificate; with `client_ca`, clients need a certificate too."""

    cert: Path
    key: Path
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that may differ between two DB managers."""

    listen: Address = setting(
        Row(
            "--listen",
            ADDRESS,
            "Where the program serves gRPC. Port 0 takes a free port.",
            alias="-listen-address",
        ),
        Address(host="0.0.0.0", port=names.DB_MANAGER_PORT),  # noqa: S104 - a server for other machines
    )
    database: str = from_environment(
        database_of,
        Row(
            "--database",
            Kind(placeholder="URL", read=str),
            "The database that stores observations: `sqlite:///FILE`,"
            " `postgresql://USER:PASSWORD@HOST/DB` or `mysql://USER:PASSWORD@HOST/DB`. Without the"
            f" flag, Katib's variables choose the database if {names.DB_NAME_ENV} is set.",
            default=f"{DEFAULT_DATABASE}, a file in the current directory",
        ),
    )
    """A URL; it may hold a password."""
    initialize: bool = from_environment(
        lambda environ: (
            environ.get(SKIP_INITIALIZATION.name, SKIP_INITIALIZATION.default) == "false"
        )
    )
    """Whether the program creates missing tables."""
    connect_timeout: timedelta | None = setting(
        Row(
            "--connect-timeout",
            DURATION_OR_NEVER,
            "End with status 1 if the database does not answer within this time after the start."
            " 0s: never; the health service says NOT_SERVING until the database answers.",
        ),
        None,
    )
    """None waits without limit."""
    metrics_listen: Address | None = setting(
        Row(
            "--metrics-listen",
            ADDRESS_OR_OFF,
            "Where the program serves `/metrics` to Prometheus; `off`: nowhere.",
        ),
        Address(host="0.0.0.0", port=names.METRICS_PORT),  # noqa: S104 - a server for other machines
    )
    tls_cert: Path | None = setting(
        Row(
            "--tls-cert",
            PATH,
            "Serve TLS with this certificate chain (PEM); needs `--tls-key`.",
            default="plaintext",
        ),
        None,
    )
    tls_key: Path | None = setting(
        Row("--tls-key", PATH, "The certificate's private key (PEM)."), None
    )
    tls_client_ca: Path | None = setting(
        Row(
            "--tls-client-ca",
            PATH,
            "Accept only clients with a certificate signed by one of these authorities (PEM).",
            default="any client",
        ),
        None,
    )
    plain_listen: Address | None = setting(
        Row(
            "--plain-listen",
            ADDRESS_OR_OFF,
            "Serve the same without TLS here too, for health probes and for clients of Katib, which"
            " have no TLS; tokens are refused here. `off`: nowhere. Needs `--tls-cert`.",
        ),
        None,
    )
    access: AccessSettings = part(AccessSettings(), **ROWS)
    max_reply: int = setting(
        Row(
            "--max-reply",
            whole_number("BYTES", _MOST_BYTES),
            "The size of the largest reply to `GetObservationLog`; the default is the limit of gRPC"
            f" clients. A caller may ask for more with metadata `{names.MAX_REPLY_METADATA}`.",
        ),
        FOUR_MEBIBYTES,
    )
    grace: timedelta = grace(20, "after SIGTERM or SIGINT")
    port_file: Path | None = port_file("gRPC")

    @property
    def tls(self) -> TlsFiles | None:
        """The files of TLS; None: plaintext."""
        if self.tls_cert is None or self.tls_key is None:
            return None
        return TlsFiles(cert=self.tls_cert, key=self.tls_key, client_ca=self.tls_client_ca)


PROGRAM: Final = Program(
    name="dbmanager",
    purpose="Stores the observations of trials, each exactly once, and serves them over gRPC.\n"
    "Exit status: 0 ended by SIGTERM or SIGINT, 1 no database in time, 2 wrong set-up.",
    settings=Settings,
    variables=VARIABLES,
    variables_head="Katib's variables choose the database if --database is not given",
)


def read_settings(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Build the settings.

    Raises:
        UserError: a flag is unknown, or its value is not of the flag's kind.
        SetupError: an environment variable cannot be used, or flags do not fit together.
    """
    settings = settings_of(Settings, argv, environ)
    if settings.tls is None and (settings.tls_cert or settings.tls_key or settings.tls_client_ca):
        missing = "--tls-key" if settings.tls_cert else "--tls-cert"
        raise SetupError(f"{missing} is missing: TLS needs a certificate and its key")
    if settings.tls is None and settings.plain_listen is not None:
        raise SetupError("--plain-listen needs --tls-cert: without TLS, --listen is enough")
    _check_access(settings)
    return settings


def _check_access(settings: Settings) -> None:
    if settings.access.mode is Mode.OFF:
        return
    flag = f"--auth {settings.access.mode}"
    if settings.tls is None:
        raise SetupError(f"{flag} needs --tls-cert and --tls-key: tokens are sent over TLS only")
    if not settings.access.keys:
        raise SetupError(
            f"{flag} needs --auth-keys FILE or URL: the keys that the API server signs with"
        )
