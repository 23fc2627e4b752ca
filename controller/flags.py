"""The controller's flags and variables: as they are written, and what `--help` says of them."""

from __future__ import annotations

from api import names
from api.goflags import Flag, usage_of

KUBECONFIG = Flag(
    name="--kubeconfig",
    value="FILE",
    sentence="How to reach the cluster; without it, by the account of the pod that this runs in.",
)
NAMESPACE = Flag(
    name="--namespace",
    value="NAME",
    sentence="Look after the experiments of this namespace only, and list nothing cluster-wide;"
    " without it, of all.",
)
KATIB_CONFIG = Flag(
    name="--katib-config",
    value="FILE",
    sentence="The settings as a file, renewed when that changes. Without it they are the ConfigMap"
    f" {names.CONFIG_MAP} of the namespace in {names.CORE_NAMESPACE_ENV}, as it is at each moment,"
    " and our own defaults where there is none.",
)
DB_MANAGER = Flag(
    name="--db-manager",
    value="HOST:PORT",
    sentence="Where the metrics of trials are read. Without it where the settings say"
    " (dbManagerAddress), else by Katib's variables.",
)
SUGGESTION = Flag(
    name="--suggestion",
    value="HOST:PORT",
    sentence="Our service of search and early stopping, for algorithms that the settings do not"
    f" name; {names.OWN_SUGGESTION}.{names.CORE_NAMESPACE}:{names.SUGGESTION_PORT}.",
)
LISTEN = Flag(
    name="--listen",
    value="HOST:PORT",
    sentence="Where /healthz, /readyz and /metrics are served, without TLS;"
    f" 0.0.0.0:{names.METRICS_PORT}. Port 0 takes a free one.",
)
LEADER_ELECT = Flag(
    name="--leader-elect",
    sentence=f"Work only while holding the Lease {names.OWN_CONTROLLER} of the namespace in"
    f" {names.CORE_NAMESPACE_ENV}, so that of several replicas one works; on.",
)
LEASE_DURATION = Flag(
    name="--leader-elect-lease-duration",
    value="DURATION",
    sentence="How long a Lease that is not renewed is respected; 15s, at least 1s.",
)
RENEW_DEADLINE = Flag(
    name="--leader-elect-renew-deadline",
    value="DURATION",
    sentence="How long its holder tries to renew it before he stops working; 10s, less than the"
    " above.",
)
RETRY_PERIOD = Flag(
    name="--leader-elect-retry-period",
    value="DURATION",
    sentence="How often it is tried to get, or to renew it; 2s, less than half of the above.",
)
METRICS_GRACE = Flag(
    name="--metrics-grace",
    value="DURATION",
    sentence="How long after its job's end a trial's objective may still come; 1m.",
)
METRICS_POLL = Flag(
    name="--metrics-poll",
    value="DURATION",
    sentence="How soon the DB manager is asked again that has no objective yet; 1s.",
)
LIVE_INTERVAL = Flag(
    name="--live-interval",
    value="DURATION",
    sentence="How often the status of a trial that runs shows its latest values; 10s, 0s is never.",
)
PENDING_PATIENCE = Flag(
    name="--pending-patience",
    value="DURATION",
    sentence="How long nothing may run in a trial's pod before the trial says why; 30s.",
)
STOP_GRACE = Flag(
    name="--stop-grace",
    value="DURATION",
    sentence="How long the job of a trial that was stopped early may take to end by itself; 1m.",
)
DELETION_GRACE = Flag(
    name="--deletion-grace",
    value="DURATION",
    sentence="How long a deleted trial waits for its job to go, and for a DB manager that is"
    " away; 1m.",
)
START_DEADLINE = Flag(
    name="--start-deadline",
    value="DURATION",
    sentence="How long a trial may be without a pod before it fails; 0s, the default, is for ever.",
)
TEMPLATE_RETRY = Flag(
    name="--template-retry",
    value="DURATION",
    sentence="How soon a trial template in a ConfigMap that is not there is looked for again; 10s.",
)
STOP_AT_END = Flag(
    name="--stop-at-end",
    sentence="End the trials that still run when their experiment has ended; on.",
)
GRACE = Flag(
    name="--grace",
    value="DURATION",
    sentence="How long work under way may take once SIGTERM or SIGINT has come; 15s.",
)
LOG_LEVEL = Flag(
    name="--log-level",
    value="LEVEL",
    sentence="What is logged: debug, info, warning or error, and what is graver; info.",
)
PORT_FILE = Flag(
    name="--port-file",
    value="FILE",
    sentence="Write the number of the port into this file once it is listened on.",
)

FLAGS = (
    KUBECONFIG,
    NAMESPACE,
    KATIB_CONFIG,
    DB_MANAGER,
    SUGGESTION,
    LISTEN,
    LEADER_ELECT,
    LEASE_DURATION,
    RENEW_DEADLINE,
    RETRY_PERIOD,
    METRICS_GRACE,
    METRICS_POLL,
    PENDING_PATIENCE,
    STOP_GRACE,
    DELETION_GRACE,
    START_DEADLINE,
    LIVE_INTERVAL,
    TEMPLATE_RETRY,
    STOP_AT_END,
    GRACE,
    LOG_LEVEL,
    PORT_FILE,
)

_VARIABLES = f"""\
Katib's variables; they make the DB manager's address, unless it is said otherwise:
  {names.CORE_NAMESPACE_ENV}                  {names.CORE_NAMESPACE}; of settings and Lease too
  {names.DB_MANAGER_HOST_ENV}        {names.DB_MANAGER_SERVICE}
  {names.DB_MANAGER_NAMESPACE_ENV} as {names.CORE_NAMESPACE_ENV}
  {names.DB_MANAGER_PORT_ENV}      {names.DB_MANAGER_PORT}
"""


def usage() -> str:
    """Write the help text."""
    return (
        "usage: python -m controller [FLAG...]\n\n"
        "Runs the experiments of a cluster: asks the search, makes trials and their jobs, reads\n"
        "their metrics, and keeps what came of it in the objects' status.\n"
        "Exit status: 0 ended by SIGTERM or SIGINT, 2 wrong set-up.\n\n"
        f"{usage_of(FLAGS)}\n{_VARIABLES}"
    )
