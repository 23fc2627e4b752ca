"""The webhook's flags and variables: as they are written, and what `--help` says of them."""

from __future__ import annotations

from api import names
from api.goflags import Flag, usage_of

LISTEN = Flag(
    name="--listen",
    value="HOST:PORT",
    sentence="Where the API server calls, over TLS: /mutate-pod, /mutate-experiment and"
    " /validate-experiment; and /healthz, /readyz and /metrics beside them;"
    f" 0.0.0.0:{names.WEBHOOK_PORT}. Port 0 takes a free one.",
)
CERT_DIR = Flag(
    name="--cert-dir",
    value="DIR",
    sentence="Serve the certificate that is in this folder as tls.crt and tls.key (PEM), as"
    " cert-manager has it mounted. A renewed one is taken as it comes.",
)
SELF_SIGNED = Flag(
    name="--self-signed",
    sentence="Make the certificate, let the API server trust it, and renew it; it is kept in the"
    f" Secret {names.OWN_WEBHOOK_SECRET}, and all replicas serve the same. Needs `--service`.",
)
SERVICE = Flag(
    name="--service",
    value="NAME.NAMESPACE",
    sentence="The Service by which the API server calls; a self-signed certificate is for it.",
)
KUBECONFIG = Flag(
    name="--kubeconfig",
    value="FILE",
    sentence="How to reach the cluster; without it, by the account of the pod that this runs in.",
)
KATIB_CONFIG = Flag(
    name="--katib-config",
    value="FILE",
    sentence="The settings as a file, renewed when that changes. Without it they are the ConfigMap"
    f" {names.CONFIG_MAP} of the namespace in {names.CORE_NAMESPACE_ENV}, as it is at each moment,"
    " and our own defaults where there is none.",
)
PLAIN_LISTEN = Flag(
    name="--plain-listen",
    value="HOST:PORT",
    sentence="Where /healthz, /readyz and /metrics are served without TLS too; `off`, the default,"
    " is nowhere.",
)
LINGER = Flag(
    name="--linger",
    value="DURATION",
    sentence="How long to serve on, no longer ready, once SIGTERM or SIGINT has come: until nobody"
    " is sent here any more; 5s.",
)
GRACE = Flag(
    name="--grace",
    value="DURATION",
    sentence="How long requests under way may take after that; 15s.",
)
LOG_LEVEL = Flag(
    name="--log-level",
    value="LEVEL",
    sentence="What is logged: debug, info, warning or error, and what is graver; info.",
)
PORT_FILE = Flag(
    name="--port-file",
    value="FILE",
    sentence="Write the number of the TLS port into this file once it is listened on.",
)

FLAGS = (
    LISTEN,
    CERT_DIR,
    SELF_SIGNED,
    SERVICE,
    KUBECONFIG,
    KATIB_CONFIG,
    PLAIN_LISTEN,
    LINGER,
    GRACE,
    LOG_LEVEL,
    PORT_FILE,
)

_VARIABLES = f"""\
Katib's variables; they make the DB manager's address, unless the settings name one:
  {names.CORE_NAMESPACE_ENV}                  {names.CORE_NAMESPACE}; that of the settings, too
  {names.DB_MANAGER_HOST_ENV}        {names.DB_MANAGER_SERVICE}
  {names.DB_MANAGER_NAMESPACE_ENV} as {names.CORE_NAMESPACE_ENV}
  {names.DB_MANAGER_PORT_ENV}      {names.DB_MANAGER_PORT}
"""


def usage() -> str:
    """Write the help text."""
    return (
        "usage: python -m webhook (--cert-dir DIR | --self-signed --service NAME.NAMESPACE)"
        " [FLAG...]\n\n"
        "Puts the collector into the pods of trials, as the API server creates them, fills in the\n"
        "defaults of experiments, and refuses those that cannot be right.\n"
        "Exit status: 0 ended by SIGTERM or SIGINT, 2 wrong set-up.\n\n"
        f"{usage_of(FLAGS)}\n{_VARIABLES}"
    )
