"""The token server of a registry: signs which user may read which image.

The tokens are as the distribution project's "token authentication" has them, and Debian's registry
checks them by the certificate in their head.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from api.types import Json, JsonObject
from tests.webhook.registry.docker_registry import PASSWORD, USER, free_port

ISSUER, SERVICE = "the test's tokens", "the test's registry"


class TokenServer:
    """Reading `public/...` needs no login, one user may read all; `asked` lists the requests."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.asked: list[tuple[str, str | None]] = []
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._cert = self._self_signed()
        self._bundle = folder / "tokens.pem"
        self._bundle.write_bytes(self._cert.public_bytes(serialization.Encoding.PEM))

    @property
    def auth(self) -> JsonObject:
        """The registry's settings that make it accept these tokens."""
        return {
            "token": {
                "realm": f"http://127.0.0.1:{self.port}/token",
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": str(self._bundle),
            }
        }

    def token(self, repository: str, actions: Sequence[str]) -> str:
        """Sign that the bearer may do this."""
        now = datetime.now(UTC)
        chain = base64.b64encode(self._cert.public_bytes(serialization.Encoding.DER)).decode()
        access: Json = [{"type": "repository", "name": repository, "actions": list(actions)}]
        head: JsonObject = {"typ": "JWT", "alg": "ES256", "x5c": [chain]}
        claims: JsonObject = {
            "iss": ISSUER,
            "sub": USER,
            "aud": SERVICE,
            "iat": int(now.timestamp()),
            "nbf": int((now - timedelta(minutes=1)).timestamp()),
            "exp": int((now + timedelta(minutes=5)).timestamp()),
            "jti": "1",
            "access": access,
        }
        text = f"{_encoded(json.dumps(head).encode())}.{_encoded(json.dumps(claims).encode())}"
        r, s = decode_dss_signature(self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{_encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_get("/token", self._answer)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self.port).start()
            yield
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        scope, authorization = request.query["scope"], request.headers.get("Authorization")
        self.asked.append((scope, authorization))
        assert request.query["service"] == SERVICE
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if authorization not in (None, f"Basic {login}"):
            return web.json_response({"details": "no such user"}, status=401)
        _, repository, _ = scope.split(":")
        allowed = authorization is not None or repository.startswith("public/")
        return web.json_response({"token": self.token(repository, ["pull"] if allowed else [])})

    def _self_signed(self) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ISSUER)])
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
