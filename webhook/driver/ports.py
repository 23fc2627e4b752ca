"""What a server of reviews needs from elsewhere."""

from __future__ import annotations

import ssl
from types import TracebackType
from typing import Protocol, Self

from webhook.model.images import ImageCommand
from webhook.model.lookups import ImageLookup, ImageUnknown


class ImageLookups(Protocol):
    """Who knows what images run."""

    async def command_of(self, wanted: ImageLookup, deadline: float) -> ImageCommand | ImageUnknown:
        """Say what an image runs, or why nobody knows, before the event loop's clock is there.

        Never raises.
        """


class ServingCertificate(Protocol):
    """Who keeps the certificate that is served, and renews it, between enter and exit."""

    ssl_context: ssl.SSLContext
    """The server's side of TLS. A renewed certificate is loaded into this same object."""

    @property
    def ready(self) -> bool:
        """Whether there is a certificate, and those who call us trust it."""

    @property
    def expires(self) -> float | None:
        """Until when the certificate is good, in seconds since 1970; None: there is none yet."""

    async def __aenter__(self) -> Self:
        """Start to look after it."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop; what is served stays as it is."""
