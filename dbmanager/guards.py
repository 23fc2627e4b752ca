"""Makes the interceptor that checks the callers, from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbmanager.service.connection import Connection
from dbmanager.service.metrics import Metrics
from serving.access.refusals import Mode
from serving.access.settings import AccessSettings

if TYPE_CHECKING:
    from serving.access.interceptor import AccessInterceptor


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
    # They load cryptography, for 50 ms.
    from dbmanager.access.people import CachedPeople  # noqa: PLC0415
    from dbmanager.access.reviews import ReviewedPeople, posting_to  # noqa: PLC0415
    from dbmanager.access.trial_access import TrialAccess  # noqa: PLC0415
    from serving.access.interceptor import AccessInterceptor  # noqa: PLC0415
    from serving.access.setup import authentication_of  # noqa: PLC0415

    people = None
    if users:
        post = posting_to(users, ca=settings.keys_ca, token=settings.keys_token)
        people = CachedPeople(ReviewedPeople(post))
    authentication = authentication_of(settings, people=people is not None)
    return AccessInterceptor(authentication, TrialAccess(connection, people), metrics)
