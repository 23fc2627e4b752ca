"""Explain the webhook's verdict on a pod in the cluster, and what to do about it.

POD is the name of a pod; job/NAME stands for the pod of a Job, even if the Job gets none. The
command runs the webhook's own code, with look-ups in the cluster and at the image's registry.
Exit status 0 if the pod is as it should be; 2 if it is refused, lacks its collector, or does not
exist; 1 if the cluster does not answer.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from api import names
from trialwatch.sources.source_choice import add_cluster, cluster_module

if TYPE_CHECKING:
    import argparse

    from webhook.explanation import Explanation

EXAMPLES = """\
examples:
    trialwatch explain random-x7k2p-9xvzt -n kubeflow
    trialwatch explain job/random-x7k2p
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("pod", metavar="POD", help="a pod's name, or job/NAME")
    parser.add_argument(
        "-n",
        "--namespace",
        default="",
        metavar="NAMESPACE",
        help="the pod's namespace (default: the one of the context)",
    )
    add_cluster(parser)
    parser.add_argument(
        "--core-namespace",
        default=os.environ.get(names.CORE_NAMESPACE_ENV) or names.CORE_NAMESPACE,
        metavar="NAMESPACE",
        help=f"the namespace of {names.CONFIG_MAP} (default %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation; return the exit status."""
    explanation: Explanation = cluster_module("admission.pod_explanation").explanation_of(arguments)
    print(*explanation.lines, sep="\n")
    return 0 if explanation.healthy else 2
