"""Addresses of servers: HOST:PORT."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HIGHEST_PORT = 65535
_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^:\s/]*):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A host (name or number, IPv6 without brackets) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address | None:
    """Read `HOST:PORT`; None if the text has another form."""
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) > _HIGHEST_PORT:
        return None
    # Go's ":6789" means each address of this machine.
    return Address(host=match["host"].strip("[]") or "::", port=int(match["port"]))
