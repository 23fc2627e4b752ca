"""`python -m launcher run|supervise`: the program `launch` in Python, for a laptop."""

from __future__ import annotations

import os
import sys

from launcher.options import RunOptions, UsageError, parse, requested_help
from launcher.run import run
from launcher.supervise import supervise

BAD_USAGE = 2


def main(arguments: list[bytes]) -> int:
    """Do what the command line says; return the exit status."""
    usage = requested_help(arguments)
    if usage is not None:
        sys.stdout.write(usage)
        return 0
    try:
        options = parse(arguments)
    except UsageError as fault:
        sys.stderr.write(f"launcher: {fault}\n")
        return BAD_USAGE
    if sys.platform != "linux":
        sys.stderr.write("launcher: needs Linux; the command runs without it, without metrics\n")
        os.execvp(options.command[0], options.command)  # noqa: S606 - its task is to run the command
    return run(options) if isinstance(options, RunOptions) else supervise(options.command)


def given_arguments() -> list[bytes]:
    """Return the arguments as the kernel's bytes; decoding and encoding could change them."""
    count = len(sys.argv) - 1
    try:
        with open("/proc/self/cmdline", "rb") as line:  # noqa: PTH123 - pathlib costs 10 ms
            every = line.read().split(b"\0")[:-1]
    except OSError:
        return [os.fsencode(argument) for argument in sys.argv[1:]]
    return every[len(every) - count :]


if __name__ == "__main__":
    sys.exit(main(given_arguments()))
