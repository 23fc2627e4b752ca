"""What a driver's error means: unavailable, worth another try at once, or a wrong set-up.

| kind        | PostgreSQL's state                | MySQL's number            | SQLite         |
|-------------|-----------------------------------|---------------------------|----------------|
| unavailable | 08, 53, 57P, 58, 25006 (standby)  | connection lost, full     | locked, full   |
| try again   | 40001, 40P01, 0A000 (stale plan)  | 1020, 1205, 1213 (locks)  |                |
| set-up      | 28, 3D; any error while opening   | user, database, privilege | not a database |
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy.exc import DBAPIError, InterfaceError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.errors import SetupError, Unavailable
from dbmanager.store.contract import DiskFull

_AWAY_STATES = ("08", "53", "57P", "58", "25006")
_AGAIN_STATES = ("40001", "40P01", "0A000")
_SETUP_STATES = ("28", "3D")
_AWAY_NUMBERS = frozenset(
    {
        *(1021, 1040, 1053, 1077, 1079, 1114, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1290),
        *(1836, 1927, 2002, 2003, 2006, 2013, 2014, 2055, 3169),
    }
)
_FULL_STATE = "53100"
_FULL_NUMBERS = frozenset((1021, 1114))
_AGAIN_NUMBERS = frozenset((1020, 1205, 1213))
_SETUP_NUMBERS = frozenset((1044, 1045, 1049, 1142, 1227, 1251, 1698))
_AWAY_TEXTS = re.compile(r"locked|busy|full|disk I/O|unable to open|closed", re.IGNORECASE)


@contextmanager
def translated_errors(database: str, *, opening: bool = False) -> Iterator[None]:
    """Raise a driver's error as `Unavailable` or `SetupError` if its meaning is known.

    Args:
        database: its name in messages, without the password.
        opening: whether the store is being opened, so every refusal means a wrong set-up.
    """
    try:
        yield
    except Exception as error:
        if not isinstance(error, (SQLAlchemyError, OSError, EOFError, *_driver_errors())):
            raise
        cause = _cause_of(error)
        if opening and "unable to open" in str(cause):  # SQLite does not say why
            raise SetupError(
                f"--database: cannot open or create {database}; "
                "check that its folder exists and is writable"
            ) from error
        if is_full(error):
            raise DiskFull(
                f"{database} has no room ({cause}): reports are refused until there is room; delete"
                " experiments, or enlarge the disk"
            ) from error
        if is_away(error):
            raise Unavailable(f"{database} cannot be reached now ({cause}); try again") from error
        if opening or _is_setup(cause):
            raise SetupError(
                f"--database: {database} refuses ({cause}); check its name, user and privileges"
            ) from error
        raise


def invalid_url(database: str) -> SetupError:
    """Return the error for a URL that a driver cannot read."""
    return SetupError(
        f"--database: the URL of {database} is not valid: check the port and the options (sslmode),"
        " and write special characters of user and password as in %2F for /"
    )


def is_full(error: BaseException) -> bool:
    """Return whether the database has no room for more rows."""
    cause = _cause_of(error)
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return _state_of(cause) == _FULL_STATE or _number_of(cause) in _FULL_NUMBERS


def is_away(error: BaseException) -> bool:
    """Return whether the database cannot be reached, is starting or is ending."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    cause = _cause_of(error)
    if isinstance(cause, OSError | EOFError | TimeoutError | PoolTimeout):
        return True
    if isinstance(cause, sqlite3.Error):
        return bool(_AWAY_TEXTS.search(str(cause)))
    if _state_of(cause):
        return _state_of(cause).startswith(_AWAY_STATES)
    if _number_of(cause):
        return _number_of(cause) in _AWAY_NUMBERS
    return isinstance(error, InterfaceError) or "Interface" in type(cause).__name__


def is_worth_another_try(error: BaseException) -> bool:
    """Return whether the database gave up a transaction that can succeed when it runs alone."""
    cause = _cause_of(error)
    return _state_of(cause) in _AGAIN_STATES or _number_of(cause) in _AGAIN_NUMBERS


def _is_setup(cause: BaseException) -> bool:
    return _state_of(cause).startswith(_SETUP_STATES) or _number_of(cause) in _SETUP_NUMBERS


def _cause_of(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def _state_of(cause: BaseException) -> str:
    return str(getattr(cause, "sqlstate", None) or "")


def _number_of(cause: BaseException) -> int:
    first = cause.args[0] if cause.args else 0
    return first if isinstance(first, int) else 0


def _driver_errors() -> tuple[type[Exception], ...]:
    """Return the drivers' own errors: bulk inserts call the drivers without SQLAlchemy."""
    import asyncmy.errors  # noqa: PLC0415 - slow, and needed only after a failure
    import asyncpg  # noqa: PLC0415 - the same

    kinds = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncmy.errors.Error, sqlite3.Error)
    return cast("tuple[type[Exception], ...]", kinds)
