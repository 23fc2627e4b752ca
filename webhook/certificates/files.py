"""--cert-dir: a certificate that others make, mounted from a Secret as `tls.crt` and `tls.key`.

The kubelet renews such a volume by turning a symbolic link, so two reads may see two pairs; a pair
is believed when it was read twice alike. A pair that cannot be served is reported, and the one
before it serves on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from api.errors import SetupError
from webhook.certificates.issued import Service, expiry_of, mint
from webhook.certificates.newest import Newest

CERT_FILE: Final = "tls.crt"
KEY_FILE: Final = "tls.key"
_LOOK_SECONDS: Final = 1.0
_PLACEHOLDER = Service(name="nobody", namespace="nowhere")
_PLACEHOLDER_SECONDS: Final = 86_400.0
_log = logging.getLogger(__name__)
_Pair = tuple[str, str]


class Mounted:
    """The certificate in a folder."""

    def __init__(self, folder: Path, *, look_seconds: float = _LOOK_SECONDS) -> None:
        self._folder, self._look_seconds = folder, look_seconds
        self._newest = Newest()
        self._read: _Pair | None = None
        self._told = ""
        self._task: asyncio.Task[None] | None = None
        self.expires: float | None = None
        """Until when the certificate is good, in seconds since 1970; None: there is none yet."""
        # For the kubelet's probes, which believe any: until there is a true one, `ready` is false.
        placeholder = mint(_PLACEHOLDER, time.time(), _PLACEHOLDER_SECONDS)
        self._newest.load(placeholder.cert, placeholder.key)
        self.ssl_context = self._newest.context
        """What to serve with; it may be taken at once, and stays the same."""

    @property
    def ready(self) -> bool:
        """Whether there is a certificate; who trusts it is its maker's business."""
        return self.expires is not None

    async def __aenter__(self) -> Self:
        """Start to look after it."""
        self.look()
        self._task = asyncio.create_task(self._run(), name="certificate")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def look(self) -> None:
        """Load what is there, where it has changed. A few KiB: it is read where we stand."""
        try:
            pair = self._stable()
            if pair is None or pair == self._read:
                return
            self._read = pair
            expires = expiry_of(pair[0])
            self._newest.load(*pair)
        except SetupError as error:
            self._complain(str(error))
            return
        self.expires, self._told = expires, ""
        fields = {"folder": str(self._folder), "expires": expires}
        _log.info("new connections get the certificate that is there now", extra={"fields": fields})

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._look_seconds)
            self.look()

    def _stable(self) -> _Pair | None:
        """Read both files; None where they are just being renewed."""
        try:
            first, second = self._both(), self._both()
        except (OSError, ValueError) as error:
            # Where it goes on, it is to be loaded again, even if it comes back as it was.
            self._read = None
            raise SetupError(f"{CERT_FILE} or {KEY_FILE} cannot be read: {error}") from None
        return first if first == second else None

    def _both(self) -> _Pair:
        return (self._folder / CERT_FILE).read_text(), (self._folder / KEY_FILE).read_text()

    def _complain(self, cause: str) -> None:
        """Say what is wrong, once for as long as it lasts."""
        if cause != self._told:
            self._told = cause
            fields = {"folder": str(self._folder), "cause": cause, "ready": self.ready}
            _log.error("--cert-dir has no certificate that can be served", extra={"fields": fields})
