"""The sidecar's token for the DB manager, and the authorities of the DB manager's certificate.

The kubelet makes the token for the sidecar's pod, and renews it. It is good for the reports of one
trial, and for nothing else: the API server does not accept its audience. A pod without the token of
its service account (`automountServiceAccountToken: false`) gets it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from api import names
from api.documents import mapping_at
from api.types import Json, JsonObject
from webhook.model.reasons import Reason
from webhook.model.verdicts import PodRefused
from webhook.pods.injection_request import InjectionRequest

TOKEN_FILE: Final = f"{names.TOKEN_DIR}/token"
CA_FILE: Final = f"{names.TOKEN_DIR}/ca.crt"
_SECONDS: Final = 3600
"""How long a token is valid."""
_MOUNT: Final[JsonObject] = {
    "name": names.TOKEN_VOLUME,
    "mountPath": names.TOKEN_DIR,
    "readOnly": True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenParts:
    """What a pod gets for the token."""

    volumes: tuple[JsonObject, ...] = ()
    mounts: tuple[JsonObject, ...] = ()
    """Of the sidecar alone."""
    annotations: Mapping[str, str] = field(default_factory=dict)


def token_parts(request: InjectionRequest) -> TokenParts:
    """Return the parts; none if the installation has no authorities for the DB manager.

    Raises:
        PodRefused: the pod uses the volume's name for something else.
    """
    authorities = request.config.db_manager_ca
    if not authorities:
        return TokenParts()
    volume = _volume(f"{request.context.namespace}/{request.collection.trial}")
    if _sources(request.pod.volumes.get(names.TOKEN_VOLUME, volume)) != _sources(volume):
        why = f"its volume {names.TOKEN_VOLUME} is not that of the webhook; rename the volume"
        raise PodRefused(Reason.NAME_TAKEN, why)
    return TokenParts(
        volumes=(volume,), mounts=(_MOUNT,), annotations={names.CA_ANNOTATION: authorities}
    )


def _sources(volume: JsonObject) -> Json:
    """Return the sources of a projected volume; the API server adds nothing to them."""
    return mapping_at(volume, "projected").get("sources")


def _volume(trial: str) -> JsonObject:
    token: JsonObject = {
        "audience": f"{names.TRIAL_AUDIENCE}{trial}",
        "expirationSeconds": _SECONDS,
        "path": "token",
    }
    # The authorities are not secret, and the namespace needs no ConfigMap for them.
    authorities: JsonObject = {
        "path": "ca.crt",
        "fieldRef": {
            "apiVersion": "v1",
            "fieldPath": f"metadata.annotations['{names.CA_ANNOTATION}']",
        },
    }
    sources: list[Json] = [
        {"serviceAccountToken": token},
        {"downwardAPI": {"items": [authorities]}},
    ]
    return {"name": names.TOKEN_VOLUME, "projected": {"sources": sources}}
