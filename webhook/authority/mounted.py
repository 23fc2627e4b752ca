"""--db-manager-ca, --suggestion-ca: authorities in files, as cert-manager keeps them in Secrets."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from serving.logs import get_logger
from webhook.certificates.bundles import split_bundle

_LOOK_SECONDS: Final = 5.0
_log = get_logger(__name__)


class MountedAuthorities:
    """The authorities in files; the last valid ones stay in use."""

    def __init__(
        self, store: Path, search: Path | None = None, *, look_seconds: float = _LOOK_SECONDS
    ) -> None:
        """`store` is for the DB manager; `search` is for the suggestion service, if it has TLS."""
        self._look_seconds = look_seconds
        self._store = _File("--db-manager-ca", store)
        self._search = _File("--suggestion-ca", search) if search is not None else None
        self.look()

    @property
    def trouble(self) -> str:
        """Why there are no authorities yet; empty: there are."""
        return self._store.trouble or (self._search.trouble if self._search else "")

    def bundle_for(self, host: str) -> str:  # noqa: ARG002 - the file is for each DB manager
        """Return the authorities (PEM)."""
        return self._store.bundle

    def issued_to(self, host: str) -> str:  # noqa: ARG002 - the file is for each service
        """Return the authorities (PEM) of the suggestion service; "": it has no TLS."""
        return self._search.bundle if self._search else ""

    async def run(self) -> None:
        """Read the files every few seconds until cancelled."""
        while True:
            await asyncio.sleep(self._look_seconds)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Read the files now."""
        self._store.look()
        if self._search is not None:
            self._search.look()


class _File:
    """The last valid content of one file."""

    def __init__(self, flag: str, path: Path) -> None:
        self._flag, self._path = flag, path
        self.bundle = self.trouble = ""

    def look(self) -> None:
        """Read it."""
        try:
            certificates = split_bundle(self._path.read_text(encoding="ascii")).certificates
            cause = "it has no certificates in PEM"
        except (OSError, ValueError) as error:
            certificates, cause = (), str(error)
        if certificates:
            self.bundle, self.trouble = "".join(certificates), ""
            return
        message = f"{self._flag} {self._path}: {cause}"
        if message != self.trouble:
            _log.error("cannot read the authorities of a server", cause=message)
        self.trouble = "" if self.bundle else message
