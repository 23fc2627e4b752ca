"""--db-manager-ca: the authorities in a file, as cert-manager keeps them in a Secret."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from serving.logs import get_logger
from webhook.certificates.bundles import split_bundle

_LOOK_SECONDS: Final = 5.0
_log = get_logger(__name__)


class MountedAuthorities:
    """The authorities in a file; the last valid ones stay in use."""

    def __init__(self, path: Path, *, look_seconds: float = _LOOK_SECONDS) -> None:
        self._path, self._look_seconds, self._bundle = path, look_seconds, ""
        self.trouble = ""
        """Why there are no authorities yet."""
        self.look()

    def bundle_for(self, host: str) -> str:  # noqa: ARG002 - the file is for each DB manager
        """Return the authorities (PEM)."""
        return self._bundle

    def issued_to(self, host: str) -> str:  # noqa: ARG002 - the file is for no other server
        """Return nothing."""
        return ""

    async def run(self) -> None:
        """Read the file every few seconds until cancelled."""
        while True:
            await asyncio.sleep(self._look_seconds)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Read the file now."""
        try:
            certificates = split_bundle(self._path.read_text(encoding="ascii")).certificates
            cause = "" if certificates else "it has no certificates in PEM"
        except (OSError, ValueError) as error:
            certificates, cause = (), str(error)
        if not certificates:
            self._report(f"--db-manager-ca {self._path}: {cause}")
            return
        self._bundle, self.trouble = "".join(certificates), ""

    def _report(self, cause: str) -> None:
        if cause != self.trouble:
            _log.error("cannot read the authorities of the DB manager", cause=cause)
        self.trouble = "" if self._bundle else cause
