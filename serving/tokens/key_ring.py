"""The keys in use: read at the start, then from time to time, and when a token names a new key."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import Final

from cachetools import LRUCache

from api.errors import TrialwatchError, Unavailable
from serving.logs import get_logger
from serving.tokens.discovery import read_issuer
from serving.tokens.jwks import Keys, read_keys
from serving.tokens.verifier import Identity, UnknownKey, verify

_log = get_logger(__name__)

RENEW_SECONDS: Final = 300.0
"""After this time a token makes the ring read the keys again, so that removed keys end."""
LEAST_SECONDS: Final = 10.0
"""The least time between two reads, so that forged tokens cannot load the source."""
_MOST_CACHED: Final = 10_000
"""Tokens whose signature was checked: as many sidecars, with one token each."""

ReadText = Callable[[], Awaitable[bytes]]
"""Returns the text of the key set; raises `TrialwatchError` if it cannot."""


class KeyRing:
    """Checks tokens with the newest keys; if these cannot be read, with the keys read before.

    The issuer is read once, before the first keys. A signature is checked once for each key set;
    the tokens are known by their digests alone.
    """

    def __init__(
        self,
        read_text: ReadText,
        *,
        issuer: str = "",
        read_issuer_text: ReadText | None = None,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make it; nothing is read yet.

        Args:
            read_text: reads the key set.
            issuer: of the tokens; "": the one that the other source names.
            read_issuer_text: reads what names the issuer; it must be given if `issuer` is "".
            now: seconds since 1970, for the times of tokens.
            clock: seconds that never go back, for the times of reads.
        """
        self._read_text, self._issuer, self._now, self._clock = read_text, issuer, now, clock
        self._read_issuer_text = read_issuer_text
        self._keys: Keys = {}
        self._checked: LRUCache[bytes, Identity] = LRUCache(_MOST_CACHED)
        self._tried: float | None = None
        self._cause = "not read yet"
        self._reading = asyncio.Lock()

    async def identity(self, token: str) -> Identity:
        """Return the identity of a token, which may have expired.

        Raises:
            Refused: the token proves no identity.
            Unavailable: no keys could be read yet.
        """
        # One call at most waits for newer keys: the source may be away.
        waited_for = bool(self._keys) and self._reading.locked()
        if self._is_older_than(RENEW_SECONDS) and not waited_for:
            await self._renew(RENEW_SECONDS)
        try:
            return self._verify(token)
        except UnknownKey:
            if self._is_older_than(LEAST_SECONDS):
                await self._renew(LEAST_SECONDS)
        if not self._keys:
            raise Unavailable(f"cannot check tokens yet: {self._cause}")
        return self._verify(token)

    def _verify(self, token: str) -> Identity:
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        identity = self._checked.get(digest)
        if identity is None:
            identity = verify(token, self._keys, issuer=self._issuer, now=self._now())
            self._checked[digest] = identity
        return identity

    def _is_older_than(self, seconds: float) -> bool:
        return self._tried is None or self._clock() - self._tried >= seconds

    async def _renew(self, seconds: float) -> None:
        """Read the keys, unless another call has done so meanwhile."""
        async with self._reading:
            if not self._is_older_than(seconds):
                return
            try:
                if not self._issuer and self._read_issuer_text is not None:
                    self._issuer = read_issuer(await self._read_issuer_text())
                self._keys = read_keys(await self._read_text())
                self._checked.clear()
            except TrialwatchError as error:
                self._cause = str(error)
                _log.warning("cannot read the keys of tokens", cause=str(error))
            finally:
                self._tried = self._clock()
