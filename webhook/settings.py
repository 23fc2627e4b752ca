"""The settings of one webhook: built once, from its command line and its environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from api import names
from api.errors import SetupError, UserError
from api.faults import quoted
from serving.addresses import Address
from serving.flag_values import ADDRESS, ADDRESS_OR_OFF, DURATION, FOLDER, PATH, SWITCH, Kind
from serving.main import Program
from serving.settings import Row, from_environment, setting, settings_of
from serving.shared_settings import (
    CLUSTER_VARIABLES,
    grace,
    katib_config,
    kubeconfig,
    log_level,
    port_file,
)
from webhook.certificates.issued import Service


def _service(text: str) -> Service:
    name, _, namespace = text.removesuffix(".svc").partition(".")
    if not name or not namespace or "." in namespace:
        raise UserError(
            f"{quoted(text)} is not the name of a Service; write NAME.NAMESPACE, as in"
            " trialwatch-webhook.kubeflow"
        )
    return Service(name=name, namespace=namespace)


def _services(text: str) -> tuple[Service, ...]:
    return tuple(_service(part.strip()) for part in text.split(",") if part.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that may differ between two webhooks."""

    listen: Address = setting(
        Row(
            "--listen",
            ADDRESS,
            "Where the API server calls, over TLS: `/mutate-pod`, `/mutate-experiment`,"
            " `/validate-experiment`, `/validate-trial` and `/release-finalizers`. The same port"
            " serves `/healthz`, `/readyz` and `/metrics`. Port 0 takes a free port.",
        ),
        Address(host="0.0.0.0", port=names.WEBHOOK_PORT),  # noqa: S104 - a server for other machines
    )
    cert_dir: Path | None = setting(
        Row(
            "--cert-dir",
            FOLDER,
            "Serve the certificate `tls.crt` with the key `tls.key` (PEM) of this folder, as"
            " cert-manager mounts them. The webhook takes a renewed certificate at once.",
        ),
        None,
    )
    self_signed: bool = setting(
        Row(
            "--self-signed",
            SWITCH,
            "Make the certificate, let the API server trust it, and renew it. All replicas serve"
            f" the same certificate, from the Secret `{names.OWN_WEBHOOK_SECRET}`. Needs"
            " `--service`.",
        ),
        False,  # noqa: FBT003 - the default of the row above
    )
    service: Service | None = setting(
        Row(
            "--service",
            Kind(placeholder="NAME.NAMESPACE", read=_service, show=lambda _: ""),
            "The Service through which the API server calls. A self-signed certificate is for it.",
        ),
        None,
    )
    issue_for: tuple[Service, ...] = setting(
        Row(
            "--issue-for",
            Kind(placeholder="NAME.NAMESPACE,...", read=_services, show=lambda _: ""),
            "Keep a certificate for each of these Services in the Secret `NAME-cert` of its"
            " namespace, signed by an authority that the webhook keeps in the Secret"
            f" `{names.OWN_AUTHORITY_SECRET}`. If the DB manager or the suggestion service is one"
            " of them, sidecars call it over TLS with a token.",
            default="none",
        ),
        (),
    )
    db_manager_ca: Path | None = setting(
        Row(
            "--db-manager-ca",
            PATH,
            "Sidecars get the authorities (PEM) in this file, which have signed the DB manager's"
            " certificate, and a token. The webhook reads a changed file again.",
            default="those of `--issue-for`, or `trialwatch.dbManagerCA` of katib-config",
        ),
        None,
    )
    suggestion_ca: Path | None = setting(
        Row(
            "--suggestion-ca",
            PATH,
            "The same for the suggestion service, to which sidecars report early stops. Needs"
            " `--db-manager-ca`.",
            default="none",
        ),
        None,
    )
    kubeconfig: Path | None = kubeconfig()
    katib_config: Path | None = katib_config()
    """None: the ConfigMap of the core namespace."""
    core_namespace: str = from_environment(CLUSTER_VARIABLES[0].of)
    environment: Mapping[str, str] = from_environment(
        lambda environ: {key: value for key, value in environ.items() if key.startswith("KATIB_")}
    )
    """Katib's variables, and no others."""
    plain_listen: Address | None = setting(
        Row(
            "--plain-listen",
            ADDRESS_OR_OFF,
            "Serve `/healthz`, `/readyz` and `/metrics` here too, without TLS; `off`: nowhere.",
        ),
        None,
    )
    linger: timedelta = setting(
        Row(
            "--linger",
            DURATION,
            "How long to serve after SIGTERM or SIGINT, while `/readyz` says not ready, until the"
            " cluster sends no more requests.",
        ),
        timedelta(seconds=5),
    )
    grace: timedelta = grace(15, "after that")
    log_level: int = log_level()
    port_file: Path | None = port_file("TLS")


PROGRAM: Final = Program(
    name="webhook",
    synopsis="(--cert-dir DIR | --self-signed --service NAME.NAMESPACE) [FLAG...]",
    purpose="Puts the collector into the pods of trials when the API server creates them, sets\n"
    "the defaults of experiments, and refuses experiments that cannot run.\n"
    "Exit status: 0 ended by SIGTERM or SIGINT, 2 wrong set-up.",
    settings=Settings,
    variables=CLUSTER_VARIABLES,
    variables_head="Katib's variables make the DB manager's address, unless the settings name one",
)


def read_settings(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Build the settings.

    Raises:
        UserError: a flag is unknown, or its value is not of the flag's kind.
        SetupError: the flags name no source of the certificate, or two, or two of the
            authorities.
    """
    settings = settings_of(Settings, argv, environ)
    if settings.self_signed == (settings.cert_dir is not None):
        raise SetupError(
            "give either --cert-dir DIR, with tls.crt and tls.key in it, or --self-signed, and not"
            " both: the API server calls over TLS only"
        )
    if settings.self_signed and settings.service is None:
        raise SetupError(
            "--self-signed needs --service NAME.NAMESPACE: the certificate is for that Service"
        )
    if settings.issue_for and settings.db_manager_ca is not None:
        raise SetupError(
            "give either --issue-for or --db-manager-ca, and not both: the DB manager has one"
            " certificate"
        )
    if settings.suggestion_ca is not None and settings.db_manager_ca is None:
        raise SetupError("--suggestion-ca needs --db-manager-ca: sidecars call both")
    return settings
