"""The collector's flags: how they are written, and the sentence that `--help` prints for each.

`api.sidecar` writes and reads them, and checks their values. The second names are those of Katib's
collector of event files.
"""

from __future__ import annotations

from api import names
from api.goflags import Flag

TRIAL = Flag(
    name="-t",
    value="NAME",
    sentence="The trial's name. Required.",
    also="trial_name",
)
METRICS = Flag(
    name="-m",
    value="NAME;NAME...",
    sentence="The metrics to collect, joined by `;`, the objective's metric first. Required.",
    also="metric_names",
)
OBJECTIVE_TYPE = Flag(
    name="-o-type",
    value="minimize|maximize",
    sentence="Which values are better. Stop rules compare the objective's best value so far.",
    also="objective_type",
)
DB_MANAGER = Flag(
    name="-s-db",
    value="HOST:PORT",
    sentence="The DB manager's address. Required.",
    also="db_manager_server_addr",
)
PATH = Flag(
    name="-path",
    value="FILE",
    sentence="The metrics file, or the directory of event files. Required, except with"
    " `--source stdout`.",
    also="metrics_file_dir",
)
FILTERS = Flag(
    name="-f",
    value="REGEX;REGEX...",
    sentence="Regexes that find metrics, joined by `;`. Use `--filter` for a regex with a `;`."
    " Without a regex, metrics are found by their names.",
    also="metric_filters",
)
FORMAT = Flag(
    name="-format", value="TEXT|JSON", sentence="The format of the metrics; the default is TEXT."
)
WAIT_ALL = Flag(
    name="-w",
    value="true|false",
    sentence="Accepted for Katib, without effect: the collector never waits for other containers.",
    also="wait_all_processes",
)
STOP_RULE = Flag(
    name="-stop-rule",
    value="NAME;VALUE;COMPARISON;START_STEP",
    sentence="Stop the trainer when the metric is `less` or `greater` than VALUE, or `equal` to it."
    " The rule applies from the metric's START_STEP-th value. Repeatable: all rules must be met.",
)
EARLY_STOPPING = Flag(
    name="-s-earlystop",
    value="HOST:PORT",
    sentence="The early-stopping service, to which the collector reports a stop by stop rules.",
)
POLL_INTERVAL = Flag(
    name="-p",
    value="DURATION",
    sentence="The time between two looks for the trainer's process; the default is 1s.",
    also="poll_interval",
)
TIMEOUT = Flag(
    name="-timeout",
    value="DURATION",
    sentence="Give up if the trainer still runs after this time; 0s, the default, means never.",
)
RUN_DIR = Flag(
    name="--run-dir",
    value="DIR",
    sentence="The directory shared with the launcher; without it, Katib's protocol is used.",
)
STATE_DIR = Flag(
    name="--state-dir",
    value="DIR",
    sentence="The directory of the checkpoint, which the trainer cannot write to; the default is"
    " `--run-dir`.",
)
VOLUME = Flag(
    name="--volume",
    value="DIR",
    sentence="Where the volume of `-path` is mounted: no symbolic link may lead out of it. The"
    " default is the file's directory.",
)
SOURCE = Flag(
    name="--source",
    value="stdout|file|events",
    sentence="Read the output that the launcher captured, the file of `-path`, or the event files"
    " below the directory of `-path`. Required with `--run-dir`; without it and without `-format`,"
    " a `-path` that is a directory means event files.",
)
NATIVE = Flag(
    name="--native",
    sentence="This is a native sidecar: stay until SIGTERM in all cases.",
)
UNWRAPPED = Flag(
    name="--unwrapped",
    sentence="There is no launcher: SIGTERM means that the trainer has ended."
    " Requires `--native` and `--source file` or `events`, and excludes stop rules.",
)
ONE_POD = Flag(
    name="--one-pod",
    sentence="The trial's job runs one pod. Kubernetes may still start a second one; if both"
    " succeed, the store shows the metrics of the first.",
)
FILTER = Flag(
    name="--filter",
    value="REGEX",
    sentence="One regex, verbatim. Repeatable; these regexes follow those of `-f`.",
)
ECHO = Flag(
    name="--echo",
    sentence="Copy the trainer's lines to standard output; `--echo=false` turns this off.",
)
REDUCE = Flag(
    name="--reduce",
    value="HOW:POD",
    sentence="The trial's job has several pods: how they become one series (`rank0`, `mean`, `min`"
    " or `max`), and the name of this pod in the job, such as `mean:1`.",
)
STEPS = Flag(
    name="--steps",
    sentence="Look for each point's step, such as `step 400`, in its line or the progress line"
    " before it; `--steps=false` turns this off.",
)
NAMESPACE = Flag(name="--namespace", value="NAME", sentence="The trial's namespace.")
DRAIN = Flag(
    name="--drain",
    value="DURATION",
    sentence="The launcher's longest wait for delivery after the trainer's end;"
    " the default is 300s.",
)
GRACE = Flag(
    name="--grace",
    value="DURATION",
    sentence="The pod's grace period; the default is 30s. After SIGTERM the collector ends within"
    " this time, even if it cannot deliver.",
)
TERMINATION_LOG = Flag(
    name="--termination-log",
    value="FILE",
    sentence=f"The file for the summary, if it exists; the default is {names.TERMINATION_LOG}.",
)

