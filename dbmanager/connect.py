"""Makes the store that a database URL names."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from api.errors import SetupError
from dbmanager.store.contract import Store

_KINDS = "sqlite:///FILE, postgresql://USER@HOST/DATABASE or mysql://USER@HOST/DATABASE"


def store_for(url: str, *, initialize: bool = True) -> Store:
    """Return the store of a URL; it is not open yet.

    Args:
        url: of one of the kinds above; an absolute path of an SQLite file comes after four slashes.
        initialize: whether `open` creates missing tables.

    Raises:
        SetupError: the URL is not of a known kind.
    """
    try:
        scheme = urlsplit(url).scheme
    except ValueError as error:
        raise SetupError(f"--database: cannot read the URL ({error}); write {_KINDS}") from None
    # Each kind is imported only if the URL names it: an image may have only one driver.
    if scheme == "sqlite":
        from dbmanager.store.sqlite.store import SqliteStore  # noqa: PLC0415 - see above

        return SqliteStore(_file_of(url), initialize=initialize)
    name = f"the database {without_password(url)}"
    if scheme in {"postgresql", "postgres"}:
        from dbmanager.store.postgres.store import PostgresStore  # noqa: PLC0415 - see above

        return PostgresStore(url, name, initialize=initialize)
    if scheme in {"mysql", "mariadb"}:
        from dbmanager.store.mysql.store import MysqlStore  # noqa: PLC0415 - see above

        return MysqlStore(url, name, initialize=initialize)
    raise SetupError(
        f"--database: {without_password(url)!r} does not name a database; write {_KINDS}"
    )


def without_password(url: str) -> str:
    """Return a URL with *** in place of its password, for messages."""
    netloc = urlsplit(url).netloc
    login, at, host = netloc.rpartition("@")
    user, colon, _ = login.partition(":")
    return url.replace(netloc, f"{user}{':***' if colon else ''}{at}{host}", 1) if at else url


def _file_of(url: str) -> Path:
    parts = urlsplit(url)
    path = parts.path.removeprefix("/")
    if parts.netloc or parts.query or parts.fragment or path in {"", ":memory:"}:
        raise SetupError(f"--database: {url!r} does not name a file; write {_KINDS}")
    return Path(path)
