"""`python -m controller`; `--help` says how."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

from api.errors import RemoteError, TrialwatchError
from api.goflags import asks_for_help
from controller.app import run
from controller.flags import usage
from controller.settings import read_settings
from serving.logs import start_logging


def main(argv: Sequence[str]) -> int:
    """Work; return 0 when told to end, 2 for a wrong set-up."""
    if asks_for_help(argv):
        sys.stdout.write(usage())
        return 0
    try:
        settings = read_settings(argv, os.environ)
        start_logging(level=settings.log_level)
        asyncio.run(run(settings))
    except TrialwatchError as error:
        sys.stderr.write(f"controller: {error}\n")
        return 1 if isinstance(error, RemoteError) else 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
