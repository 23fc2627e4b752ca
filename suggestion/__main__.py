"""`python -m suggestion`; `--help` says how."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

from api.errors import TrialwatchError
from api.goflags import asks_for_help
from serving.logs import start_logging
from suggestion.app import run
from suggestion.flags import usage
from suggestion.settings import read_settings


def main(argv: Sequence[str]) -> int:
    """Serve; return 0 when told to end, 2 for a wrong set-up."""
    if asks_for_help(argv):
        sys.stdout.write(usage())
        return 0
    try:
        settings = read_settings(argv)
        start_logging()
        if not asyncio.run(run(settings)):
            os._exit(0)  # Python would wait for the thread that searches, for as long as it takes
    except TrialwatchError as error:
        sys.stderr.write(f"suggestion: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
