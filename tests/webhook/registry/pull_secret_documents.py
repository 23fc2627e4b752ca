"""Pull secrets as the API server gives them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from api.types import Json, JsonObject

JSON_TYPE, CFG_TYPE = "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"


def auth(username: str, password: str) -> str:
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def docker_config(logins: Mapping[str, tuple[str, str]]) -> JsonObject:
    """Return a Secret as `kubectl create secret docker-registry` makes it."""
    auths: Json = {place: {"auth": auth(*login)} for place, login in logins.items()}
    return pull_secret(json.dumps({"auths": auths}))


def pull_secret(text: str, kind: str = JSON_TYPE) -> JsonObject:
    key = ".dockerconfigjson" if kind == JSON_TYPE else ".dockercfg"
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": kind,
        "data": {key: base64.b64encode(text.encode()).decode()},
    }
