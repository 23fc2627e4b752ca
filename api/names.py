"""Every name that two programs share, each defined once, with a sentence for users.

The sections are sorted by who sees the names. docs/labels.md shows this file as tables, and a test
compares the two. The flags of the collector are in `api.sidecar`, fields of objects in
`api.objects`.
"""

from __future__ import annotations

from typing import Final

# --- Labels of Katib ---

TRIAL_LABEL: Final = "katib.kubeflow.org/trial"
"""On a pod: the name of the trial that its metrics belong to."""
EXPERIMENT_LABEL: Final = "katib.kubeflow.org/experiment"
"""On a trial and on all objects of an experiment: the experiment's name."""
SUGGESTION_LABEL: Final = "katib.kubeflow.org/suggestion"
"""On the pods of a suggestion service: the suggestion's name."""
DEPLOYMENT_LABEL: Final = "katib.kubeflow.org/deployment"
"""On the pods of a suggestion service: the name of its Deployment."""
INJECTION_LABEL: Final = "katib.kubeflow.org/metrics-collector-injection"
"""On a namespace: `enabled` sends the pods that are created in it to the webhook."""
INJECTION_ENABLED: Final = "enabled"
"""The only value of the namespace's label that turns injection on."""
GENERATION_LABEL: Final = "pbt.suggestion.katib.kubeflow.org/generation"
"""On a trial of `pbt`: the number of its generation, from 0."""
PARENT_LABEL: Final = "pbt.suggestion.katib.kubeflow.org/parent"
"""On a trial of `pbt`: the trial whose checkpoint it continues."""
TRIAL_FINALIZER: Final = "clean-metrics-in-db"
"""On a trial: its metrics are deleted from the store before the trial is removed."""
EXPERIMENT_FINALIZER: Final = "update-prometheus-metrics"
"""On an experiment: the metrics count it as deleted before it is removed."""

# --- Labels and annotations of trialwatch ---

NUMBER_LABEL: Final = "trialwatch.dev/number"
"""On a trial: its position among all trials that the search has returned, from 0."""
ENQUEUE_ANNOTATION: Final = "trialwatch.dev/enqueue"
"""On an experiment: the points of its first trials, such as `lr=0.1,layers=3; lr=0.01`."""
ENQUEUED_LABEL: Final = "trialwatch.dev/enqueued"
"""On a trial: `true` if its values are those of an enqueued point."""
COLLECT_LABEL: Final = "trialwatch.dev/collect"
"""On a pod, as a label: `true` collects the pod's metrics without a Trial object."""
TRIAL_ANNOTATION: Final = "trialwatch.dev/trial"
"""The name under which the pod's metrics are stored; by default the name of its job."""
METRICS_ANNOTATION: Final = "trialwatch.dev/metrics"
"""The names of the metrics to collect, separated by `;`, the objective first."""
CONTAINER_ANNOTATION: Final = "trialwatch.dev/container"
"""The container that trains; by default the pod's first container."""
SOURCE_ANNOTATION: Final = "trialwatch.dev/source"
"""Where the metrics are: `stdout` (the default) or `file`."""
PATH_ANNOTATION: Final = "trialwatch.dev/path"
"""For source `file`: the absolute path of the metrics file in the training container."""
FORMAT_ANNOTATION: Final = "trialwatch.dev/format"
"""The format of the metrics: `TEXT` (the default) or `JSON`."""
FILTERS_ANNOTATION: Final = "trialwatch.dev/filters"
"""Regexes in RE2's syntax, one per line, each with a group for the name and one for the value."""
DRAIN_ANNOTATION: Final = "trialwatch.dev/drain-seconds"
"""How many seconds a finished trainer's container waits until its metrics are stored."""
WRAP_ANNOTATION: Final = "trialwatch.dev/wrap"
"""`false` does not change the trainer's command; for source `file` only."""
RUN_AS_USER_ANNOTATION: Final = "trialwatch.dev/run-as-user"
"""The user id of the sidecar; needed if other users cannot read the trainer's files."""
STEPS_ANNOTATION: Final = "trialwatch.dev/steps"
"""`off` does not look for the training's own counter, such as `step 400`, in the log."""
REDUCE_ANNOTATION: Final = "trialwatch.dev/reduce"
"""What stands for the pods of a job: `any` (the default), `rank0`, `mean`, `min` or `max`."""
RESOURCES_ANNOTATION: Final = "trialwatch.dev/resources"
"""The sidecar's requests and limits, as the JSON of a container's `resources`."""
PUSH_ANNOTATION: Final = "trialwatch.dev/push"
"""`true` lets the containers of the pod push metrics: by HTTP, or, for kind Push, into a file."""
MLFLOW_ANNOTATION: Final = "trialwatch.dev/mlflow"
"""`true`: the sidecar answers MLflow's client, and collects what it logs; implies push."""
SCRAPE_ANNOTATION: Final = "trialwatch.dev/scrape-seconds"
"""For kind PrometheusMetric: the seconds between two scrapes; by default 5."""
CA_ANNOTATION: Final = "trialwatch.dev/db-manager-ca"
"""On a pod, set only by the webhook: the authorities of the DB manager's certificate, in PEM."""
SUGGESTION_CA_ANNOTATION: Final = "trialwatch.dev/suggestion-ca"
"""The same for the suggestion service, to which the sidecar reports early stops."""
HANDOVER_LABEL: Final = "trialwatch.dev/injection"
"""On a namespace beside Katib: `enabled` moves its trials' pods from Katib's webhook to ours."""
AUTHOR_ANNOTATION: Final = "trialwatch.dev/author-may-create"
"""On an experiment, set only by the webhook: the kind of trials that its author may create."""
JOBS_LABEL: Final = "trialwatch.dev/jobs-of-trials"
"""On a ClusterRole: `true` lets the webhook read the objects between a pod and its trial."""
TRIAL_KINDS_LABEL: Final = "trialwatch.dev/kinds-of-trials"
"""On a ClusterRole: `true` lets the controller run a kind of jobs as trials."""

