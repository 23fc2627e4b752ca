"""Every name that two programs share, written once, each with a sentence that a user can read.

Sorted by who meets the name; docs/labels.md is this file as tables, and a test keeps it so.
Flags are not here but in `api.sidecar`, fields of objects in `api.objects`.
"""

from __future__ import annotations

from typing import Final

# --- Labels of Katib ---

TRIAL_LABEL: Final = "katib.kubeflow.org/trial"
"""On a pod: the name of the trial that its metrics belong to."""
EXPERIMENT_LABEL: Final = "katib.kubeflow.org/experiment"
"""On a trial and all that serves an experiment: the experiment's name."""
SUGGESTION_LABEL: Final = "katib.kubeflow.org/suggestion"
"""On the pods of a suggestion service: the suggestion's name."""
DEPLOYMENT_LABEL: Final = "katib.kubeflow.org/deployment"
"""On the pods of a suggestion service: the name of its Deployment."""
INJECTION_LABEL: Final = "katib.kubeflow.org/metrics-collector-injection"
"""On a namespace: `enabled` lets the webhook see the pods that are created there."""
INJECTION_ENABLED: Final = "enabled"
"""The one value of the namespace's label that switches injection on."""
TRIAL_FINALIZER: Final = "clean-metrics-in-db"
"""On a trial: its metrics are deleted from the store before the trial itself goes."""
EXPERIMENT_FINALIZER: Final = "update-prometheus-metrics"
"""On an experiment: it is counted as deleted before it goes."""

# --- Labels and annotations of ours ---

NUMBER_LABEL: Final = "trialwatch.dev/number"
"""On a trial: its place among all that the search was asked for, from 0."""
COLLECT_LABEL: Final = "trialwatch.dev/collect"
"""On a pod, as a label: `true` asks for its metrics to be collected, with no Trial object."""
TRIAL_ANNOTATION: Final = "trialwatch.dev/trial"
"""The name under which the pod's metrics are stored; without it the name of the job it is of."""
METRICS_ANNOTATION: Final = "trialwatch.dev/metrics"
"""The names of the metrics to collect, joined by `;`, the objective's first."""
CONTAINER_ANNOTATION: Final = "trialwatch.dev/container"
"""The container that trains; without it the pod's first one."""
SOURCE_ANNOTATION: Final = "trialwatch.dev/source"
"""Where the metrics are found: `stdout` (what is taken without it) or `file`."""
PATH_ANNOTATION: Final = "trialwatch.dev/path"
"""The absolute path, in the training container, of the file that source `file` reads."""
FORMAT_ANNOTATION: Final = "trialwatch.dev/format"
"""How the metrics are written: `TEXT` (what is taken without it) or `JSON`."""
FILTERS_ANNOTATION: Final = "trialwatch.dev/filters"
"""Regexes in RE2's syntax, one a line, with a group for the name and one for the value."""
DRAIN_ANNOTATION: Final = "trialwatch.dev/drain-seconds"
"""For how many seconds a finished trainer's container waits for its metrics to be stored."""
WRAP_ANNOTATION: Final = "trialwatch.dev/wrap"
"""`false` leaves the trainer's command as it is; for source `file` only."""
RUN_AS_USER_ANNOTATION: Final = "trialwatch.dev/run-as-user"
"""The numeric user that the sidecar runs as, where the trainer's files cannot be read by others."""
RESOURCES_ANNOTATION: Final = "trialwatch.dev/resources"
"""The sidecar's requests and limits, as the JSON of a container's `resources`."""
HANDOVER_LABEL: Final = "trialwatch.dev/injection"
"""On a namespace beside Katib: `enabled` hands its trials' pods from Katib's webhook to ours."""
AUTHOR_ANNOTATION: Final = "trialwatch.dev/author-may-create"
"""On an experiment, set by the webhook alone: the kind of trials that its author may create."""
JOBS_LABEL: Final = "trialwatch.dev/jobs-of-trials"
"""On a ClusterRole: `true` adds its rights to look at what stands between a pod and its trial."""
TRIAL_KINDS_LABEL: Final = "trialwatch.dev/kinds-of-trials"
"""On a ClusterRole: `true` adds its rights to run a kind of jobs as trials."""

# --- Containers and volumes of a trial's pod ---

COLLECTOR_CONTAINER: Final = "metrics-logger-and-collector"
"""The sidecar of kinds StdOut and File: `kubectl logs POD -c metrics-logger-and-collector`."""
OTHER_COLLECTOR_CONTAINER: Final = "metrics-collector"
"""The sidecar of kinds TensorFlowEvent and PrometheusMetric."""
RUN_VOLUME: Final = "trialwatch"
"""The small volume over which launcher and sidecar talk."""
METRICS_VOLUME: Final = "metrics-volume"
"""The volume that holds the metrics file, shared by trainer and sidecar."""
SUGGESTION_VOLUME: Final = "suggestion-volume"
"""The volume of checkpoints that a population-based search hands from trial to trial."""
METRICS_FILE: Final = "/var/log/katib/metrics.log"
"""Where Katib's own webhook sends a trainer's output, and the file to read where none is named."""

