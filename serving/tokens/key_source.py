"""Reads the text of the key set from a file, or from the API server over HTTPS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from api.errors import SetupError, Unavailable
from serving.tokens.discovery import PATH
from serving.tokens.https import HttpsClient
from serving.tokens.jwks import MOST_BYTES
from serving.tokens.key_ring import ReadText

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
        client = HttpsClient(ca, token, most_bytes=MOST_BYTES)
        return _in_thread(lambda: client.send(where, _ACCEPTED))
    if "://" in where:
        raise SetupError(
            f"--auth-keys: {where} is not an https URL; without TLS anyone on the way could"
            " replace the keys"
        )
    return _in_thread(lambda: _read_file(Path(where)))


def issuer_source(keys: str, *, ca: Path | None = None, token: Path | None = None) -> ReadText:
    """Return the function that reads who issues the tokens.

    Args:
        keys: the `https://` URL of the keys: the same server is asked.
        ca: as for `key_source`.
        token: as for `key_source`.

    Raises:
        SetupError: the authorities cannot be read.
    """
    client = HttpsClient(ca, token, most_bytes=MOST_BYTES)
    url = f"https://{urlsplit(keys).netloc}{PATH}"
    return _in_thread(lambda: client.send(url, "application/json"))


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
