"""The Service, Secret and configurations of a webhook's certificate in the tests."""

from __future__ import annotations

import base64

from api.types import Json, JsonObject
from kube.cluster import Ref
from webhook.certificates.issued import Service
from webhook.certificates.self_signed import target_of

SERVICE = Service(name="hook", namespace="ours")
PLACE = target_of(
    SERVICE, secret="hook-cert", configuration="hook", experiments="hook-of-experiments"
)
MUTATING, EXPERIMENTS, VALIDATING = PLACE.configurations
NOW = 1_800_000_000.0


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decoded(document: JsonObject, key: str) -> str:
    """Return the text behind the base64 of a field."""
    return base64.b64decode(str(document[key])).decode()


def webhook_entry(bundle: str | None = None, service: Service = SERVICE) -> JsonObject:
    client: dict[str, Json] = {
        "service": {"name": service.name, "namespace": service.namespace, "path": "/mutate-pod"}
    }
    if bundle is not None:
        client["caBundle"] = encoded(bundle)
    return {
        "name": f"pods.{service.name}.dev",
        "clientConfig": client,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }


def configuration(*entries: JsonObject, ref: Ref = MUTATING) -> JsonObject:
    return {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "metadata": {"name": ref.name},
        "webhooks": list(entries),
    }


def bundle_of(document: JsonObject, entry: int = 0) -> str:
    """Return the text of an entry's bundle; empty if it has none."""
    webhooks = document["webhooks"]
    assert isinstance(webhooks, list)
    one = webhooks[entry]
    assert isinstance(one, dict)
    client = one["clientConfig"]
    assert isinstance(client, dict)
    return decoded(client, "caBundle") if client.get("caBundle") else ""