# --- Labels of Kueue ---

QUEUE_LABEL: Final = "kueue.x-k8s.io/queue-name"
"""On the job in `trialSpec`: the queue in which each trial waits for quota."""

# --- Containers and volumes of a trial's pod ---

COLLECTOR_CONTAINER: Final = "metrics-logger-and-collector"
"""The sidecar: `kubectl logs POD -c metrics-logger-and-collector`."""
OTHER_COLLECTOR_CONTAINER: Final = "metrics-collector"
"""The sidecar of kinds TensorFlowEvent and PrometheusMetric in Katib's pods."""
RUN_VOLUME: Final = "trialwatch"
"""The small volume that launcher and sidecar exchange files in."""
STATE_VOLUME: Final = "trialwatch-state"
"""The small volume of the sidecar alone: no trainer can change what is in it."""
METRICS_VOLUME: Final = "metrics-volume"
"""The volume of the metrics file, shared by trainer and sidecar."""
SUGGESTION_VOLUME: Final = "suggestion-volume"
"""The volume of checkpoints that a population-based search passes from trial to trial."""
TOKEN_VOLUME: Final = "trialwatch-token"  # noqa: S105 - the name of a volume
"""The volume of the sidecar's token for the DB manager; no other container mounts it."""
TOKEN_DIR: Final = "/trialwatch-token"  # noqa: S105 - a path
"""Where the sidecar mounts it; the files are `token` and `ca.crt`."""
METRICS_FILE: Final = "/var/log/katib/metrics.log"
"""Katib's webhook sends a trainer's output here; also the default metrics file."""

STATE_DIR: Final = "/run/trialwatch-state"
"""Where the volume `trialwatch-state` is mounted, in the sidecar only; it has `checkpoint`."""

# --- Files of a run directory ---

