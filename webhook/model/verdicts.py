"""What the webhook is told about a pod, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

from api.errors import UserError
from api.types import Suggestion
from webhook.model.images import ImageCommand
from webhook.model.plan import Plan
from webhook.model.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFacts:
    """What stands around a pod: the request it came in, and what look-ups gave."""

    namespace: str
    """Of the request: the pod's own is mostly empty."""
    name: str = ""
    """Of the request; empty where the name is yet to be generated."""
    suggestion: Suggestion | None = None
    """The one that the trial came from, where there is one."""
    image_asked: bool = False
    """Whether the registry was asked for the image's command."""
    image: ImageCommand | None = None
    """Its answer; None where it was silent, too."""
    image_cause: str = ""
    """Why it was silent, where that is known."""


@dataclass(frozen=True, slots=True)
class Note:
    """A reason with its evidence: the value in question, and what to do."""

    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason.sentence}: {self.detail}" if self.detail else self.reason.sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Inject:
    """Change the pod by the plan."""

    reason: Reason
    plan: Plan
    warnings: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Skip(Note):
    """Let the pod pass as it is."""


@dataclass(frozen=True, slots=True)
class Refuse(Note):
    """Do not let the pod in; the text says why."""


Verdict = Inject | Skip | Refuse


class Refused(UserError):
    """Ends a decision from within; `decide` makes a `Refuse` of it."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.refusal = Refuse(reason, detail)
        super().__init__(str(self.refusal))
