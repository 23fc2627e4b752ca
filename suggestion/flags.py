"""The suggestion service's flags: as they are written, and what `--help` says of them."""

from __future__ import annotations

from api import names
from api.goflags import Flag, usage_of

LISTEN = Flag(
    name="--listen",
    value="HOST:PORT",
    sentence=f"Where gRPC is served; 0.0.0.0:{names.SUGGESTION_PORT}. Port 0 takes a free one. An"
    f" early-stopping container beside it takes 0.0.0.0:{names.EARLY_STOPPING_PORT}.",
)
KUBECONFIG = Flag(
    name="--kubeconfig",
    value="FILE",
    sentence="How to reach the cluster whose trials are marked as stopped early, where this"
    " program does not run in it.",
)
NAMESPACE = Flag(
    name="--namespace",
    value="NAMESPACE",
    sentence="The namespace of trials whose own the caller does not tell; in a cluster it is the"
    " pod's own, else default.",
)
GRACE = Flag(
    name="--grace",
    value="DURATION",
    sentence="How long requests under way may take once SIGTERM or SIGINT has come; 20s.",
)
PORT_FILE = Flag(
    name="--port-file",
    value="FILE",
    sentence="Write the number of the gRPC port into this file once it is listened on.",
)

FLAGS = (LISTEN, KUBECONFIG, NAMESPACE, GRACE, PORT_FILE)


def usage() -> str:
    """Write the help text."""
    return (
        "usage: python -m suggestion [FLAG...]\n\n"
        "Chooses the parameters of the next trials, and when a trial is given up, over gRPC.\n"
        "Exit status: 0 ended by SIGTERM or SIGINT, 2 wrong set-up.\n\n"
        f"{usage_of(FLAGS)}"
    )
