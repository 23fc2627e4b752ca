"""`python -m controller`; `--help` shows the flags."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from controller.app import run
from controller.settings import PROGRAM, Settings, read_settings
from serving.logs import start_logging


def main(argv: Sequence[str]) -> int:
    """Work; return 0 after a signal, 2 for a wrong set-up."""
    return PROGRAM.main(argv, read_settings, _serve)


def _serve(settings: Settings) -> None:
    start_logging(level=settings.log_level)
    asyncio.run(run(settings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
