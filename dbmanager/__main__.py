"""`python -m dbmanager`; `--help` says how."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

from api.errors import RemoteError, TrialwatchError
from api.goflags import asks_for_help
from dbmanager.app import run
from dbmanager.connect import store_for
from dbmanager.flags import usage
from dbmanager.settings import read_settings
from serving.logs import start_logging

_SWITCH_SECONDS = 0.0005
"""How long a thread of Python may keep the others waiting: a read of SQLite gives its turn up with
each row, and would get it back ten times later where Python's own 5 ms were left."""


def main(argv: Sequence[str]) -> int:
    """Serve; return 0 when told to end, 1 where the database never came, 2 for a wrong set-up."""
    if asks_for_help(argv):
        sys.stdout.write(usage())
        return 0
    try:
        settings = read_settings(argv, os.environ)
        store = store_for(settings.database)
        start_logging()
        sys.setswitchinterval(_SWITCH_SECONDS)
        asyncio.run(run(settings, store))
    except TrialwatchError as error:
        sys.stderr.write(f"dbmanager: {error}\n")
        return 1 if isinstance(error, RemoteError) else 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
