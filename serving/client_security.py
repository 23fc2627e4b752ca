"""How a client of a gRPC server is protected: its settings, without gRPC itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.errors import SetupError

DB_MANAGER_FLAGS: Final = "--db-manager"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecurity:
    """The files for TLS and for the token.

    Raises:
        SetupError: a token without TLS: others could read it on its way.
    """

    flags: str = DB_MANAGER_FLAGS
    """How the flags of the two files begin."""
    ca: Path | None = None
    """The authorities (PEM) of the server's certificate; None: no TLS."""
    token: Path | None = None
    """The file of the token, read for each call; None: no token."""

    def __post_init__(self) -> None:
        if self.token is not None and self.ca is None:
            raise SetupError(
                f"{self.flags}-token needs {self.flags}-ca: a token is sent over TLS only"
            )
