"""--cert-dir: a certificate that is mounted from a Secret as `tls.crt` and `tls.key`.

The kubelet renews such a volume by changing a symbolic link, so the two files may be read from two
versions. A pair counts only if two reads agree. If a pair cannot be used, the error is logged and
the pair before it stays in use.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Self

from api.errors import SetupError
from serving.logs import get_logger
from webhook.certificates.certificate_source import CertificateSource
from webhook.certificates.issued import expiry_of

CERT_FILE: Final = "tls.crt"
KEY_FILE: Final = "tls.key"
_LOOK_SECONDS: Final = 1.0
_log = get_logger(__name__)
_Pair = tuple[str, str]


class MountedCertificate(CertificateSource):
    """The certificate in a directory."""

    def __init__(self, folder: Path, *, look_seconds: float = _LOOK_SECONDS) -> None:
        super().__init__(look_seconds)
        self._folder = folder
        self._read: _Pair | None = None
        self.expires: float | None = None
        """When the certificate expires, in seconds since 1970; None: there is none yet."""

    @property
    def ready(self) -> bool:
        """Whether there is a certificate; its issuer must make the API server trust it."""
        return self.expires is not None

    async def __aenter__(self) -> Self:
        """Load the files, and start the background task."""
        self.reload()
        return await super().__aenter__()

    async def _refresh(self) -> None:
        self.reload()

    def reload(self) -> None:
        """Load the files if they have changed. They have a few KiB: reading may block."""
        try:
            pair = self._stable()
            if pair is None or pair == self._read:
                return
            self._read = pair
            expires = expiry_of(pair[0])
            self._newest.load(*pair)
        except SetupError as error:
            self._report_fault(f"--cert-dir {self._folder}: {error}")
            return
        self.expires = expires
        self._report_fault("")
        _log.info(
            "loaded the certificate for new connections",
            folder=str(self._folder),
            expires=expires,
        )

    def _stable(self) -> _Pair | None:
        """Read both files; None while they are being renewed."""
        try:
            first, second = self._both(), self._both()
        except (OSError, ValueError) as error:
            # Load the files again when they are back, even if they are unchanged.
            self._read = None
            raise SetupError(f"cannot read {CERT_FILE} or {KEY_FILE}: {error}") from None
        return first if first == second else None

    def _both(self) -> _Pair:
        return (self._folder / CERT_FILE).read_text(), (self._folder / KEY_FILE).read_text()
