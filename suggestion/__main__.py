"""`python -m suggestion`; `--help` shows the flags."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from serving.logs import start_logging
from suggestion.app import run
from suggestion.settings import PROGRAM, Settings, read_settings


def main(argv: Sequence[str]) -> int:
    """Serve; return 0 after a signal, 2 for a wrong set-up."""
    return PROGRAM.main(argv, read_settings, _serve)


def _serve(settings: Settings) -> None:
    start_logging()
    asyncio.run(run(settings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
