"""`python -m bench [PART ...]`: run some parts or all, and print their tables."""

from __future__ import annotations

import argparse
import importlib
import sys

PARTS = {
    "collector": "how soon a value is stored, and what the collector takes for it",
    "controller": "what a trial costs the controller before a real API server, early and late",
    "corpus": "what is found in the outputs of many frameworks, beside Katib's default filter",
    "dbmanager": "storing and reading against the databases' own ways, and Katib's",
    "event_files": "reading event files against tbparse, and its memory",
    "filters": "extraction against a plain loop, and its memory",
    "hostile": "honest calls of all servers while each is attacked, within their memory",
    "networks": "architecture search on really trained networks, against random ones",
    "push": "how long a push takes, and how many a collector accepts in a second",
    "runner": "what a trial costs beside its own process, against Optuna with subprocess",
    "stopping": "what early stopping saves on recorded curves, against Optuna's pruners",
    "suggestion": "search from history alone against the libraries' stateful runs, and random",
    "tokens": "a report over TLS with a token against one without, in turn",
    "webhook": "reviews in a second and how long one takes, beside a plain aiohttp echo",
}


def main() -> int:
    """Run the parts of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="; ".join(PARTS))
    parser.add_argument("--mib", type=int, default=256, help="size of the logs (default 256)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="measurements of each value (default 3)"
    )
    parser.add_argument("--trials", type=int, default=40, help="trials of a search (default 40)")
    parser.add_argument("--seeds", type=int, default=20, help="runs of a search (default 20)")
    parser.add_argument(
        "--points", type=int, default=1_000_000, help="points to store (default 1,000,000)"
    )
    parser.add_argument(
        "--only", choices=("store", "read", "large"), help="only this table of the DB manager"
    )
    parser.add_argument("--search", metavar="NAME", help="only this search algorithm")
    parser.add_argument("--function", default="", metavar="NAME", help="only on this function")
    parser.add_argument(
        "--peer",
        metavar="CMD",
        help="another program to time on the same files; {file} and {metrics} are replaced",
    )
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part {', '.join(sorted(unknown))}: choose from {', '.join(PARTS)}")
    for part in arguments.parts or PARTS:
        importlib.import_module(f"bench.{part}").run(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
