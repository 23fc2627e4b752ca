"""How one DB manager is set up: built once, from its command line and its environment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlencode

from api import names
from api.errors import SetupError, UserError
from api.faults import quoted
from api.goflags import Flag
from dbmanager import flags
from serving import flag_values as read
from serving.addresses import Address

DEFAULT_DATABASE = "sqlite:///trialwatch.db"
"""A file in the current directory: one that is found again after a restart."""
FOUR_MEBIBYTES = 4 * 1024 * 1024
_MOST_BYTES = 2**31 - 1
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Where the certificate is; with `client_ca`, clients need one too."""

    cert: Path
    key: Path
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that may differ between two DB managers."""

    database: str
    """A URL; it may hold a password."""
    listen: Address = Address(host="0.0.0.0", port=names.DB_MANAGER_PORT)  # noqa: S104 - a server for other machines
    metrics_listen: Address | None = Address(host="0.0.0.0", port=names.METRICS_PORT)  # noqa: S104 - the same
    initialize: bool = True
    """Whether tables that are missing are created."""
    connect_timeout: timedelta | None = None
    """None waits for ever."""
    grace: timedelta = timedelta(seconds=20)
    max_reply: int = FOUR_MEBIBYTES
    tls: TlsFiles | None = None
    port_file: Path | None = None


def read_settings(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Build the settings; a flag that is given twice counts by its last value.

    Raises:
        UserError: a flag is unknown, or its value means nothing.
        SetupError: an environment variable means nothing, or files are missing of a pair.
    """
    given = read.given_in(argv, flags.FLAGS)
    if flags.LISTEN_KATIB.name in given:
        given.setdefault(flags.LISTEN.name, given[flags.LISTEN_KATIB.name])
    plain = Settings(database=given.get(flags.DATABASE.name) or database_of(environ))
    grace = read.duration(flags.GRACE, given)
    return Settings(
        database=plain.database,
        listen=read.address(flags.LISTEN, given) or plain.listen,
        metrics_listen=read.optional_address(flags.METRICS_LISTEN, given, plain.metrics_listen),
        initialize=environ.get(names.SKIP_DB_INITIALIZATION_ENV, "false") == "false",
        connect_timeout=read.duration(flags.CONNECT_TIMEOUT, given) or None,
        grace=plain.grace if grace is None else grace,
        max_reply=_bytes(flags.MAX_REPLY, given) or plain.max_reply,
        tls=_tls(given),
        port_file=read.path(flags.PORT_FILE, given),
    )


def database_of(environ: Mapping[str, str]) -> str:
    """Return the URL that Katib's variables mean; without them, that of a file here.

    Raises:
        SetupError: `DB_NAME` or a port means nothing.
    """
    kind = environ.get(names.DB_NAME_ENV)
    if not kind:
        return DEFAULT_DATABASE
    if kind == "mysql":
        return _url(environ, _MYSQL, {})
    if kind == "postgres":
        mode = environ.get(names.POSTGRESQL_SSL_MODE_ENV) or "disable"
        return _url(environ, _POSTGRESQL, {"sslmode": mode})
    raise SetupError(
        f"{names.DB_NAME_ENV}: {quoted(kind)} is no database that is known;"
        " write mysql or postgres, or give --database URL"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variables:
    """Which variables one kind of database has, and what holds where they are not set."""

    scheme: str
    user: str
    host: tuple[str, str]
    port: tuple[str, str]
    database: tuple[str, str]


_MYSQL = _Variables(
    scheme="mysql",
    user="root",
    host=(names.MYSQL_HOST_ENV, "katib-mysql"),
    port=(names.MYSQL_PORT_ENV, "3306"),
    database=(names.MYSQL_DATABASE_ENV, "katib"),
)
_POSTGRESQL = _Variables(
    scheme="postgresql",
    user="katib",
    host=(names.POSTGRESQL_HOST_ENV, "katib-postgres"),
    port=(names.POSTGRESQL_PORT_ENV, "5432"),
    database=(names.POSTGRESQL_DATABASE_ENV, "katib"),
)


def _url(environ: Mapping[str, str], kind: _Variables, options: Mapping[str, str]) -> str:
    host, port, database = (
        environ.get(variable) or default
        for variable, default in (kind.host, kind.port, kind.database)
    )
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= _HIGHEST_PORT:
        raise SetupError(
            f"{kind.port[0]}: {quoted(port)} is no port; write a number from 1 to {_HIGHEST_PORT}"
        )
    login = quote(environ.get(names.DB_USER_ENV) or kind.user, safe="")
    password = environ.get(names.DB_PASSWORD_ENV)
    if password:
        login += f":{quote(password, safe='')}"
    where = Address(host=host, port=int(port))
    query = f"?{urlencode(options)}" if options else ""
    return f"{kind.scheme}://{login}@{where}/{quote(database, safe='')}{query}"


def _bytes(flag: Flag, given: Mapping[str, str]) -> int | None:
    text = given.get(flag.name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,10}", text) or not 1 <= int(text) <= _MOST_BYTES:
        raise UserError(f"{flag.name}: {quoted(text)} is no number from 1 to {_MOST_BYTES}")
    return int(text)


def _tls(given: Mapping[str, str]) -> TlsFiles | None:
    cert, key, ca = (
        given.get(flag.name) for flag in (flags.TLS_CERT, flags.TLS_KEY, flags.TLS_CLIENT_CA)
    )
    if cert and key:
        return TlsFiles(cert=Path(cert), key=Path(key), client_ca=Path(ca) if ca else None)
    if cert or key or ca:
        missing = flags.TLS_KEY if cert else flags.TLS_CERT
        raise SetupError(f"{missing.name} is missing: TLS needs a certificate and its key")
    return None
