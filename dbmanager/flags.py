"""The DB manager's flags and variables: as they are written, and what `--help` says of them."""

from __future__ import annotations

from api import names
from api.goflags import Flag, usage_of

LISTEN = Flag(
    name="--listen",
    value="HOST:PORT",
    sentence=f"Where gRPC is served; 0.0.0.0:{names.DB_MANAGER_PORT}. Port 0 takes a free one.",
)
LISTEN_KATIB = Flag(
    name="-listen-address", value="HOST:PORT", sentence="Katib's name of `--listen`."
)
DATABASE = Flag(
    name="--database",
    value="URL",
    sentence="Where observations are kept: `sqlite:///FILE`, `postgresql://USER:PASSWORD@HOST/DB`"
    " or `mysql://USER:PASSWORD@HOST/DB`. Without it Katib's variables below choose; without"
    f" {names.DB_NAME_ENV} too, it is the file trialwatch.db in the current directory.",
)
CONNECT_TIMEOUT = Flag(
    name="--connect-timeout",
    value="DURATION",
    sentence="Give up, with status 1, where the database has not come so long after the start, as"
    " in 60s. 0s, the default, never gives up: health says NOT_SERVING until it comes.",
)
METRICS_LISTEN = Flag(
    name="--metrics-listen",
    value="HOST:PORT",
    sentence=f"Where Prometheus finds /metrics; 0.0.0.0:{names.METRICS_PORT}. `off` is nowhere.",
)
TLS_CERT = Flag(
    name="--tls-cert",
    value="FILE",
    sentence="Serve TLS with this certificate chain (PEM); needs `--tls-key`.",
)
TLS_KEY = Flag(name="--tls-key", value="FILE", sentence="The certificate's private key (PEM).")
TLS_CLIENT_CA = Flag(
    name="--tls-client-ca",
    value="FILE",
    sentence="Take only clients whose certificate one of these authorities (PEM) has signed.",
)
MAX_REPLY = Flag(
    name="--max-reply",
    value="BYTES",
    sentence="The largest reply to GetObservationLog; 4194304, what gRPC clients take by"
    f" themselves. A caller may say more with metadata {names.MAX_REPLY_METADATA}.",
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

FLAGS = (
    LISTEN,
    LISTEN_KATIB,
    DATABASE,
    CONNECT_TIMEOUT,
    METRICS_LISTEN,
    TLS_CERT,
    TLS_KEY,
    TLS_CLIENT_CA,
    MAX_REPLY,
    GRACE,
    PORT_FILE,
)

_VARIABLES = f"""\
Katib's variables, looked at where --database is not given (defaults for MySQL | PostgreSQL):
  {names.DB_NAME_ENV}                        mysql or postgres
  {names.DB_USER_ENV}                        root | katib
  {names.DB_PASSWORD_ENV}                    empty
  KATIB_MYSQL_DB_HOST, _PORT, _DATABASE              katib-mysql, 3306, katib
  KATIB_POSTGRESQL_DB_HOST, _PORT, _DATABASE         katib-postgres, 5432, katib
  {names.POSTGRESQL_SSL_MODE_ENV}      disable
  {names.SKIP_DB_INITIALIZATION_ENV}         false; else the table must be there, and is never made
"""


def usage() -> str:
    """Write the help text."""
    return (
        "usage: python -m dbmanager [FLAG...]\n\n"
        "Stores the observations of trials, each once, and serves them over gRPC.\n"
        "Exit status: 0 ended by SIGTERM or SIGINT, 1 no database in time, 2 wrong set-up.\n\n"
        f"{usage_of(FLAGS)}\n{_VARIABLES}"
    )
