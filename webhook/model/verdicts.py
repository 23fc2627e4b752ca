"""What a decision about a pod takes besides the pod, and the verdict that it returns."""

from __future__ import annotations

from dataclasses import dataclass

from api.errors import UserError
from api.types import Suggestion
from webhook.model.images import ImageCommand
from webhook.model.plan import Plan
from webhook.model.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PodContext:
    """What is known beside the pod: the request that creates it, and the answers to look-ups."""

    namespace: str
    """Of the request: the pod's own is often empty."""
    name: str = ""
    """Of the request; empty if the API server has yet to generate the name."""
    suggestion: Suggestion | None = None
    """The Suggestion that the trial came from, if there is one."""
    image_asked: bool = False
    """Whether the command of the image was looked up."""
    image: ImageCommand | None = None
    """The command of the image; None: unknown, or not looked up."""
    image_cause: str = ""
    """Why the command of the image is unknown; empty: no cause is known."""


@dataclass(frozen=True, slots=True)
class Note:
    """A reason with its evidence: the value in question, and what to do."""

    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason.sentence}: {self.detail}" if self.detail else self.reason.sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Inject:
    """Change the pod as planned."""

    reason: Reason
    plan: Plan
    warnings: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Skip(Note):
    """Let the pod pass unchanged."""


@dataclass(frozen=True, slots=True)
class Refuse(Note):
    """Refuse the pod; the text says why."""


Verdict = Inject | Skip | Refuse


class PodRefused(UserError):
    """Raised inside a decision to end it; `decide` turns it into its `refusal`."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.refusal = Refuse(reason, detail)
        super().__init__(str(self.refusal))
