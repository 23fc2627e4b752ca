"""Katib's environment variables of the database, and the URL that they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from api import names
from api.errors import SetupError
from api.faults import quoted
from serving.addresses import Address
from serving.settings import Variable

DEFAULT_DATABASE: Final = "sqlite:///trialwatch.db"
"""A file in the current directory: after a restart the program finds it again."""
_HIGHEST_PORT: Final = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class _Database:
    """The variables of one kind of database, each with its default."""

    scheme: str
    user: str
    host: Variable
    port: Variable
    database: Variable


_MYSQL: Final = _Database(
    scheme="mysql",
    user="root",
    host=Variable(name=names.MYSQL_HOST_ENV, sentence="MySQL's host.", default="katib-mysql"),
    port=Variable(name=names.MYSQL_PORT_ENV, sentence="MySQL's port.", default="3306"),
    database=Variable(name=names.MYSQL_DATABASE_ENV, sentence="MySQL's database.", default="katib"),
)
_POSTGRESQL: Final = _Database(
    scheme="postgresql",
    user="katib",
    host=Variable(
        name=names.POSTGRESQL_HOST_ENV, sentence="PostgreSQL's host.", default="katib-postgres"
    ),
    port=Variable(name=names.POSTGRESQL_PORT_ENV, sentence="PostgreSQL's port.", default="5432"),
    database=Variable(
        name=names.POSTGRESQL_DATABASE_ENV, sentence="PostgreSQL's database.", default="katib"
    ),
)
_SSL_MODE: Final = Variable(
    name=names.POSTGRESQL_SSL_MODE_ENV,
    sentence="PostgreSQL's `sslmode`: whether the connection uses TLS.",
    default="disable",
)
SKIP_INITIALIZATION: Final = Variable(
    name=names.SKIP_DB_INITIALIZATION_ENV,
    sentence="With any value but `false`, the program never creates tables: they must exist.",
    default="false",
)
VARIABLES: Final = (
    Variable(
        name=names.DB_NAME_ENV,
        sentence="`mysql` or `postgres`: the kind of database of the variables below.",
        default="",
    ),
    Variable(
        name=names.DB_USER_ENV,
        sentence="The user.",
        default=f"{_MYSQL.user} for MySQL, {_POSTGRESQL.user} for PostgreSQL",
    ),
    Variable(name=names.DB_PASSWORD_ENV, sentence="The user's password.", default=""),
    *(_MYSQL.host, _MYSQL.port, _MYSQL.database),
    *(_POSTGRESQL.host, _POSTGRESQL.port, _POSTGRESQL.database),
    _SSL_MODE,
    SKIP_INITIALIZATION,
)
"""Katib's variables, all that the DB manager reads."""


def database_of(environ: Mapping[str, str]) -> str:
    """Return the URL that Katib's variables mean; without them, that of a file here.

    Raises:
        SetupError: `DB_NAME` names no known database, or a port is not a number.
    """
    kind = environ.get(names.DB_NAME_ENV)
    if not kind:
        return DEFAULT_DATABASE
    if kind == "mysql":
        return _url(environ, _MYSQL, {})
    if kind == "postgres":
        return _url(environ, _POSTGRESQL, {"sslmode": _SSL_MODE.of(environ)})
    raise SetupError(
        f"{names.DB_NAME_ENV}: {quoted(kind)} is not a known database;"
        " write mysql or postgres, or give --database URL"
    )


def _url(environ: Mapping[str, str], kind: _Database, options: Mapping[str, str]) -> str:
    host, port = kind.host.of(environ), kind.port.of(environ)
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= _HIGHEST_PORT:
        raise SetupError(
            f"{kind.port.name}: {quoted(port)} is not a port; write a number from 1 to"
            f" {_HIGHEST_PORT}"
        )
    login = quote(environ.get(names.DB_USER_ENV) or kind.user, safe="")
    password = environ.get(names.DB_PASSWORD_ENV)
    if password:
        login += f":{quote(password, safe='')}"
    address = Address(host=host, port=int(port))
    query = f"?{urlencode(options)}" if options else ""
    return f"{kind.scheme}://{login}@{address}/{quote(kind.database.of(environ), safe='')}{query}"
