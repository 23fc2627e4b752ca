"""The settings of one DB manager: built once, from its command line and its environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from api import names
from dbmanager.katib_variables import DEFAULT_DATABASE, SKIP_INITIALIZATION, VARIABLES, database_of
from serving.access.settings import AccessSettings, access_rows, check_access
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
from serving.server_security import TlsFiles, plain_listen, tls_cert, tls_files, tls_key
from serving.settings import Row, from_environment, part, setting, settings_of
from serving.shared_settings import grace, port_file

FOUR_MEBIBYTES: Final = 4 * 1024 * 1024
_MOST_BYTES: Final = 2**31 - 1


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
    tls_cert: Path | None = tls_cert()
    tls_key: Path | None = tls_key()
    tls_client_ca: Path | None = setting(
        Row(
            "--tls-client-ca",
            PATH,
            "Accept only clients with a certificate signed by one of these authorities (PEM).",
            default="any client",
        ),
        None,
    )
    plain_listen: Address | None = plain_listen(
        "Serve the same without TLS here too, for health probes and for clients of Katib, which"
        " have no TLS; tokens are refused here. `off`: nowhere. Needs `--tls-cert`."
    )
    access: AccessSettings = part(
        AccessSettings(
            managers=(
                f"{names.CORE_NAMESPACE}/{names.OWN_CONTROLLER}",
                f"{names.CORE_NAMESPACE}/{names.OWN_SUGGESTION}",
            )
        ),
        **access_rows(
            but_not="for trials that have reported with one",
            needs="`--tls-cert` and `--auth-keys`",
            managers="read and delete all metrics",
        ),
    )
    auth_users: str = setting(
        Row(
            "--auth-users",
            Kind(placeholder="URL", read=str),
            "Let users read: the API server at this https URL is asked whose a token is"
            " (TokenReview), and whether the user may `get trials` in the namespace"
            " (SubjectAccessReview). The files of `--auth-keys-ca` and `--auth-keys-token` are for"
            " it too.",
            default="users are refused",
        ),
        "",
    )
    """The API server that knows users; "": users are refused."""
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
        """The files of TLS; None: plaintext.

        Raises:
            SetupError: a file or TLS itself is missing.
        """
        return tls_files(self.tls_cert, self.tls_key, self.plain_listen, self.tls_client_ca)


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
    check_access(settings.access, tls=settings.tls is not None)
    return settings
