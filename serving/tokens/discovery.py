"""Reads the issuer of tokens from the text of `/.well-known/openid-configuration`."""

from __future__ import annotations

import json
from typing import Final

from api.errors import UserError

MOST_BYTES: Final = 64 * 1024
PATH: Final = "/.well-known/openid-configuration"
USUAL_ISSUER: Final = "https://kubernetes.default.svc.cluster.local"
"""The issuer of clusters that were set up without another one."""


def read_issuer(text: bytes) -> str:
    """Return the issuer.

    Raises:
        UserError: the text is not the description of an issuer.
    """
    try:
        document = json.loads(text) if len(text) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        document = None
    issuer = document.get("issuer") if isinstance(document, dict) else None
    if not isinstance(issuer, str) or not issuer:
        raise UserError(f"the answer of {PATH} names no `issuer`; name one by --auth-issuer")
    return issuer
