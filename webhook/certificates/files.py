"""--cert-dir: a certificate that others make, mounted from a Secret as `tls.crt` and `tls.key`.

The kubelet renews such a volume by turning a symbolic link, so two reads may see two pairs; a pair
is believed when it was read twice alike. A pair that cannot be served is reported, and the one
before it serves on.
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
    """The certificate in a folder."""

    def __init__(self, folder: Path, *, look_seconds: float = _LOOK_SECONDS) -> None:
        super().__init__(look_seconds)
        self._folder = folder
        self._read: _Pair | None = None
        self.expires: float | None = None
        """Until when the certificate is good, in seconds since 1970; None: there is none yet."""

    @property
    def ready(self) -> bool:
        """Whether there is a certificate; who trusts it is its maker's business."""
        return self.expires is not None

    async def __aenter__(self) -> Self:
        """Take what is there, and start to look after it."""
        self.look()
        return await super().__aenter__()

    async def _attend(self) -> None:
        self.look()

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
            self._complain(f"--cert-dir {self._folder}: {error}")
            return
        self.expires = expires
        self._complain("")
        _log.info(
            "loaded the certificate for new connections",
            folder=str(self._folder),
            expires=expires,
        )

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
