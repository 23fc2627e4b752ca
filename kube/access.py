"""Access rights: a question and its answer, as values and as the API's SubjectAccessReview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from api.types import Json, JsonObject
from kube.cluster import Resource

REVIEW: Final = Resource(
    api_version="authorization.k8s.io/v1",
    kind="SubjectAccessReview",
    plural="subjectaccessreviews",
    namespaced=False,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """A user or a service account that sends requests to the API server."""

    name: str = ""
    """Empty: the API server did not name a user."""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the authentication adds, for authorizers that read it."""


NOBODY: Final = Requester()


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """An action of a requester; an empty namespace means all namespaces."""

    requester: Requester
    verb: str
    group: str
    version: str
    resource: str
    """The plural, as in `jobs`."""
    namespace: str
    name: str = ""
    """The object; empty: any object, so a right to one object does not allow the action."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether the action is allowed, and the authorizer's reason, if it gives one."""

    allowed: bool
    reason: str = ""


class Authorizer(Protocol):
    """Decides about access; the clusters of this package do."""

    async def decide(self, access: Access) -> Decision:
        """Return whether a requester may do something now.

        Raises:
            Forbidden: this program may not ask this.
            Unavailable: no answer in time, or the server is overloaded; ask again.
        """


def review_of(access: Access) -> JsonObject:
    """Write a question as a SubjectAccessReview."""
    requester = access.requester
    return {
        "apiVersion": REVIEW.api_version,
        "kind": REVIEW.kind,
        "spec": {
            "user": requester.name,
            "uid": requester.uid,
            "groups": list(requester.groups),
            "extra": {name: list(values) for name, values in requester.extra.items()},
            "resourceAttributes": {
                "namespace": access.namespace,
                "verb": access.verb,
                "group": access.group,
                "version": access.version,
                "resource": access.resource,
                **({"name": access.name} if access.name else {}),
            },
        },
    }


def access_of(review: JsonObject) -> Access:
    """Read a question; missing parts are empty."""
    spec = _mapping(review.get("spec"))
    wanted = _mapping(spec.get("resourceAttributes"))
    return Access(
        requester=requester_of(spec, name="user"),
        verb=_text(wanted, "verb"),
        group=_text(wanted, "group"),
        version=_text(wanted, "version"),
        resource=_text(wanted, "resource"),
        namespace=_text(wanted, "namespace"),
        name=_text(wanted, "name"),
    )


def requester_of(document: Json, name: str = "username") -> Requester:
    """Read a requester; `name` is the key of its name, which a review calls `user`."""
    user = _mapping(document)
    extra = _mapping(user.get("extra"))
    return Requester(
        name=_text(user, name),
        uid=_text(user, "uid"),
        groups=_texts(user.get("groups")),
        extra={key: _texts(values) for key, values in extra.items()},
    )


def decision_of(answer: JsonObject) -> Decision:
    """Read an answer; only `allowed: true` allows."""
    status = _mapping(answer.get("status"))
    words = (_text(status, "reason"), _text(status, "evaluationError"))
    return Decision(
        allowed=status.get("allowed") is True and status.get("denied") is not True,
        reason="; ".join(word for word in words if word),
    )


def _mapping(part: Json) -> JsonObject:
    return part if isinstance(part, Mapping) else {}


def _text(part: JsonObject, name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""


def _texts(part: Json) -> tuple[str, ...]:
    listed = part if isinstance(part, Sequence) and not isinstance(part, str) else ()
    return tuple(text for text in listed if isinstance(text, str))
