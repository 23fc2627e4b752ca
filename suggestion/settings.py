"""How one suggestion service is set up: built once, from its command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from api import names
from serving import flag_values as read
from serving.addresses import Address
from suggestion import flags


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
    given = read.given_in(argv, flags.FLAGS)
    plain = Settings()
    grace = read.duration(flags.GRACE, given)
    return Settings(
        listen=read.address(flags.LISTEN, given) or plain.listen,
        kubeconfig=read.path(flags.KUBECONFIG, given),
        namespace=given.get(flags.NAMESPACE.name) or None,
        grace=plain.grace if grace is None else grace,
        port_file=read.path(flags.PORT_FILE, given),
    )
