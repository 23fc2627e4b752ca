"""How one webhook is set up: built once, from its command line and its environment."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from api import names
from api.errors import SetupError, UserError
from api.faults import quoted
from serving import flag_values as read
from serving.addresses import Address
from serving.flag_values import Given
from webhook import flags
from webhook.certificates.issued import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that may differ between two webhooks."""

    cert_dir: Path | None = None
    """Where a certificate is mounted; None: it is made for the `service`."""
    service: Service | None = None
    listen: Address = Address(host="0.0.0.0", port=names.WEBHOOK_PORT)  # noqa: S104 - a server for other machines
    plain_listen: Address | None = None
    kubeconfig: Path | None = None
    katib_config: Path | None = None
    """None: the ConfigMap of the core namespace."""
    core_namespace: str = names.CORE_NAMESPACE
    environment: Mapping[str, str] = field(default_factory=dict)
    """Katib's variables, and no others."""
    linger: timedelta = timedelta(seconds=5)
    grace: timedelta = timedelta(seconds=15)
    log_level: int = logging.INFO
    port_file: Path | None = None


def read_settings(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Build the settings; a flag that is given twice counts by its last value.

    Raises:
        UserError: a flag is unknown, or its value means nothing.
        SetupError: it is not said whence the certificate is to come.
    """
    given = read.given_in(argv, flags.FLAGS)
    plain = Settings()
    linger, grace = read.duration(flags.LINGER, given), read.duration(flags.GRACE, given)
    cert_dir, service = _certificate(given)
    return Settings(
        cert_dir=cert_dir,
        service=service,
        listen=read.address(flags.LISTEN, given) or plain.listen,
        plain_listen=read.optional_address(flags.PLAIN_LISTEN, given, plain.plain_listen),
        kubeconfig=read.path(flags.KUBECONFIG, given),
        katib_config=read.path(flags.KATIB_CONFIG, given),
        core_namespace=environ.get(names.CORE_NAMESPACE_ENV) or plain.core_namespace,
        environment={key: value for key, value in environ.items() if key.startswith("KATIB_")},
        linger=plain.linger if linger is None else linger,
        grace=plain.grace if grace is None else grace,
        log_level=read.level(flags.LOG_LEVEL, given),
        port_file=read.path(flags.PORT_FILE, given),
    )


def _certificate(given: Given) -> tuple[Path | None, Service | None]:
    """Read whence the certificate comes: from a folder, or made for a service."""
    folder = read.path(flags.CERT_DIR, given)
    self_signed = read.switch(flags.SELF_SIGNED, given, default=False)
    service = _service(given)
    if self_signed == (folder is not None):
        raise SetupError(
            "give either --cert-dir DIR, with tls.crt and tls.key in it, or --self-signed, and not"
            " both: the API server calls over TLS only"
        )
    if self_signed and service is None:
        raise SetupError("--self-signed needs --service NAME.NAMESPACE: for whom to sign")
    return folder, service


def _service(given: Given) -> Service | None:
    text = given.get(flags.SERVICE.name)
    if text is None:
        return None
    name, _, namespace = text.removesuffix(".svc").partition(".")
    if not name or not namespace or "." in namespace:
        raise UserError(
            f"{flags.SERVICE.name}: {quoted(text)} is no service; write NAME.NAMESPACE, as in"
            " trialwatch-webhook.kubeflow"
        )
    return Service(name=name, namespace=namespace)
