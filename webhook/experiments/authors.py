"""Decides whether an author may have such trials: of an allowed kind, and within their rights.

The controller creates the object of a trial, and reads the ConfigMap of a template, with its own
rights. So the author of the Experiment or Trial must themselves have the right to create such an
object in that namespace, and to read a ConfigMap of another namespace.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

from api.errors import Fault
from api.faults import forbidden, quoted
from api.installation.trial_kinds import TrialKind, TrialKinds
from api.types import ConfigMapSource
from kube.access import Requester
from kube.cluster import Kind
from webhook.model.lookups import LookupFailed

_CONFIG_MAP: Final = Kind(api_version="v1", kind="ConfigMap")


@dataclass(frozen=True, slots=True, kw_only=True)
class RightLookup:
    """Asks whether a user may do something with objects of a kind in a namespace."""

    author: Requester
    kind: Kind
    namespace: str
    verb: str = "create"
    name: str = ""
    """The object; empty: any."""


@dataclass(frozen=True, slots=True)
class RightGranted:
    """The user may."""


@dataclass(frozen=True, slots=True)
class RightDenied:
    """The user may not."""

    reason: str = ""
    """The authorizer's own words; empty: it gave none."""


@dataclass(frozen=True, slots=True)
class NotNamespaced:
    """No trial can be of this kind: its objects are not in a namespace."""


RightAnswer = RightGranted | RightDenied | NotNamespaced | LookupFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorVerdict:
    """The result; with neither faults nor a failed look-up, the author may have the trials."""

    faults: tuple[Fault, ...] = ()
    lookup_failure: str = ""
    """Why the right could not be looked up; empty: it was, or was not needed."""
    kind: str = ""
    """The kind that the author may create, as in `Job.batch`."""


def decide_on_trial(
    author: Requester, kind: TrialKind, namespace: str, kinds: TrialKinds
) -> Generator[RightLookup, RightAnswer, AuthorVerdict]:
    """Decide on a trial that a user writes: the kind of its object, and the user's right to it."""
    path = "spec.runSpec"
    refusal = kinds.refusal(kind)
    if refusal:
        return AuthorVerdict(faults=(forbidden(path, refusal),))
    return (yield from decide_on_author(author, kind, namespace, path))


def decide_on_reader(
    author: Requester, source: ConfigMapSource, namespace: str, path: str
) -> Generator[RightLookup, RightAnswer, AuthorVerdict]:
    """Decide whether a user in a namespace may take a template from a ConfigMap.

    It may be in their own namespace; in another one only if the user may read it. A refusal does
    not say whether the ConfigMap exists. `path` is the field that names it.
    """
    if source.namespace == namespace:
        return AuthorVerdict()
    which = f"ConfigMap {source.namespace}/{source.name}"
    answer = yield RightLookup(
        author=author, kind=_CONFIG_MAP, namespace=source.namespace, verb="get", name=source.name
    )
    match answer:
        case RightGranted():
            return AuthorVerdict()
        case LookupFailed(cause=cause):
            right = f"whether user {quoted(author.name)} may read {which}"
            return AuthorVerdict(lookup_failure=f"{path}: cannot look up {right}: {cause}")
        case _:
            why = (
                f"user {quoted(author.name)} may not read {which}, so their trials may not either;"
                f" copy the template into a ConfigMap in the namespace {namespace}, or ask an"
                " administrator for the right to get that ConfigMap"
            )
            return AuthorVerdict(faults=(forbidden(path, why),))


def decide_on_author(
    author: Requester, kind: TrialKind, namespace: str, path: str
) -> Generator[RightLookup, RightAnswer, AuthorVerdict]:
    """Decide whether a user may have trials of a kind; `path` is the field that names the kind."""
    wanted = Kind(api_version=kind.api_version, kind=kind.kind)
    answer = yield RightLookup(author=author, kind=wanted, namespace=namespace)
    match answer:
        case RightGranted():
            return AuthorVerdict(kind=kind.short)
        case NotNamespaced():
            why = f"objects of the kind {wanted} are not in a namespace, so a trial cannot be one"
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
            right = f"whether user {quoted(author.name)} may create objects of the kind {wanted}"
            return AuthorVerdict(lookup_failure=f"{path}: cannot look up {right}: {cause}")
