"""`python -m collector`: see `--help`, and docs/collector.md."""

from __future__ import annotations

import sys

from api.errors import TrialwatchError
from api.sidecar import from_argv, salvage, usage
from collector.app import give_up, start
from collector.ending import Ending


def main() -> int:
    """Run it."""
    argv = sys.argv[1:]
    if {"--help", "-help", "-h"} & set(argv):
        sys.stdout.write(usage())
        return 0
    ending = Ending()
    try:
        return start(from_argv(argv), ending)
    except TrialwatchError as error:
        return give_up(salvage(argv), str(error), ending)


if __name__ == "__main__":
    sys.exit(main())
