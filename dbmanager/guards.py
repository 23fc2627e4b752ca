"""Makes the interceptor that checks the callers, from the settings."""

from __future__ import annotations

from dbmanager.access.people import CachedPeople
from dbmanager.access.reviews import ReviewedPeople, posting_to
from dbmanager.access.trial_access import TrialAccess
from dbmanager.service.connection import Connection
from dbmanager.service.metrics import Metrics
from serving.access.interceptor import AccessInterceptor
from serving.access.refusals import Mode
from serving.access.settings import AccessSettings
from serving.access.setup import authentication_of


def guard_of(
    settings: AccessSettings, users: str, connection: Connection, metrics: Metrics
) -> AccessInterceptor | None:
    """Return the interceptor; none if no tokens are read.

    Args:
        settings: who may call.
        users: the API server that knows users; "": users are refused.
        connection: to the store.
        metrics: count the refused calls.

    Raises:
        SetupError: the source of the keys or the API server for users cannot be used.
    """
    if settings.mode is Mode.OFF:
        return None
    people = None
    if users:
        post = posting_to(users, ca=settings.keys_ca, token=settings.keys_token)
        people = CachedPeople(ReviewedPeople(post))
    authentication = authentication_of(settings, people=people is not None)
    return AccessInterceptor(authentication, TrialAccess(connection, people), metrics)
