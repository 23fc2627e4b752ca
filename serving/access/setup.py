"""From the settings of access to what finds the callers."""

from __future__ import annotations

from serving.access.authentication import Authentication
from serving.access.callers import Managers
from serving.access.settings import AccessSettings
from serving.tokens.discovery import USUAL_ISSUER
from serving.tokens.key_ring import KeyRing
from serving.tokens.key_source import issuer_source, key_source


def authentication_of(settings: AccessSettings, *, people: bool = False) -> Authentication:
    """Return how callers prove who they are.

    Args:
        settings: their mode is not `OFF`.
        people: whether other tokens may be those of persons.

    Raises:
        SetupError: the source of the keys cannot be used.
    """
    return Authentication(
        keys=_key_ring(settings),
        mode=settings.mode,
        managers=Managers(audience=settings.audience, accounts=frozenset(settings.managers)),
        people=people,
    )


def _key_ring(settings: AccessSettings) -> KeyRing:
    keys, ca, token = settings.keys, settings.keys_ca, settings.keys_token
    source = key_source(keys, ca=ca, token=token)
    if settings.issuer or not keys.startswith("https://"):
        return KeyRing(source, issuer=settings.issuer or USUAL_ISSUER)
    return KeyRing(source, read_issuer_text=issuer_source(keys, ca=ca, token=token))
