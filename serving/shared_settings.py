"""The rows of settings that several programs have."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Final

from api import names
from serving.client_security import ClientSecurity
from serving.flag_values import DURATION, LEVEL, PATH
from serving.settings import Row, Variable, part, setting

CLUSTER_VARIABLES: Final = (
    Variable(
        name=names.CORE_NAMESPACE_ENV,
        sentence="The namespace of the installation: of its settings, Lease and services.",
        default=names.CORE_NAMESPACE,
    ),
    Variable(
        name=names.DB_MANAGER_HOST_ENV,
        sentence="The DB manager's host.",
        default=names.DB_MANAGER_SERVICE,
    ),
    Variable(
        name=names.DB_MANAGER_NAMESPACE_ENV,
        sentence="The DB manager's namespace. An empty text means none: the host stands alone.",
        default=f"the value of {names.CORE_NAMESPACE_ENV}",
    ),
    Variable(
        name=names.DB_MANAGER_PORT_ENV,
        sentence="The DB manager's port.",
        default=str(names.DB_MANAGER_PORT),
    ),
)
"""What the controller and the webhook read of the environment."""


def kubeconfig() -> Path | None:
    """Make the setting of the cluster; None: the program runs in it."""
    row = Row(
        "--kubeconfig",
        PATH,
        "The file that says how to reach the cluster.",
        default="the service account of the pod that the program runs in",
    )
    return setting(row, None)


def katib_config() -> Path | None:
    """Make the setting of the file with the installation's settings; None: the ConfigMap."""
    row = Row(
        "--katib-config",
        PATH,
        "Read the settings of the installation from this file, and again when it changes. Without"
        f" the flag they come from the ConfigMap `{names.CONFIG_MAP}` of the namespace in"
        f" {names.CORE_NAMESPACE_ENV}, and are trialwatch's defaults if that ConfigMap is missing.",
        default=f"the ConfigMap `{names.CONFIG_MAP}`",
    )
    return setting(row, None)


def client_security(
    server: str = "the DB manager", usual: ClientSecurity | None = None
) -> ClientSecurity:
    """Make the settings of TLS and token for calls of a server, by its name in a sentence."""
    usual = usual or ClientSecurity()
    return part(
        usual,
        ca=Row(
            f"{usual.flags}-ca",
            PATH,
            f"Call {server} over TLS; the file has the authorities (PEM) of its certificate.",
            default="no TLS",
        ),
        token=Row(
            f"{usual.flags}-token",
            PATH,
            f"Send the token in this file with each call of {server}, as the file is then."
            f" Needs `{usual.flags}-ca`.",
            default="no token",
        ),
    )


def grace(seconds: float, when: str) -> timedelta:
    """Make the setting of the time for work under way at the end."""
    row = Row("--grace", DURATION, f"How long requests under way may take {when}.")
    return setting(row, timedelta(seconds=seconds))


def log_level() -> int:
    """Make the setting of the lowest level that is logged."""
    row = Row(
        "--log-level",
        LEVEL,
        "Log records of this level and above: `debug`, `info`, `warning` or `error`.",
    )
    return setting(row, logging.INFO)


def port_file(port: str) -> Path | None:
    """Make the setting of the file that says on which port the program listens."""
    row = Row(
        "--port-file",
        PATH,
        f"Write the number of the {port} port into this file when the program listens on it. The"
        " file appears by a rename.",
    )
    return setting(row, None)
