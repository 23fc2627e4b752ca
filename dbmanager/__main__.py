"""`python -m dbmanager`; `--help` shows the flags."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from dbmanager.app import run
from dbmanager.connect import store_for
from dbmanager.settings import PROGRAM, Settings, read_settings
from serving.logs import start_logging

_SWITCH_SECONDS = 0.0005
"""How long one Python thread may run while others wait. A read of SQLite lets other threads run
after each row; with Python's own 5 ms it would continue ten times later."""


def main(argv: Sequence[str]) -> int:
    """Serve; return 0 after a signal, 1 if the database did not come, 2 for a wrong set-up."""
    return PROGRAM.main(argv, read_settings, _serve)


def _serve(settings: Settings) -> None:
    store = store_for(settings.database, initialize=settings.initialize, reserve=True)
    start_logging()
    sys.setswitchinterval(_SWITCH_SECONDS)
    asyncio.run(run(settings, store))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
