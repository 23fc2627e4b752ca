"""What a trial may be: of an allowed kind, and one that its author may create without us.

The controller creates the object of a trial with its own rights. So whoever asks for it, by an
Experiment or by a Trial, must have the right to create such an object in that namespace.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from api.errors import Fault
from api.faults import forbidden, quoted
from api.installation.trial_kinds import TrialKind, TrialKinds
from kube.access import Requester
from kube.cluster import Kind
from webhook.model.lookups import LookupFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class RightLookup:
    """The question whether somebody may create objects of a kind in a namespace."""

    author: Requester
    kind: Kind
    namespace: str


@dataclass(frozen=True, slots=True)
class RightGranted:
    """They may."""


@dataclass(frozen=True, slots=True)
class RightDenied:
    """They may not, and the authorizer's own words, if it has any."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class NotNamespaced:
    """Nobody may by a trial: objects of this kind are not in a namespace."""


RightAnswer = RightGranted | RightDenied | NotNamespaced | LookupFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorVerdict:
    """What is wrong with what somebody asks for; with neither it is right."""

    faults: tuple[Fault, ...] = ()
    unknown: str = ""
    """Why it cannot be judged now."""
    kind: str = ""
    """The kind that they may create, as `Job.batch`."""


def decide_on_trial(
    author: Requester, kind: TrialKind, namespace: str, kinds: TrialKinds
) -> Generator[RightLookup, RightAnswer, AuthorVerdict]:
    """Judge a trial that somebody writes: the kind of its object, and their right to it."""
    path = "spec.runSpec"
    refusal = kinds.refusal(kind)
    if refusal:
        return AuthorVerdict(faults=(forbidden(path, refusal),))
    return (yield from decide_on_author(author, kind, namespace, path))


def decide_on_author(
    author: Requester, kind: TrialKind, namespace: str, path: str
) -> Generator[RightLookup, RightAnswer, AuthorVerdict]:
    """Judge whether somebody may have trials of a kind; `path` is the field that names it."""
    wanted = Kind(api_version=kind.api_version, kind=kind.kind)
    answer = yield RightLookup(author=author, kind=wanted, namespace=namespace)
    match answer:
        case RightGranted():
            return AuthorVerdict(kind=kind.short)
        case NotNamespaced():
            why = f"objects of the kind {wanted} are not in a namespace, so no trial can be one"
            return AuthorVerdict(faults=(forbidden(path, f"{why}; use a namespaced kind"),))
        case RightDenied(reason=reason):
            words = f" ({reason})" if reason else ""
            why = (
                f"user {quoted(author.name)} may not create objects of the kind {wanted} in the"
                f" namespace {namespace}{words}, so their trials may not either; ask an"
                " administrator for the right to create them, or use another kind"
            )
            return AuthorVerdict(faults=(forbidden(path, why),))
        case LookupFailed(cause=cause):
            why = f"whether user {quoted(author.name)} may create objects of the kind {wanted}"
            return AuthorVerdict(unknown=f"{path}: {why} could not be looked up: {cause}")
