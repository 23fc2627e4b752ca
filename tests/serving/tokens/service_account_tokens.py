"""An issuer of service account tokens, as the API server is one, and its key set."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ISSUER: Final = "https://kubernetes.default.svc.cluster.local"
NOW: Final = 1_800_000_000.0
"""Seconds since 1970."""
HOUR: Final = 3600

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def claims(
    namespace: str = "team-a",
    audience: str | list[str] = "trialwatch.dev/team-a/trial-1",
    *,
    service_account: str = "default",
    pod_uid: str = "11111111-2222-3333-4444-555555555555",
    issued: float = NOW,
    **others: Any,  # noqa: ANN401 - any claim
) -> dict[str, Any]:
    """Make the claims that Kubernetes writes for a token of a pod."""
    pod = {"pod": {"name": "trial-1-x", "uid": pod_uid}} if pod_uid else {}
    return {
        "aud": [audience] if isinstance(audience, str) else audience,
        "exp": int(issued) + HOUR,
        "iat": int(issued),
        "iss": ISSUER,
        "jti": "0",
        "kubernetes.io": {
            "namespace": namespace,
            **pod,
            "serviceaccount": {"name": service_account, "uid": "a"},
        },
        "nbf": int(issued),
        "sub": f"system:serviceaccount:{namespace}:{service_account}",
        **others,
    }


@dataclass
class Issuer:
    """Signs tokens; several keys may be in the key set."""

    keys: dict[str, PrivateKey] = field(default_factory=dict)

    def token(self, of: dict[str, Any], kid: str = "one", **header: Any) -> str:  # noqa: ANN401 - any header
        """Sign claims with a key of the set."""
        key = self.keys[kid]
        algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        payload = json.dumps(of).encode()  # PyJWT's own encoder checks some claims
        return jwt.PyJWS().encode(payload, key, algorithm, {"kid": kid, **header})

    def key_set(self) -> bytes:
        """Return the text of `/openid/v1/jwks`."""
        return json.dumps({"keys": [jwk(key, kid) for kid, key in self.keys.items()]}).encode()


def jwk(key: PrivateKey, kid: str) -> dict[str, Any]:
    """Return a public key as an entry of a key set."""
    if isinstance(key, rsa.RSAPrivateKey):
        entry = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return {**entry, "kid": kid, "use": "sig", "alg": "RS256"}
    entry = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**entry, "kid": kid, "use": "sig", "alg": "ES256"}


def part(value: object) -> str:
    """Encode one part of a token by hand."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
