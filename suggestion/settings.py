"""How one suggestion service is set up: built once, from its command line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from api import names
from api.durations import parse_duration
from api.errors import UserError
from api.goflags import Flag, read_flags
from api.objects.faults import quoted
from suggestion import flags

_HIGHEST_PORT = 65535
_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^:\s/]*):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A host (name or number, IPv6 without brackets) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that may differ between two suggestion services."""

    listen: Address = Address(host="0.0.0.0", port=names.SUGGESTION_PORT)  # noqa: S104 - a server for other machines
    kubeconfig: Path | None = None
    namespace: str | None = None
    grace: timedelta = timedelta(seconds=20)
    port_file: Path | None = None


def read_settings(argv: Sequence[str]) -> Settings:
    """Build the settings; a flag that is given twice counts by its last value.

    Raises:
        UserError: a flag is unknown, or its value means nothing.
    """
    given = {flag.name: value for flag, value in read_flags(argv, flags.FLAGS)}
    plain = Settings()
    grace = _duration(flags.GRACE, given)
    return Settings(
        listen=_address(flags.LISTEN, given) or plain.listen,
        kubeconfig=_path(flags.KUBECONFIG, given),
        namespace=given.get(flags.NAMESPACE.name) or None,
        grace=plain.grace if grace is None else grace,
        port_file=_path(flags.PORT_FILE, given),
    )


def parse_address(text: str) -> Address | None:
    """Read `HOST:PORT`; None where it is not of this form."""
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) > _HIGHEST_PORT:
        return None
    # Go's ":6789" is every address of this machine.
    return Address(host=match["host"].strip("[]") or "::", port=int(match["port"]))


def _address(flag: Flag, given: Mapping[str, str]) -> Address | None:
    text = given.get(flag.name)
    if text is None:
        return None
    address = parse_address(text)
    if address is None:
        raise UserError(
            f"{flag.name}: {quoted(text)} is no address; write HOST:PORT as in 127.0.0.1:6789"
        )
    return address


def _duration(flag: Flag, given: Mapping[str, str]) -> timedelta | None:
    text = given.get(flag.name)
    if text is None:
        return None
    try:
        duration = parse_duration(text)
    except UserError as error:
        raise UserError(f"{flag.name}: {error}") from None
    if duration < timedelta(0):
        raise UserError(f"{flag.name}: {quoted(text)} is less than nothing; write 0s or more")
    return duration


def _path(flag: Flag, given: Mapping[str, str]) -> Path | None:
    text = given.get(flag.name)
    return Path(text) if text else None