RUN_DIR: Final = "/run/trialwatch"
"""Where the volume `trialwatch` is mounted; all paths of this table are relative to it."""
LAUNCH_FILE: Final = "launch"
"""The launcher; the sidecar copies it here, and it runs as the trainer's first process."""
ATTEMPT_FILE: Final = "attempt"
"""The number of the current attempt; each start of the trainer is a new attempt."""
ATTEMPTS_DIR: Final = "attempts"
"""One directory for each attempt, named by its number."""
CONTROL_FIFO: Final = "control"
"""In an attempt: the FIFO on which the launcher receives lines from the collector."""
OUT_SEGMENT: Final = "out-"
"""In an attempt: a segment of standard output; its number follows."""
ERR_SEGMENT: Final = "err-"
"""In an attempt: a segment of standard error; its number follows."""
SEGMENT_DIGITS: Final = 8
"""The digits of a segment's number, with leading zeros, so that names sort by number."""
EXIT_FILE: Final = "exit"
"""In an attempt: how the trainer ended; written after all of its output."""
PUSH_SOCKET: Final = "push.sock"
"""In the run directory: the Unix socket of the sidecar's HTTP server; it answers once it exists."""
PUSH_FILE: Final = "metrics"
"""In the run directory, for kind Push: the file to which a shell appends lines such as `loss=1`."""
JOURNAL_DIR: Final = "journal"
"""In the state directory: one directory for each attempt, with the points that were pushed."""
JOURNAL_SEGMENT: Final = "points-"
"""In an attempt's journal: a segment of it; its number follows."""
MLFLOW_STATE_FILE: Final = "mlflow"
"""In the state directory: runs, params and tags that MLflow's client may ask for again."""
MLFLOW_ARTIFACTS_DIR: Final = "/tmp/trialwatch-mlflow"  # noqa: S108 - in the trainer's container
"""In the trainer's container: MLflow's client writes artifacts here; they end with the pod."""
CHECKPOINT_FILE: Final = "checkpoint"
"""In the state directory: what the store has acknowledged; a restarted collector continues."""

# --- Lines of the control FIFO ---

CONTROL_FOLLOWING: Final = "following"
"""The collector reads this attempt, and will report when all of it is stored."""
CONTROL_STOP: Final = "stop"
"""A stop rule is met: end the trainer, and end the attempt with success."""
CONTROL_DELIVERED: Final = "delivered ok"
"""All output of the attempt is stored: the launcher may exit."""
CONTROL_GAVE_UP: Final = "delivered gave-up: "
"""The output cannot be stored, for the cause that follows: the launcher may exit."""

# --- Files of other protocols ---

MARKER_SUFFIX: Final = ".pid"
"""The suffix of Katib's marker file after the trainer's process id; next to the metrics file."""
MARKER_COMPLETED: Final = "completed"
"""The content of Katib's marker if the trainer succeeded."""
MARKER_EARLY_STOPPED: Final = "early-stopped"
"""The content of Katib's marker if the collector stopped the trainer."""
MARKER_COMMAND: Final = "echo completed > "
"""In the command line of a trainer that Katib has wrapped; the marker's directory follows."""
TERMINATION_LOG: Final = "/dev/termination-log"
"""A container's termination message for the pod's status; the collector writes a summary."""
TERMINATION_LOG_BYTES: Final = 4096
"""The most bytes of the termination message that Kubernetes keeps."""

# --- Values that mean "no value" ---

UNAVAILABLE: Final = "unavailable"
"""Stored as the objective's value if no value of it was a finite number."""
UNAVAILABLE_TIME: Final = "0001-01-01T00:00:00Z"
"""The timestamp of a point whose time is unknown."""

# --- gRPC metadata ---

