"""Why a call is refused. Pure."""

from __future__ import annotations

from enum import StrEnum

from api.errors import UserError


class Mode(StrEnum):
    """What happens to calls without a token."""

    OFF = "off"
    """No tokens are read: every call is allowed."""
    PERMISSIVE = "permissive"
    REQUIRED = "required"


class Reason(StrEnum):
    """Why a call is refused: a label of the metrics."""

    NO_TOKEN = "no-token"  # noqa: S105 - a label
    BAD_TOKEN = "bad-token"  # noqa: S105 - a label
    NO_TLS = "no-tls"
    ACT = "act"
    TRIAL = "trial"
    NAMESPACE = "namespace"
    SOURCE = "source"
    JUMP = "jump"
    HAS_TOKENS = "reported-with-token"


class AccessRefused(UserError):
    """A call is refused."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class Unauthenticated(AccessRefused):
    """The call has no token, or one that does not prove an identity."""


class PermissionDenied(AccessRefused):
    """The caller is known, and may not do this."""
