"""Makes the store that a database URL names."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from api.errors import SetupError
from dbmanager.store.contract import Store

_KINDS = "sqlite:///FILE, postgresql://USER@HOST/DATABASE or mysql://USER@HOST/DATABASE"


_USER = re.compile(r"[\w.%+~-]*")
_OPTION = re.compile(r"[?&]\w+=")
_SSL_MODE = re.compile(r"\?sslmode=(?:disable|allow|prefer|require|verify-ca|verify-full)$")
_NOT_AN_ADDRESS = re.compile(r"[?#]|:(?=[^/]*[^/0-9:\]])")
"""What ends the part of an address that messages show: options, or a port that is not a number."""


def store_for(url: str, *, initialize: bool = True, reserve: bool = False) -> Store:
    """Return the store of a URL; it is not open yet.

    Args:
        url: of one of the kinds above; an absolute path of an SQLite file comes after four slashes.
        initialize: whether `open` creates missing tables.
        reserve: whether a file keeps room on its disk for deletes; database servers have their own.

    Raises:
        SetupError: the URL is not of a known kind.
    """
    try:
        scheme = urlsplit(url).scheme
    except ValueError:  # its text may have the password
        raise SetupError(f"--database: cannot read the URL; write {_KINDS}") from None
    # Each kind is imported only if the URL names it: an image may have only one driver.
    if scheme == "sqlite":
        from dbmanager.store.sqlite.store import SqliteStore  # noqa: PLC0415 - see above

        return SqliteStore(_file_of(url), initialize=initialize, reserve=reserve)
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
    """Return a URL for messages, without password and options; it need not be a valid URL."""
    scheme, separator, rest = url.rpartition("://")
    login, at, address = rest.rpartition("@")  # a wrong password may have `@`, `/`, `?` or `#`
    user, colon, _ = login.partition(":")
    if _OPTION.search(login) or not (at or separator):
        address = "***"  # it may be a part of the password
    ssl_mode = _SSL_MODE.search(address)
    shown = _NOT_AN_ADDRESS.split(address, maxsplit=1)[0] + (ssl_mode[0] if ssl_mode else "")
    if at:
        shown = f"{user if _USER.fullmatch(user) else '***'}{':***' if colon else ''}@{shown}"
    return f"{scheme if _USER.fullmatch(scheme) else '***'}{separator}{shown}"


def _file_of(url: str) -> Path:
    parts = urlsplit(url)
    path = parts.path.removeprefix("/")
    if parts.netloc or parts.query or parts.fragment or path in {"", ":memory:"}:
        raise SetupError(
            f"--database: {without_password(url)!r} does not name a file; write {_KINDS}"
        )
    return Path(path)