# --- Files of a run directory ---

RUN_DIR: Final = "/run/trialwatch"
"""Where the volume `trialwatch` is mounted; all paths of this table are below it."""
LAUNCH_FILE: Final = "launch"
"""The launcher, put there by the sidecar and run as the trainer's first process."""
ATTEMPT_FILE: Final = "attempt"
"""The number of the current attempt; each start of the trainer is an attempt of its own."""
ATTEMPTS_DIR: Final = "attempts"
"""One directory for each attempt, named by its number."""
CONTROL_FIFO: Final = "control"
"""In an attempt: the FIFO on which the launcher takes the collector's lines."""
OUT_SEGMENT: Final = "out-"
"""In an attempt: a piece of standard output; its number follows."""
ERR_SEGMENT: Final = "err-"
"""In an attempt: a piece of standard error; its number follows."""
SEGMENT_DIGITS: Final = 8
"""The digits of a piece's number, zeros in front, so that names sort as they were written."""
EXIT_FILE: Final = "exit"
"""In an attempt: how the trainer ended, written when all of its output is there."""
CHECKPOINT_FILE: Final = "checkpoint"
"""What the store has acknowledged, so that a restarted collector neither loses nor repeats."""

# --- Lines of the control FIFO ---

CONTROL_FOLLOWING: Final = "following"
"""The collector reads this attempt and will say when all of it is stored."""
CONTROL_STOP: Final = "stop"
"""A stop rule is met: end the trainer, and the attempt with success."""
CONTROL_DELIVERED: Final = "delivered ok"
"""All that the attempt wrote is stored: the launcher may go."""
CONTROL_GAVE_UP: Final = "delivered gave-up: "
"""It never will be, for the cause that follows: the launcher may go."""

# --- Files of other protocols ---

MARKER_SUFFIX: Final = ".pid"
"""Katib's marker is named by the trainer's process id and this, beside the metrics file."""
MARKER_COMPLETED: Final = "completed"
"""Katib's marker of a trainer that has ended well."""
MARKER_EARLY_STOPPED: Final = "early-stopped"
"""Katib's marker of a trainer that its collector has stopped."""
MARKER_COMMAND: Final = "echo completed > "
"""Stands in the command line of a trainer that Katib has wrapped, the marker's directory behind."""
TERMINATION_LOG: Final = "/dev/termination-log"
"""Where a container leaves its last words for the pod's status; the collector leaves a summary."""
TERMINATION_LOG_BYTES: Final = 4096
"""Kubernetes keeps so many bytes of it."""

# --- Values that stand for no value ---

UNAVAILABLE: Final = "unavailable"
"""Stored as the objective's value where the objective was never seen as a finite number."""
UNAVAILABLE_TIME: Final = "0001-01-01T00:00:00Z"
"""The time stamp of a point whose time nobody knows."""

# --- gRPC metadata ---

SOURCE_METADATA: Final = "trialwatch-source"
"""Who reports: one id for each attempt, so that attempts can be told apart."""
SEQUENCE_METADATA: Final = "trialwatch-seq"
"""The number of this report in its source, from 1: a repeat is acknowledged and changes nothing."""
OUTCOME_METADATA: Final = "trialwatch-outcome"
"""On a source's last report: how the attempt ended, one of the three words below."""
OUTCOME_SUCCEEDED: Final = "succeeded"
"""The trainer ended well."""
OUTCOME_FAILED: Final = "failed"
"""The trainer failed: its points are read only where no attempt did better."""
OUTCOME_STOPPED: Final = "stopped"
"""A stop rule ended the trainer."""
NAMESPACE_METADATA: Final = "trialwatch-namespace"
"""The trial's namespace; without it the trial's name must be in one namespace only."""
MAX_REPLY_METADATA: Final = "trialwatch-max-reply"
"""How many bytes of one reply the caller takes, where it takes more than 4 MiB."""
SUGGESTION_HEALTH_SERVICE: Final = "manager.v1beta1.Suggestion"
"""The service that a suggestion's health check must ask for."""

# --- Ports ---

DB_MANAGER_PORT: Final = 6789
"""The DB manager, gRPC."""
SUGGESTION_PORT: Final = 6789
"""A suggestion service, gRPC."""
EARLY_STOPPING_PORT: Final = 6788
"""An early-stopping service, gRPC."""
WEBHOOK_PORT: Final = 8443
"""The webhook, HTTPS."""
WEBHOOK_SERVICE_PORT: Final = 443
"""The webhook's Service, as the API server calls it."""
METRICS_PORT: Final = 8080
"""Metrics for Prometheus of a program that serves no HTTP otherwise."""
HEALTH_PORT: Final = 18080
"""`/healthz` and `/readyz` of such a program."""

