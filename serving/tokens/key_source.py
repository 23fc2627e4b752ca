"""Reads the text of the key set from a file, or from the API server over HTTPS."""

from __future__ import annotations

import asyncio
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Final

from api.errors import SetupError, Unavailable, UserError
from serving.tokens.jwks import MOST_BYTES
from serving.tokens.key_ring import ReadText

_SECONDS: Final = 5.0
"""The longest wait for each part of the answer."""
_ACCEPTED: Final = "application/jwk-set+json, application/json"


def key_source(where: str, *, ca: Path | None = None, token: Path | None = None) -> ReadText:
    """Return the function that reads the key set.

    Args:
        where: a path, or an `https://` URL.
        ca: the authorities that may sign the URL's certificate; None: those of the system.
        token: the file of the token for the URL, read for each request; None: no token.

    Raises:
        SetupError: the URL has another scheme, or the authorities cannot be read.
    """
    if where.startswith("https://"):
        return _in_thread(_url_reader(where, ca, token))
    if "://" in where:
        raise SetupError(
            f"--auth-keys: {where} is not an https URL; without TLS anyone on the way could"
            " replace the keys"
        )
    return _in_thread(lambda: _read_file(Path(where)))


def _in_thread(read: Callable[[], bytes]) -> ReadText:
    async def in_thread() -> bytes:
        return await asyncio.to_thread(read)

    return in_thread


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Unavailable(f"cannot read {path} ({error.strerror})") from None


def _url_reader(url: str, ca: Path | None, token: Path | None) -> Callable[[], bytes]:
    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise SetupError(
            f"--auth-keys-ca: cannot read certificates from {ca} ({error.strerror})"
        ) from None
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),  # the API server is in the cluster
        urllib.request.HTTPSHandler(context=context),
        _NoRedirects(),
    )

    def read() -> bytes:
        request = urllib.request.Request(url, headers={"Accept": _ACCEPTED})  # noqa: S310 - https only
        if token is not None:
            request.add_unredirected_header("Authorization", f"Bearer {_token_in(token)}")
        try:
            with opener.open(request, timeout=_SECONDS) as answer:
                text: bytes = answer.read(MOST_BYTES + 1)
        except urllib.error.HTTPError as error:
            with error:
                raise Unavailable(f"{url} answered {error.code}") from None
        except (OSError, HTTPException) as error:
            cause = error.reason if isinstance(error, urllib.error.URLError) else error
            raise Unavailable(f"{url} did not answer: {cause}") from None
        return text

    return read


def _token_in(path: Path) -> str:
    text = _read_file(path).decode("ascii", "replace").strip()
    if not text or not text.isprintable():
        raise UserError(f"{path} has no token")
    return text


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: the keys come from the URL that was named."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow nothing."""