SOURCE_METADATA: Final = "trialwatch-source"
"""The id of the sender: a different one for each attempt."""
POD_SOURCE_PREFIX: Final = "pod:"
"""Begins the id of a sender with a token; the uid of the token's pod and `:` follow."""
ONE_POD_SOURCE_MARK: Final = "one-pod:"
"""Begins the rest of a sender's id, if the trial has one pod: its start in microseconds follows."""
REDUCE_SOURCE_MARK: Final = "reduce:"
"""Begins the rest of a sender's id, if its job's pods are reduced: how, and the pod, follow."""
SEQUENCE_METADATA: Final = "trialwatch-seq"
"""The number of this report from its sender, from 1; a repeated report changes nothing."""
OUTCOME_METADATA: Final = "trialwatch-outcome"
"""On a sender's last report: how the attempt ended, one of the three words below."""
OUTCOME_SUCCEEDED: Final = "succeeded"
"""The trainer succeeded."""
OUTCOME_FAILED: Final = "failed"
"""The trainer failed; its points are read only if the trial has no better attempt."""
OUTCOME_STOPPED: Final = "stopped"
"""A stop rule ended the trainer."""
NAMESPACE_METADATA: Final = "trialwatch-namespace"
"""The trial's namespace; without it, only one namespace may have a trial of this name."""
MAX_REPLY_METADATA: Final = "trialwatch-max-reply"
"""The most bytes of one reply that the caller accepts, if more than 4 MiB."""
CAUSE_METADATA: Final = "trialwatch-cause"
"""In the trailing metadata of a health check: why the DB manager does not do all of its work."""
AUTHORIZATION_KEY: Final = "authorization"
"""`Bearer` and a service account's token; sent over TLS only."""
SUGGESTION_HEALTH_SERVICE: Final = "manager.v1beta1.Suggestion"
"""The service name in the health check of a suggestion service."""

# --- Audiences of tokens ---

TRIAL_AUDIENCE: Final = "trialwatch.dev/"
"""Begins the audience of a sidecar's token; the trial's namespace, `/` and its name follow."""
MANAGER_AUDIENCE: Final = "trialwatch.dev/manager"
"""The audience of the tokens of the controller and of the suggestion service."""

# --- Ports ---

DB_MANAGER_PORT: Final = 6789
"""The DB manager, gRPC without TLS: health probes, and the clients of Katib."""
DB_MANAGER_TLS_PORT: Final = 6790
"""The DB manager, gRPC over TLS, as the manifests install it."""
PUSH_PORT: Final = 6787
"""The sidecar's HTTP server for the containers of its pod, on 127.0.0.1."""
SUGGESTION_PORT: Final = 6789
"""A suggestion service, gRPC."""
EARLY_STOPPING_PORT: Final = 6788
"""An early-stopping service, gRPC."""
WEBHOOK_PORT: Final = 8443
"""The webhook, HTTPS."""
WEBHOOK_SERVICE_PORT: Final = 443
"""The webhook's Service, as the API server calls it."""
METRICS_PORT: Final = 8080
"""Prometheus metrics of a program that has no other HTTP port."""
HEALTH_PORT: Final = 18080
"""`/healthz` and `/readyz` of such a program."""

# --- Objects of an installation ---

CORE_NAMESPACE: Final = "kubeflow"
"""The default namespace of an installation."""
DB_MANAGER_SERVICE: Final = "katib-db-manager"
"""The Service of the DB manager."""
CONTROLLER_SERVICE: Final = "katib-controller"
"""The Service of Katib's controller, its webhook included."""
CONFIG_MAP: Final = "katib-config"
"""The ConfigMap with the settings of an installation."""
CONFIG_MAP_KEY: Final = "katib-config.yaml"
"""The key of this ConfigMap that contains the settings."""
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
OWN_AUTHORITY_SECRET: Final = "trialwatch-ca"  # noqa: S105 - the name of a Secret
"""The Secret with the authorities that sign the certificates of our services."""
DB_MANAGER_SECRET: Final = "katib-db-manager-cert"  # noqa: S105 - the name of a Secret
"""The Secret with the DB manager's certificate, and the authorities that its clients trust."""
SUGGESTION_SECRET: Final = "trialwatch-suggestion-cert"  # noqa: S105 - the name of a Secret
"""The Secret with the suggestion service's certificate."""
OWN_EXPERIMENT_WEBHOOKS: Final = "trialwatch-experiments"
"""Our webhook's configurations for experiments, the mutating and the validating one."""
OWN_CONTROLLER: Final = "trialwatch-controller"
"""Our controller: its Deployment, ServiceAccount and the Lease of its leader."""
OWN_SUGGESTION: Final = "trialwatch-suggestion"
"""Our suggestion service, for all experiments: its Deployment, Service and ServiceAccount."""
SUGGESTION_DATA_DIR: Final = "/opt/katib/data"
"""The default mount path of the volume of a suggestion service."""

