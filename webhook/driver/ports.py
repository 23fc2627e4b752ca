"""What the webhook needs from its registries and its certificate, as protocols."""

from __future__ import annotations

import ssl
from types import TracebackType
from typing import Protocol, Self

from webhook.model.lookups import ImageAnswer, ImageLookup


class ImageLookups(Protocol):
    """Looks up the commands of images."""

    async def command_of(self, lookup: ImageLookup, deadline: float) -> ImageAnswer:
        """Return the command of an image, or why it is unknown. Never raises.

        The answer comes before the event loop's clock reaches the deadline.
        """


class ServingCertificate(Protocol):
    """The certificate that the webhook serves, kept up to date between enter and exit."""

    ssl_context: ssl.SSLContext
    """The server's side of TLS. A renewed certificate is loaded into this same object."""

    @property
    def ready(self) -> bool:
        """Whether there is a certificate, and the API server trusts it."""

    @property
    def expires(self) -> float | None:
        """When the certificate expires, in seconds since 1970; None: there is none yet."""

    async def __aenter__(self) -> Self:
        """Start to keep the certificate up to date."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop; open connections keep their certificate."""
