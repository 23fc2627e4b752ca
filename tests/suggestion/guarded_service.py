"""A suggestion service that checks its callers, over TLS on loopback, and clients with tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio

from api.v1beta1 import api_pb2_grpc
from serving.access.authentication import Authentication
from serving.access.callers import Managers
from serving.access.interceptor import AccessInterceptor
from serving.access.refusals import Mode
from serving.tokens.key_ring import KeyRing
from suggestion.server import Server
from suggestion.service.metrics import Metrics
from suggestion.service.search_access import SearchAccess, TokenReports
from tests.dbmanager.access.guarded_server import API_SERVER, AUTHORITY
from tests.dbmanager.dbmanager_server import LOOPBACK
from tests.serving.tokens.service_account_tokens import ISSUER, NOW
from tests.suggestion.suggestion_server import Rim, SearchesHere


@dataclass
class Caller:
    """The stubs of one channel."""

    address: str
    channel: Any

    @property
    def suggestion(self) -> Any:  # noqa: ANN401 - the generated stubs have no types
        return api_pb2_grpc.SuggestionStub(self.channel)

    @property
    def stopping(self) -> Any:  # noqa: ANN401 - the same
        return api_pb2_grpc.EarlyStoppingStub(self.channel)


@dataclass
class NoReports:
    """`TokenReports`: the trials that have reported with a token, as NAMESPACE/TRIAL."""

    trials: set[str] = field(default_factory=set)

    async def has_reported(self, namespace: str, trial: str) -> bool:
        return f"{namespace}/{trial}" in self.trials


@dataclass
class GuardedService:
    """The service's parts, and its two addresses."""

    tls: Caller
    plain: Caller
    rim: Rim
    metrics: Metrics
    clock: list[float]

    def refused(self, reason: str) -> float:
        """Return how many calls were refused for a reason."""
        return self._value("calls_refused_total", reason=reason)

    def without_token(self, method: str) -> float:
        """Return how many calls of a method had no token and went on."""
        return self._value("calls_without_token_total", method=method)

    def _value(self, name: str, **labels: str) -> float:
        name = f"trialwatch_suggestion_{name}"
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def guarded_service(
    mode: Mode = Mode.REQUIRED, reports: TokenReports | None = None
) -> AsyncIterator[GuardedService]:
    """Serve with TLS and without; the controller of kubeflow is the only manager."""
    rim, metrics, clock = Rim(), Metrics(), [NOW]

    async def keys() -> bytes:
        return API_SERVER.key_set()

    authentication = Authentication(
        keys=KeyRing(keys, issuer=ISSUER, now=lambda: clock[0]),
        mode=mode,
        managers=Managers(accounts=frozenset({"kubeflow/trialwatch-controller"})),
        now=lambda: clock[0],
    )
    guard = AccessInterceptor(authentication, SearchAccess(reports or NoReports()), metrics)
    server = Server(SearchesHere(), rim, rim.mark, guard)
    pair = AUTHORITY.signed(LOOPBACK.host)
    tls = str(server.listen(LOOPBACK, grpc.ssl_server_credentials([(pair.key, pair.cert)])))
    plain = str(server.listen(LOOPBACK))
    await server.start()
    credentials = grpc.ssl_channel_credentials(AUTHORITY.cert)
    try:
        async with (
            grpc.aio.secure_channel(tls, credentials) as over_tls,
            grpc.aio.insecure_channel(plain) as in_clear,
        ):
            yield GuardedService(
                Caller(tls, over_tls), Caller(plain, in_clear), rim, metrics, clock
            )
    finally:
        await server.stop(1.0)
