"""Take over a cluster from Katib step by step, or go back to Katib.

Without --apply and --back nothing changes in the cluster: the command says what is there and
what would happen, and writes the kustomizations into DIR. With --apply it takes the steps store,
webhook, search and controller; each is checked before the next one. Running experiments go on,
and ended ones stay readable. An interrupted migration goes on when the command is given again,
because the cluster shows what is done. Exit status 0 if all is done; 1 if a step had no effect;
2 for bad input.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from api import names
from api.durations import parse_duration
from api.errors import UserError
from trialwatch.migration.katib_config import Images, Stage
from trialwatch.migration.plan import STAGES
from trialwatch.sources.source_choice import add_cluster, cluster_module, usual_kubeconfig

if TYPE_CHECKING:
    import argparse

_VERSION = "0.1.0"
EXAMPLES = """\
examples:
    trialwatch migrate --images REGISTRY/trialwatch
    trialwatch migrate --images REGISTRY/trialwatch --apply --to webhook
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("migration"),
        metavar="DIR",
        help="the folder for the kustomizations (default %(default)s)",
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--apply", action="store_true", help="take the steps")
    way.add_argument("--back", action="store_true", help="take the steps back, the last one first")
    parser.add_argument(
        "--to",
        choices=[stage.word for stage in STAGES],
        default="",
        help="the last step to take; with --back, the last step that remains",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="with --back: only say what would happen"
    )
    parser.add_argument(
        "--images",
        default="trialwatch",
        metavar="PREFIX",
        help="where the images are: PREFIX/collector and so on (default %(default)s)",
    )
    parser.add_argument(
        "--tag", default=_VERSION, help="the tag of the images (default %(default)s)"
    )
    parser.add_argument(
        "--manifests",
        type=Path,
        default=Path("manifests"),
        metavar="DIR",
        help="the folder manifests of a clone of trialwatch (default %(default)s)",
    )
    parser.add_argument(
        "--core-namespace",
        default=os.environ.get(names.CORE_NAMESPACE_ENV) or names.CORE_NAMESPACE,
        metavar="NAMESPACE",
        help="Katib's own namespace (default %(default)s)",
    )
    parser.add_argument(
        "--timeout",
        default="5m",
        metavar="DURATION",
        help="how long to wait for each Deployment (default %(default)s)",
    )
    add_cluster(parser)


def run(arguments: argparse.Namespace) -> int:
    """Look at the cluster, and do what is asked for; return the exit status."""
    if arguments.dry_run and arguments.apply:
        raise UserError("--dry-run and --apply contradict each other: leave one of them out")
    taking_over = cluster_module("migration.taking_over")
    wanted = taking_over.Wanted(
        folder=arguments.folder,
        manifests=arguments.manifests,
        namespace=arguments.core_namespace,
        images=Images(prefix=arguments.images.rstrip("/"), tag=arguments.tag),
        last=Stage[arguments.to.upper()] if arguments.to else None,
        act=(arguments.apply or arguments.back) and not arguments.dry_run,
        back=arguments.back,
        patience=parse_duration(arguments.timeout).total_seconds(),
    )
    kubeconfig = arguments.kubeconfig or usual_kubeconfig(os.environ)
    taking_over.migrate(wanted, kubeconfig, arguments.context, _say)
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
