"""Makes the interceptor that checks the callers, from the settings."""

from __future__ import annotations

from dbmanager.access.authentication import Authentication
from dbmanager.access.callers import Managers
from dbmanager.access.interceptor import AccessInterceptor
from dbmanager.access.people import CachedPeople
from dbmanager.access.policy import Mode
from dbmanager.access.reviews import ReviewedPeople, posting_to
from dbmanager.access_settings import AccessSettings
from dbmanager.service.connection import Connection
from dbmanager.service.metrics import Metrics
from serving.tokens.discovery import USUAL_ISSUER
from serving.tokens.key_ring import KeyRing
from serving.tokens.key_source import issuer_source, key_source


def guards_of(
    settings: AccessSettings, connection: Connection, metrics: Metrics
) -> tuple[AccessInterceptor, ...]:
    """Return the interceptor; none if no tokens are read.

    Raises:
        SetupError: the source of the keys or the API server for users cannot be used.
    """
    if settings.mode is Mode.OFF:
        return ()
    people = None
    if settings.users:
        post = posting_to(settings.users, ca=settings.keys_ca, token=settings.keys_token)
        people = CachedPeople(ReviewedPeople(post))
    authentication = Authentication(
        people=people,
        keys=_key_ring(settings),
        mode=settings.mode,
        managers=Managers(audience=settings.audience, accounts=frozenset(settings.managers)),
    )
    return (AccessInterceptor(connection, metrics, authentication),)


def _key_ring(settings: AccessSettings) -> KeyRing:
    keys, ca, token = settings.keys, settings.keys_ca, settings.keys_token
    source = key_source(keys, ca=ca, token=token)
    if settings.issuer or not keys.startswith("https://"):
        return KeyRing(source, issuer=settings.issuer or USUAL_ISSUER)
    return KeyRing(source, read_issuer_text=issuer_source(keys, ca=ca, token=token))