DB_MANAGER_CA = Flag(
    name="--db-manager-ca",
    value="FILE",
    sentence="Call the DB manager over TLS; the file has the authorities (PEM) of its certificate.",
)
DB_MANAGER_TOKEN = Flag(
    name="--db-manager-token",
    value="FILE",
    sentence="Send the token in this file with each call of the DB manager, as the file is then."
    " Requires `--db-manager-ca`.",
)
EARLY_STOPPING_CA = Flag(
    name="--early-stopping-ca",
    value="FILE",
    sentence="Call the early-stopping service over TLS; the file has the authorities (PEM) of its"
    " certificate.",
)
EARLY_STOPPING_TOKEN = Flag(
    name="--early-stopping-token",
    value="FILE",
    sentence="Send the token in this file with each call of the early-stopping service, as the file"
    " is then. Requires `--early-stopping-ca`.",
)

PUSH = Flag(
    name="--push",
    value="HOST:PORT",
    sentence="Accept metrics by HTTP at this address of the pod, and on a Unix socket in the run"
    " directory. Requires `--run-dir`.",
)
SCRAPE = Flag(
    name="--scrape",
    value="URL",
    sentence="Read metrics from this address of the pod, in Prometheus' text format or OpenMetrics."
    " Requires `--run-dir`.",
)
SCRAPE_INTERVAL = Flag(
    name="--scrape-interval",
    value="DURATION",
    sentence="The time between two scrapes; the default is 5s.",
)
MLFLOW = Flag(
    name="--mlflow",
    sentence="Answer MLflow's client too at the address of `--push`, which is required, and collect"
    " the metrics that it logs.",
)
LOG_LEVEL = Flag(
    name="--log-level",
    value="debug|info|warning|error",
    sentence="Log the collector's own messages of this level and above; the default is warning.",
)
QUIT_ISTIO = Flag(
    name="--quit-istio",
    sentence="When the training has ended well and all is stored, ask Istio's proxy in this pod to"
    " end, by POST http://127.0.0.1:15020/quitquitquit.",
)

FLAGS = (
    TRIAL,
    METRICS,
    OBJECTIVE_TYPE,
    DB_MANAGER,
    PATH,
    FILTERS,
    FORMAT,
    WAIT_ALL,
    STOP_RULE,
    EARLY_STOPPING,
    POLL_INTERVAL,
    TIMEOUT,
    RUN_DIR,
    STATE_DIR,
    VOLUME,
    SOURCE,
    NATIVE,
    UNWRAPPED,
    ONE_POD,
    FILTER,
    ECHO,
    STEPS,
    REDUCE,
    NAMESPACE,
    DRAIN,
    GRACE,
    TERMINATION_LOG,
    DB_MANAGER_CA,
    DB_MANAGER_TOKEN,
    EARLY_STOPPING_CA,
    EARLY_STOPPING_TOKEN,
    QUIT_ISTIO,
    PUSH,
    SCRAPE,
    SCRAPE_INTERVAL,
    MLFLOW,
    LOG_LEVEL,
)
"""All flags, Katib's first, in the order in which the webhook writes them."""
