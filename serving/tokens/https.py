"""Requests to the API server over HTTPS, with a token from a file; small, so without a client."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Final

from api.errors import SetupError, Unavailable, UserError
from serving.reset_connections import close_when_reset

SECONDS: Final = 5.0
"""The longest wait for each part of an answer."""


class HttpsClient:
    """Sends requests. It follows no redirect: the answer must come from the server itself."""

    def __init__(self, ca: Path | None, token: Path | None, *, most_bytes: int) -> None:
        """Read the authorities.

        Args:
            ca: the authorities of the server's certificate; None: those of the system.
            token: the file of the token, read for each request; None: no token.
            most_bytes: an answer is cut after these and one more byte.

        Raises:
            SetupError: the authorities cannot be read.
        """
        try:
            context = ssl.create_default_context(cafile=ca)
        except OSError as error:
            raise SetupError(
                f"--auth-keys-ca: cannot read certificates from {ca} ({error.strerror})"
            ) from None
        close_when_reset(context)
        self._token, self._most = token, most_bytes
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),  # the API server is in the cluster
            urllib.request.HTTPSHandler(context=context),
            _NoRedirects(),
        )

    def send(self, url: str, accept: str, body: bytes | None = None) -> bytes:
        """Get a URL, or post JSON to it; return the answer.

        Raises:
            Unavailable: no answer, or an answer that is not a success.
            UserError: the file of the token has no token.
        """
        headers = {"Accept": accept}
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(url, body, headers)  # noqa: S310 - https only
        if self._token is not None:
            token = read_token(self._token)
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                text: bytes = answer.read(self._most + 1)
        except urllib.error.HTTPError as error:
            with error:
                raise Unavailable(f"{url} answered {error.code}") from None
        except (OSError, HTTPException) as error:
            cause = error.reason if isinstance(error, urllib.error.URLError) else error
            raise Unavailable(f"{url} did not answer: {cause}") from None
        return text


def read_token(path: Path) -> str:
    """Return the token in a file.

    Raises:
        Unavailable: the file cannot be read.
        UserError: it has no token.
    """
    try:
        text = path.read_bytes().decode("ascii", "replace").strip()
    except OSError as error:
        raise Unavailable(f"cannot read {path} ({error.strerror})") from None
    if not text or not text.isprintable():
        raise UserError(f"{path} has no token")
    return text


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Makes a redirect an answer like any other."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow nothing."""
