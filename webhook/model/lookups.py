"""What a decision may look up, and the answers: objects of the cluster, and commands of images."""

from __future__ import annotations

from dataclasses import dataclass

from api.types import JsonObject
from webhook.model.images import ImageCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectLookup:
    """Asks for one object of the cluster."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str = ""
    """As in the reference to it; empty: any. An object with another uid is a different object."""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name} ({self.api_version})"


@dataclass(frozen=True, slots=True)
class ObjectFound:
    """The object exists."""

    document: JsonObject


@dataclass(frozen=True, slots=True)
class ObjectAbsent:
    """The API server was asked, and the object does not exist."""


@dataclass(frozen=True, slots=True)
class LookupFailed:
    """The look-up and its retries failed, so the object may or may not exist."""

    cause: str


ObjectAnswer = ObjectFound | ObjectAbsent | LookupFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLookup:
    """Asks for the command of an image, with the secrets that may open its registry."""

    image: str
    namespace: str
    pull_secrets: tuple[str, ...] = ()
    """The names of the pod's own `imagePullSecrets`."""
    architecture: str = ""
    """The pod's node selector `kubernetes.io/arch`; empty: not set."""


@dataclass(frozen=True, slots=True)
class ImageUnknown:
    """The command of the image could not be found out, for this cause."""

    cause: str


ImageAnswer = ImageCommand | ImageUnknown

Lookup = ObjectLookup | ImageLookup
"""One question of a decision."""
Answer = ObjectAnswer | ImageAnswer | None
"""Its answer. None to an `ImageLookup`: no registry was asked."""
