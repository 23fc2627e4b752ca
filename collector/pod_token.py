"""The uid of this pod, as its token has it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from api.errors import SetupError
from api.names import POD_SOURCE_PREFIX
from serving.credential_files import read_token


def source_prefix(token: Path | None) -> str:
    """Return how the sources of this pod begin; "" without a token.

    The DB manager takes only these sources with the token. The signature does not matter here.

    Raises:
        SetupError: the file cannot be read, or has no token of a pod.
    """
    if token is None:
        return ""
    try:
        payload = read_token(token).split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        uid = claims["kubernetes.io"]["pod"]["uid"]
    except (ValueError, LookupError, TypeError, RecursionError):
        uid = None
    if not isinstance(uid, str) or not uid.isascii() or not uid.isprintable() or ":" in uid:
        raise SetupError(
            f"--db-manager-token: {token} has no token of a pod; mount a projected token of a"
            " service account"
        )
    return f"{POD_SOURCE_PREFIX}{uid}:"
