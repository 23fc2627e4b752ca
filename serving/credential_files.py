"""The files of a gRPC client, its authorities and its token; read without gRPC itself."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from api.errors import SetupError
from serving.client_security import DB_MANAGER_FLAGS, ClientSecurity

_LONGEST_TOKEN: Final = 64 * 1024


def read_authorities(security: ClientSecurity) -> bytes | None:
    """Return the authorities of a server's certificate, in PEM; None: a channel without TLS.

    Raises:
        SetupError: the file cannot be read, or has no certificates.
    """
    if security.ca is None:
        return None
    import ssl  # noqa: PLC0415 - takes 5 ms, and not every client has TLS

    try:
        authorities = security.ca.read_bytes()
        # gRPC does not report wrong authorities.
        ssl.create_default_context(cadata=authorities.decode("ascii"))
    except (OSError, ValueError) as error:
        raise SetupError(
            f"{security.flags}-ca: cannot read certificates in PEM from {security.ca} ({error})"
        ) from None
    return authorities


def read_token(path: Path, flags: str = DB_MANAGER_FLAGS) -> str:
    """Return the token in a file.

    Args:
        path: the file.
        flags: how its flag begins.

    Raises:
        SetupError: the file cannot be read, or has no token.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST_TOKEN).decode("ascii").strip()
    except (OSError, ValueError) as error:
        raise SetupError(f"{flags}-token: cannot read {path} ({error})") from None
    if not text or not text.isprintable():
        raise SetupError(f"{flags}-token: {path} has no token")
    return text
