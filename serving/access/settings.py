"""The settings of who may call a server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from api import names
from api.errors import SetupError, UserError
from api.faults import quoted
from serving.access.refusals import Mode
from serving.flag_values import PATH, Kind
from serving.settings import Row
from serving.tokens.discovery import USUAL_ISSUER

_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod has the token of its service account, and the authority of the API server."""
_ACCOUNT_NAME: Final = re.compile(r"[a-z0-9][-a-z0-9.]{0,252}/[a-z0-9][-a-z0-9.]{0,252}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings:
    """Which callers a server knows."""

    mode: Mode = Mode.OFF
    keys: str = ""
    keys_ca: Path | None = _ACCOUNT / "ca.crt"
    keys_token: Path | None = _ACCOUNT / "token"
    issuer: str = ""
    """"": the one that the server of the keys names; for a file of keys, the usual one."""
    audience: str = names.MANAGER_AUDIENCE
    managers: tuple[str, ...] = (f"{names.CORE_NAMESPACE}/{names.OWN_CONTROLLER}",)
    """NAMESPACE/NAME of service accounts."""


def check_access(settings: AccessSettings, *, tls: bool) -> None:
    """Check that a server that reads tokens has TLS and keys.

    Raises:
        SetupError: a flag is missing.
    """
    if settings.mode is Mode.OFF:
        return
    flag = f"--auth {settings.mode}"
    if not tls:
        raise SetupError(f"{flag} needs --tls-cert and --tls-key: tokens are sent over TLS only")
    if not settings.keys:
        raise SetupError(
            f"{flag} needs --auth-keys FILE or URL: the keys that the API server signs with"
        )


def access_rows(*, but_not: str, needs: str, managers: str) -> Mapping[str, Row[Any]]:
    """Return the flag of each setting.

    Args:
        but_not: what `permissive` does not allow without a token.
        needs: the flags that tokens need.
        managers: what managers may do.
    """
    return {
        "mode": Row(
            "--auth",
            Kind(placeholder="MODE", read=_mode),
            "Who may call: `off` reads no tokens and allows every call; `permissive` also allows"
            f" calls without a token, but not {but_not}; `required` refuses calls without a valid"
            f" token. The last two need {needs}.",
        ),
        "keys": Row(
            "--auth-keys",
            Kind(placeholder="FILE-OR-URL", read=str),
            "The public keys of the API server, as `/openid/v1/jwks` has them: a file, or an https"
            " URL such as `https://kubernetes.default.svc/openid/v1/jwks`. They are read again"
            " every 5 minutes, and when a token has an unknown key.",
        ),
        "keys_ca": Row(
            "--auth-keys-ca",
            PATH,
            "The authorities (PEM) of the certificate of that URL. Empty: those of the system.",
        ),
        "keys_token": Row(
            "--auth-keys-token",
            PATH,
            "The file of the token that is sent to that URL. Empty: none.",
        ),
        "issuer": Row(
            "--auth-issuer",
            Kind(placeholder="URL", read=str),
            "The issuer that tokens must have.",
            default="the one that the server of `--auth-keys` names in its"
            f" `/.well-known/openid-configuration`; for a file, {USUAL_ISSUER}",
        ),
        "audience": Row(
            "--auth-audience",
            Kind(placeholder="AUDIENCE", read=str),
            f"The audience of the tokens of managers, which may {managers}.",
        ),
        "managers": Row(
            "--auth-managers",
            Kind(placeholder="NAMESPACE/NAME,...", read=_accounts, show=",".join),
            "The service accounts whose tokens for this audience are accepted.",
        ),
    }


def _mode(text: str) -> Mode:
    try:
        return Mode(text)
    except ValueError:
        raise UserError(f"{quoted(text)} is unknown; write one of {', '.join(Mode)}") from None


def _accounts(text: str) -> tuple[str, ...]:
    accounts = tuple(part.strip() for part in text.split(",") if part.strip())
    for account in accounts:
        if _ACCOUNT_NAME.fullmatch(account) is None:
            raise UserError(f"{quoted(account)} is not a service account; write NAMESPACE/NAME")
    return accounts