# --- Environment of a trainer ---

TRIAL_NAME_ENV: Final = "KATIB_TRIAL_NAME"
"""The trial's name; `report_metrics` of Katib's SDK reads it."""
EXPERIMENT_NAME_ENV: Final = "KATIB_EXPERIMENT_NAME"
"""The experiment's name, where metrics may be pushed."""
TRIAL_NAMESPACE_ENV: Final = "KATIB_TRIAL_NAMESPACE"
"""The trial's namespace, where metrics may be pushed."""
METRICS_URL_ENV: Final = "TRIALWATCH_METRICS_URL"
"""Where metrics may be pushed: the address to which a program posts them."""
METRICS_FILE_ENV: Final = "TRIALWATCH_METRICS_FILE"
"""For kind Push with the annotation `trialwatch.dev/push`: the file to which a shell appends."""
METRICS_ENV: Final = "TRIALWATCH_METRICS"
"""For a Custom collector: the names of the trial's metrics, joined by `;`, the objective first."""
STORE_ENV: Final = "TRIALWATCH_DB_MANAGER"
"""For a Custom collector: the DB manager's address."""
MLFLOW_TRACKING_URI_ENV: Final = "MLFLOW_TRACKING_URI"
"""Where MLflow's client logs: the sidecar, with the annotation `trialwatch.dev/mlflow`."""
UNBUFFERED_ENV: Final = "PYTHONUNBUFFERED"
"""Set to `1` if it is not set, so that a Python trainer prints each line at once."""

# --- Environment of the DB manager ---

DB_NAME_ENV: Final = "DB_NAME"
"""`mysql` or `postgres`: chooses the database if `--database` is not given."""
DB_USER_ENV: Final = "DB_USER"
"""The database's user: by default `root` for MySQL and `katib` for PostgreSQL."""
DB_PASSWORD_ENV: Final = "DB_PASSWORD"  # noqa: S105 - the name of a variable
"""The password of the database's user."""
MYSQL_HOST_ENV: Final = "KATIB_MYSQL_DB_HOST"
"""MySQL's host; default `katib-mysql`."""
MYSQL_PORT_ENV: Final = "KATIB_MYSQL_DB_PORT"
"""MySQL's port; default 3306."""
MYSQL_DATABASE_ENV: Final = "KATIB_MYSQL_DB_DATABASE"
"""The database in MySQL; default `katib`."""
POSTGRESQL_HOST_ENV: Final = "KATIB_POSTGRESQL_DB_HOST"
"""PostgreSQL's host; default `katib-postgres`."""
POSTGRESQL_PORT_ENV: Final = "KATIB_POSTGRESQL_DB_PORT"
"""PostgreSQL's port; default 5432."""
POSTGRESQL_DATABASE_ENV: Final = "KATIB_POSTGRESQL_DB_DATABASE"
"""The database in PostgreSQL; default `katib`."""
POSTGRESQL_SSL_MODE_ENV: Final = "KATIB_POSTGRESQL_SSL_MODE"
"""PostgreSQL's `sslmode`; default `disable`."""
SKIP_DB_INITIALIZATION_ENV: Final = "SKIP_DB_INITIALIZATION"
"""Any value but `false`: the table must exist; it is checked instead of created."""

# --- Environment of webhook and controller ---

CORE_NAMESPACE_ENV: Final = "KATIB_CORE_NAMESPACE"
"""The namespace of the installation; default `kubeflow`."""
DB_MANAGER_NAMESPACE_ENV: Final = "KATIB_DB_MANAGER_SERVICE_NAMESPACE"
"""The DB manager's namespace; default: the installation's; if empty, the host gets none."""
DB_MANAGER_HOST_ENV: Final = "KATIB_DB_MANAGER_SERVICE_IP"
"""The host name or address of the DB manager; default `katib-db-manager`."""
DB_MANAGER_PORT_ENV: Final = "KATIB_DB_MANAGER_SERVICE_PORT"
"""The DB manager's port; default 6789."""
