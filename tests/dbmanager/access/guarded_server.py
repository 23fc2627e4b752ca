"""A DB manager that checks its callers, over TLS on loopback, and clients with tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc

from dbmanager.access.people import People
from dbmanager.access.policy import pod_source
from dbmanager.access.trial_access import TrialAccess
from dbmanager.server import LIMITS, Server
from dbmanager.service.connection import Connection
from dbmanager.service.metrics import Metrics
from dbmanager.store.memory import MemoryStore
from serving.access.authentication import Authentication
from serving.access.callers import Managers
from serving.access.interceptor import AccessInterceptor
from serving.access.refusals import Mode
from serving.error_interceptor import Guards
from serving.tokens.key_ring import KeyRing
from tests.certificate_authority import Authority
from tests.dbmanager.dbmanager_server import LOOPBACK, Client, Metadata, client_of
from tests.serving.tokens.service_account_tokens import ISSUER, NOW, Issuer, claims, ec_key

AUTHORITY = Authority()
API_SERVER = Issuer({"one": ec_key()})
UID = "11111111-2222-3333-4444-555555555555"


@dataclass
class Guarded:
    """The server's parts, and its two addresses."""

    tls: Client
    plain: Client
    store: MemoryStore
    metrics: Metrics
    clock: list[float] = field(default_factory=lambda: [NOW])

    def refused(self, reason: str) -> float:
        """Return how many calls were refused for a reason."""
        name = "trialwatch_dbmanager_calls_refused_total"
        return self.metrics.registry.get_sample_value(name, {"reason": reason}) or 0.0


@asynccontextmanager
async def guarded(
    mode: Mode = Mode.REQUIRED, people: People | None = None, store: MemoryStore | None = None
) -> AsyncIterator[Guarded]:
    """Serve an empty store, with TLS and without."""
    store, metrics, clock = store or MemoryStore(), Metrics(), [NOW]

    async def keys() -> bytes:
        return API_SERVER.key_set()

    connection = Connection(store)
    await connection.open()
    authentication = Authentication(
        keys=KeyRing(keys, issuer=ISSUER, now=lambda: clock[0]),
        mode=mode,
        managers=Managers(accounts=frozenset({"kubeflow/trialwatch-controller"})),
        people=people is not None,
        now=lambda: clock[0],
    )
    access = AccessInterceptor(authentication, TrialAccess(connection, people), metrics)
    server = Server(connection, metrics, guards=Guards(access=access, limits=LIMITS))
    pair = AUTHORITY.signed(LOOPBACK.host)
    tls = server.listen(LOOPBACK, grpc.ssl_server_credentials([(pair.key, pair.cert)]))
    plain = server.listen(LOOPBACK)
    await server.start()
    credentials = grpc.ssl_channel_credentials(AUTHORITY.cert)
    try:
        async with client_of(tls, credentials) as over_tls, client_of(plain) as in_clear:
            yield Guarded(over_tls, in_clear, store, metrics, clock)
    finally:
        await server.stop(1.0)
        await store.close()


def bearer(token: str) -> tuple[str, str]:
    return ("authorization", f"Bearer {token}")


def sidecar(namespace: str = "team-a", trial: str = "trial-1", uid: str = UID) -> tuple[str, str]:
    """Return the token of a trial's sidecar, as metadata."""
    audience = f"trialwatch.dev/{namespace}/{trial}"
    return bearer(API_SERVER.token(claims(namespace, audience, pod_uid=uid)))


def manager(account: str = "trialwatch-controller", namespace: str = "kubeflow") -> tuple[str, str]:
    """Return the token of the controller, as metadata."""
    made = claims(namespace, "trialwatch.dev/manager", service_account=account)
    return bearer(API_SERVER.token(made))


def numbered(sequence: int = 1, uid: str = UID, rest: str = "a") -> Metadata:
    """Return the source and the number of a report."""
    return (
        ("trialwatch-source", pod_source(uid, rest)),
        ("trialwatch-seq", str(sequence)),
    )


def of(namespace: str) -> tuple[str, str]:
    """Return the namespace, as metadata."""
    return ("trialwatch-namespace", namespace)
