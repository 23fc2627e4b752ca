"""The sidecar's token, and the authorities of the certificates of the servers that it is sent to.

The kubelet makes the token for the sidecar's pod, and renews it. It is good for the reports and the
early stop of one trial, and for nothing else: the API server does not accept its audience. A pod
without the token of its service account (`automountServiceAccountToken: false`) gets it too.
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
_DB_MANAGER_CA: Final = "ca.crt"
_SUGGESTION_CA: Final = "suggestion-ca.crt"
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
    """Return the parts; none if the sidecar calls no server over TLS.

    Raises:
        PodRefused: the pod uses the volume's name for something else.
    """
    authorities = _authorities(request)
    if not authorities:
        return TokenParts()
    volume = _volume(f"{request.context.namespace}/{request.collection.trial}", authorities)
    if _sources(request.pod.volumes.get(names.TOKEN_VOLUME, volume)) != _sources(volume):
        why = f"its volume {names.TOKEN_VOLUME} is not that of the webhook; rename the volume"
        raise PodRefused(Reason.NAME_TAKEN, why)
    annotations = {each.annotation: each.pem for each in authorities.values()}
    return TokenParts(volumes=(volume,), mounts=(_MOUNT,), annotations=annotations)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFiles:
    """The files for TLS and for the token in the sidecar; "": none."""

    db_manager_ca: str
    db_manager_token: str
    early_stopping_ca: str
    early_stopping_token: str


def token_files(request: InjectionRequest) -> TokenFiles:
    """Return where the sidecar has its token and the authorities."""
    authorities = _authorities(request)

    def files(name: str) -> tuple[str, str]:
        return (f"{names.TOKEN_DIR}/{name}", TOKEN_FILE) if name in authorities else ("", "")

    store, stops = files(_DB_MANAGER_CA), files(_SUGGESTION_CA)
    return TokenFiles(
        db_manager_ca=store[0],
        db_manager_token=store[1],
        early_stopping_ca=stops[0],
        early_stopping_token=stops[1],
    )


@dataclass(frozen=True, slots=True)
class _Authorities:
    """Those of one server's certificate."""

    annotation: str
    """Of the pod; it carries them."""
    pem: str


def _authorities(request: InjectionRequest) -> Mapping[str, _Authorities]:
    """Return the authorities by the name of their file."""
    config, files = request.config, {}
    if config.db_manager_ca:
        files[_DB_MANAGER_CA] = _Authorities(names.CA_ANNOTATION, config.db_manager_ca)
    # Other services get no token: it would let them report for the trial.
    if config.suggestion_ca and request.collection.stops_at_ours:
        annotation = names.SUGGESTION_CA_ANNOTATION
        files[_SUGGESTION_CA] = _Authorities(annotation, config.suggestion_ca)
    return files


def _sources(volume: JsonObject) -> Json:
    """Return the sources of a projected volume; the API server adds nothing to them."""
    return mapping_at(volume, "projected").get("sources")


def _volume(trial: str, authorities: Mapping[str, _Authorities]) -> JsonObject:
    token: JsonObject = {
        "audience": f"{names.TRIAL_AUDIENCE}{trial}",
        "expirationSeconds": _SECONDS,
        "path": "token",
    }
    # The authorities are not secret, and the namespace needs no ConfigMap for them.
    items: list[Json] = [
        {
            "path": file,
            "fieldRef": {
                "apiVersion": "v1",
                "fieldPath": f"metadata.annotations['{each.annotation}']",
            },
        }
        for file, each in authorities.items()
    ]
    sources: list[Json] = [{"serviceAccountToken": token}, {"downwardAPI": {"items": items}}]
    return {"name": names.TOKEN_VOLUME, "projected": {"sources": sources}}
