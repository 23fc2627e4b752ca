"""`python -m collector`: see `--help`, and docs/collector.md."""

from __future__ import annotations

import sys

from api.errors import TrialwatchError
from api.sidecar import from_argv, salvage, usage
from collector.app import start
from collector.end_signal import EndSignal
from collector.giving_up import give_up


def main() -> int:
    """Run the collector that the command line describes; return the exit status."""
    argv = sys.argv[1:]
    if {"--help", "-help", "-h"} & set(argv):
        sys.stdout.write(usage())
        return 0
    end_signal = EndSignal()
    try:
        return start(from_argv(argv), end_signal)
    except TrialwatchError as error:
        return give_up(salvage(argv), str(error), end_signal)


if __name__ == "__main__":
    sys.exit(main())
