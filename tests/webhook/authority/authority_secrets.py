"""A cluster with the empty Secrets of the manifests, and what they say later."""

from __future__ import annotations

import base64
import time

from cryptography import x509

from api.documents import mapping_at
from api.types import JsonObject
from kube.cluster import Ref
from kube.testing.memory import MemoryCluster
from tests.webhook.certificates.handshakes import handshake, server_context
from webhook.authority.keeper import AuthorityTarget, ServiceAuthority, secret_of
from webhook.certificates.issued import Service

SERVICE = Service(name="store", namespace="ours")
TARGET = AuthorityTarget(namespace="ours", services=(SERVICE,), secret="ca")
NOW = float(int(time.time()))  # handshakes use the machine's clock
DAY = 86_400.0
YEAR = 365 * DAY


class Installation:
    """The cluster, and a clock that a test moves."""

    def __init__(self) -> None:
        self.cluster = MemoryCluster(namespaces=("ours",))
        self.now = NOW

    async def install(self) -> None:
        """Create the Secrets, empty."""
        for name in (TARGET.secret, secret_of(SERVICE)):
            await self.cluster.create(
                {
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": {"name": name, "namespace": "ours", "labels": {"mine": "yes"}},
                    "type": "Opaque",
                }
            )

    def replica(self) -> ServiceAuthority:
        """Start a replica that has read nothing yet."""
        return ServiceAuthority(self.cluster, TARGET, clock=lambda: self.now)

    async def secret(self, name: str) -> JsonObject:
        return await self.cluster.get(_ref(name))

    async def texts(self, name: str) -> dict[str, str]:
        """Return the data of a Secret."""
        data = mapping_at(await self.secret(name), "data")
        return {key: base64.b64decode(str(value)).decode() for key, value in data.items()}

    async def overwrite(self, name: str, **texts: str) -> None:
        """Replace the data of a Secret; `_` in a name stands for `.`."""
        data = {
            key.replace("_", "."): base64.b64encode(text.encode()).decode()
            for key, text in texts.items()
        }
        await self.cluster.replace({**await self.secret(name), "data": {**data}})

    async def is_trusted_by(self, bundle: str, host: str = "store.ours") -> bool:
        """Return whether a client with these authorities can call the Service, at this moment."""
        served = await self.texts(secret_of(SERVICE))
        return bool(handshake(server_context(served["tls.crt"], served["tls.key"]), bundle, host))

    async def check_signed_by(self, bundle: str) -> None:
        """Check that a client with these authorities trusts what is served, by the test's clock."""
        served = await self.texts(secret_of(SERVICE))
        cert = x509.load_pem_x509_certificate(served["tls.crt"].encode())
        authorities = x509.load_pem_x509_certificates(bundle.encode())
        (authority,) = (one for one in authorities if one.subject == cert.issuer)
        cert.verify_directly_issued_by(authority)
        for one in (cert, authority):
            begins, ends = one.not_valid_before_utc, one.not_valid_after_utc
            assert begins.timestamp() <= self.now < ends.timestamp()


def _ref(name: str) -> Ref:
    return Ref(api_version="v1", kind="Secret", namespace="ours", name=name)