# --- Objects of an installation ---

CORE_NAMESPACE: Final = "kubeflow"
"""The namespace of an installation, where no other is given."""
DB_MANAGER_SERVICE: Final = "katib-db-manager"
"""The Service of the DB manager."""
CONTROLLER_SERVICE: Final = "katib-controller"
"""The Service of Katib's controller, its webhook included."""
CONFIG_MAP: Final = "katib-config"
"""The ConfigMap with the settings of an installation."""
CONFIG_MAP_KEY: Final = "katib-config.yaml"
"""The key in it whose text is the settings."""
CONFIG_API_VERSION: Final = "config.kubeflow.org/v1beta1"
"""The `apiVersion` of the settings."""
CONFIG_KIND: Final = "KatibConfig"
"""The `kind` of the settings."""
WEBHOOK_CONFIGURATION: Final = "katib.kubeflow.org"
"""The name of Katib's webhook configurations, the mutating and the validating one."""
WEBHOOK_SECRET: Final = "katib-webhook-cert"  # noqa: S105 - the name of a Secret, not a secret
"""The Secret with the webhook's certificate and its CA."""
OWN_WEBHOOK: Final = "trialwatch-webhook"
"""Our webhook: its Deployment, Service, ServiceAccount and MutatingWebhookConfiguration."""
OWN_WEBHOOK_SECRET: Final = "trialwatch-webhook-cert"  # noqa: S105 - the name of a Secret
"""The Secret with our webhook's certificate and its CA."""
OWN_EXPERIMENT_WEBHOOKS: Final = "trialwatch-experiments"
"""Our webhook's configurations for experiments, the mutating and the validating one."""
OWN_CONTROLLER: Final = "trialwatch-controller"
"""Our controller: its Deployment, ServiceAccount and the Lease of its leader."""
OWN_SUGGESTION: Final = "trialwatch-suggestion"
"""Our suggestion service, for all experiments: its Deployment, Service and ServiceAccount."""
SUGGESTION_DATA_DIR: Final = "/opt/katib/data"
"""Where the volume of a suggestion service is mounted, where no other place is given."""

# --- Environment of a trainer ---

TRIAL_NAME_ENV: Final = "KATIB_TRIAL_NAME"
"""The trial's name; `report_metrics` of Katib's SDK reads it."""
UNBUFFERED_ENV: Final = "PYTHONUNBUFFERED"
"""Set to `1` where it is not set: a Python trainer's lines are seen as they are printed."""

# --- Environment of the DB manager ---

DB_NAME_ENV: Final = "DB_NAME"
"""`mysql` or `postgres`: chooses the database where `--database` is not given."""
DB_USER_ENV: Final = "DB_USER"
"""The database's user: `root` for MySQL and `katib` for PostgreSQL where it is not set."""
DB_PASSWORD_ENV: Final = "DB_PASSWORD"  # noqa: S105 - the name of a variable
"""That user's password."""
MYSQL_HOST_ENV: Final = "KATIB_MYSQL_DB_HOST"
"""MySQL's host, else `katib-mysql`."""
MYSQL_PORT_ENV: Final = "KATIB_MYSQL_DB_PORT"
"""MySQL's port, else 3306."""
MYSQL_DATABASE_ENV: Final = "KATIB_MYSQL_DB_DATABASE"
"""The database in MySQL, else `katib`."""
POSTGRESQL_HOST_ENV: Final = "KATIB_POSTGRESQL_DB_HOST"
"""PostgreSQL's host, else `katib-postgres`."""
POSTGRESQL_PORT_ENV: Final = "KATIB_POSTGRESQL_DB_PORT"
"""PostgreSQL's port, else 5432."""
POSTGRESQL_DATABASE_ENV: Final = "KATIB_POSTGRESQL_DB_DATABASE"
"""The database in PostgreSQL, else `katib`."""
POSTGRESQL_SSL_MODE_ENV: Final = "KATIB_POSTGRESQL_SSL_MODE"
"""PostgreSQL's `sslmode`, else `disable`."""
SKIP_DB_INITIALIZATION_ENV: Final = "SKIP_DB_INITIALIZATION"
"""Anything but `false`: the table must be there, and is looked at instead of created."""

# --- Environment of webhook and controller ---

CORE_NAMESPACE_ENV: Final = "KATIB_CORE_NAMESPACE"
"""The namespace of the installation, else `kubeflow`."""
DB_MANAGER_NAMESPACE_ENV: Final = "KATIB_DB_MANAGER_SERVICE_NAMESPACE"
"""The DB manager's namespace, else that of the installation; empty: none is added to the host."""
DB_MANAGER_HOST_ENV: Final = "KATIB_DB_MANAGER_SERVICE_IP"
"""The DB manager's host name (or address, whence the name), else `katib-db-manager`."""
DB_MANAGER_PORT_ENV: Final = "KATIB_DB_MANAGER_SERVICE_PORT"
"""The DB manager's port, else 6789."""
