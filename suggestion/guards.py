"""Makes the interceptor that checks the callers, from the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from serving.access.refusals import Mode
from serving.grpc_client import credentials_of
from suggestion.service.metrics import Metrics
from suggestion.service.token_reports import DbManagerTokenReports
from suggestion.settings import Settings

if TYPE_CHECKING:
    from serving.access.interceptor import AccessInterceptor


@asynccontextmanager
async def guard_of(settings: Settings, metrics: Metrics) -> AsyncIterator[AccessInterceptor | None]:
    """Give the interceptor while the service runs; none if no tokens are read.

    Raises:
        SetupError: the source of the keys cannot be used.
    """
    if settings.access.mode is Mode.OFF or settings.db_manager is None:
        yield None
        return
    # They load cryptography, for 50 ms.
    from serving.access.interceptor import AccessInterceptor  # noqa: PLC0415
    from serving.access.setup import authentication_of  # noqa: PLC0415
    from suggestion.service.search_access import SearchAccess  # noqa: PLC0415

    authentication = authentication_of(settings.access)
    tls = credentials_of(replace(settings.db_manager_security, token=None))
    reports = DbManagerTokenReports(settings.db_manager, tls)
    try:
        yield AccessInterceptor(authentication, SearchAccess(reports), metrics)
    finally:
        await reports.close()
