"""Finds the caller of a call by the token in its metadata."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from api import names
from serving.access.callers import Anonymous, Caller, Managers, Person, caller_of
from serving.access.refusals import Mode, Reason, Unauthenticated
from serving.tokens.key_ring import KeyRing
from serving.tokens.verifier import LONGEST_TOKEN, Expired, Refused

_BEARER: Final = "bearer "
Pairs = Iterable[tuple[str, str | bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """How callers prove who they are."""

    keys: KeyRing
    """Check tokens."""
    mode: Mode
    """`PERMISSIVE` or `REQUIRED`."""
    managers: Managers
    people: bool = False
    """Whether a token that is not trialwatch's may be that of a person; else it is refused."""
    now: Callable[[], float] = time.time
    """Seconds since 1970."""

    async def caller(self, pairs: Pairs, *, over_tls: bool) -> Caller:
        """Return the caller of a call with this metadata.

        Raises:
            Unauthenticated: the token proves nothing, came without TLS, or is missing.
            Unavailable: no keys could be read yet.
        """
        token = _token_of(pairs)
        if token is None:
            if self.mode is Mode.REQUIRED:
                raise Unauthenticated(
                    Reason.NO_TOKEN,
                    f"send a token in metadata {names.AUTHORIZATION_KEY}: Bearer TOKEN, over TLS",
                )
            return Anonymous()
        if not over_tls:
            raise Unauthenticated(
                Reason.NO_TLS, "the token came without TLS, where others can read it: use TLS"
            )
        return await self._owner(token)

    async def _owner(self, token: str) -> Caller:
        try:
            identity = await self.keys.identity(token)
            caller = caller_of(identity, self.managers, now=self.now())
            if caller is not None:
                return caller
            cause = "none of the token's audiences is trialwatch's"
        except Expired as error:
            raise Unauthenticated(Reason.BAD_TOKEN, str(error)) from None
        except Refused as error:
            cause = str(error)
        if not self.people or len(token) > LONGEST_TOKEN:
            raise Unauthenticated(Reason.BAD_TOKEN, cause)
        return Person(token=token, cause=cause)


def _token_of(pairs: Pairs) -> str | None:
    """Return the token of the metadata; None if it has none.

    Raises:
        Unauthenticated: the metadata has two, or another way to authenticate.
    """
    values = [value for key, value in pairs if key == names.AUTHORIZATION_KEY]
    if not values:
        return None
    text = values[0]
    if len(values) > 1 or not isinstance(text, str) or not text.lower().startswith(_BEARER):
        raise Unauthenticated(
            Reason.BAD_TOKEN, f"metadata {names.AUTHORIZATION_KEY}: send Bearer and one token"
        )
    return text[len(_BEARER) :].strip()
