"""The port: what a program may ask of a cluster, and what it gets.

Documents are plain JSON objects, as the API has them. What is handed out is the caller's own, and
no later call changes it; what is handed in is not changed either.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias

from api.documents import mapping_at, text_at
from api.types import JsonObject

Patch: TypeAlias = JsonObject | Sequence[JsonObject]
"""A mapping is a JSON merge patch (RFC 7386), a sequence of operations a JSON patch (RFC 6902)."""

Labels: TypeAlias = Mapping[str, str | None]
"""Labels that are asked for; None: whatever the label's value is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of objects, as documents name it."""

    api_version: str
    """`v1`, `batch/v1`, `kubeflow.org/v1beta1`."""
    kind: str

    def __str__(self) -> str:
        return f"{self.kind} ({self.api_version})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A kind's place in the API."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool
    status: bool = False
    """Whether the status is a part of its own; what discovery says of it is not read."""

    @property
    def of(self) -> Kind:
        """The kind."""
        return Kind(api_version=self.api_version, kind=self.kind)

    @property
    def group(self) -> str:
        """The group of its API; empty for the core one."""
        return self.api_version.rpartition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """One object; `namespace` is empty for kinds that have none."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""

    @property
    def of(self) -> Kind:
        """Its kind."""
        return Kind(api_version=self.api_version, kind=self.kind)

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {place} ({self.api_version})"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which objects a list or a watch covers."""

    kind: Kind
    namespace: str = ""
    """Empty: all namespaces."""
    _: KW_ONLY
    name: str = ""
    """Empty: any name."""
    labels: Labels = field(default_factory=dict)
    """Empty: any labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The objects of a scope at one moment, and that moment's version: a watch starts there."""

    items: tuple[JsonObject, ...]
    version: str


class ChangeType(StrEnum):
    """What happened to an object; the words are the API's."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"
    """Nothing happened up to the version in the document, which has nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One event of a watch."""

    type: ChangeType
    document: JsonObject
    """The object as it is now; of one that was deleted, as it was last."""

    @property
    def version(self) -> str:
        """The version up to which the watcher has seen all."""
        return version_of(self.document)


class Propagation(StrEnum):
    """What becomes of the objects that a deleted one owns; the words are the API's."""

    BACKGROUND = "Background"
    """They are deleted afterwards."""
    FOREGROUND = "Foreground"
    """They are deleted first."""
    ORPHAN = "Orphan"
    """They stay."""


class Cluster(Protocol):
    """Objects of any kind, by (apiVersion, kind, namespace, name).

    Every call may raise, beside what it names itself (classes of `kube.errors`, by who must act):

        UnknownKind: the cluster does not serve this kind.
        Forbidden: credentials are missing or refused, or they do not allow this.
        Unavailable: no answer in time, or the server has too much to do; asking again is right.

    No call is repeated by itself; how often, and until when, is the caller's to say. All may be
    cancelled at any moment.
    """

    async def get(self, ref: Ref) -> JsonObject:
        """Read an object.

        Raises:
            NotFound: it is not there.
        """

    async def list(self, scope: Scope) -> Listing:
        """Read all objects of a kind, in one namespace or (where it is empty) in all.

        `name` and `labels` leave out all others. Each item carries `apiVersion` and `kind`, which
        the API's own lists leave out. Order means nothing.
        """

    def pages(self, scope: Scope) -> AsyncGenerator[Listing, None]:
        """Read what `list` reads, part by part, so that it need never be in memory as a whole.

        There is at least one part. All show the same moment, whose version the last one carries.

        Raises:
            Gone: that moment was forgotten before the last part was read; begin again.
        """

    def watch(self, scope: Scope, *, since: str) -> AsyncGenerator[Change, None]:
        """Follow what happens after a version, in order, each once; close it when done.

        Ends, without an error, when the server has had enough: go on from the last version seen.
        An object that comes to match `labels` is added, one that ceases to match is deleted.
        Labels and name of bookmarks are nobody's; they only carry a version.

        Raises:
            Gone: `since` is too long ago, at the start or on the way; list again.
            Unavailable: the connection broke; go on from the last version seen.
        """

    async def create(self, document: JsonObject) -> JsonObject:
        """Create an object, and return it as it was stored: with uid and version.

        The document names it; `metadata.generateName` lets the cluster choose the name's end.

        Raises:
            AlreadyExists: one of that name is there.
            NotFound: its namespace is not there.
            Invalid: the document is wrong.
        """

    async def replace(self, document: JsonObject, *, status: bool = False) -> JsonObject:
        """Put a document in the place of the one there, and return it as it was stored.

        `metadata.resourceVersion` says in the place of which version. With `status` nothing but the
        status is written, without it nothing of the status, for kinds that keep it apart. What
        changes nothing makes no new version.

        Raises:
            NotFound: the object is not there.
            Conflict: it has changed since that version, or is another one (`metadata.uid`).
            Invalid: the document is wrong, or has no version.
        """

    async def patch(self, ref: Ref, patch: Patch, *, status: bool = False) -> JsonObject:
        """Change an object, and return it as it was stored.

        A merge patch with `metadata.resourceVersion` changes only that version, and one with
        `metadata.uid` only that object. `status` as in `replace`.

        Raises:
            NotFound: the object is not there.
            Conflict: it has changed since that version.
            Invalid: the patch does not apply (a `test` that fails, too), its result is wrong, or
                the object is another one (`metadata.uid`).
        """

    async def delete(
        self, ref: Ref, *, uid: str = "", propagation: Propagation = Propagation.BACKGROUND
    ) -> None:
        """Delete an object; with `uid` only that one, not another that has taken its name.

        One that has finalizers is marked, and goes when the last of them is taken away.

        Raises:
            NotFound: it is not there.
            Conflict: it is another one.
        """

    async def resource_of(self, kind: Kind) -> Resource:
        """Say where a kind is in the API: its plural, and whether its objects are in a namespace.

        Raises:
            UnknownKind: the cluster does not serve it.
        """

    async def close(self) -> None:
        """Let go of connections; watches that are open end or fail."""


class PodLogs(Protocol):
    """What the containers of pods print; a cluster with nodes has it."""

    def pod_log(
        self, pod: Ref, container: str = "", *, follow: bool = False, previous: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """Read what a container printed, in pieces of any length; close it when done.

        The container may be left out where there is but one. With `follow` it goes on until the
        container has ended; with `previous` it is what the container before this one printed,
        in the same pod. Beside the errors of `Cluster`:

        Raises:
            NotFound: there is no such pod.
            Invalid: there is no such container, none before this one, or it has not begun.
            Unavailable: the connection broke.
        """


def ref_of(document: JsonObject) -> Ref:
    """Name the object that a document is."""
    return Ref(
        api_version=str(document.get("apiVersion", "")),
        kind=str(document.get("kind", "")),
        namespace=text_at(document, "metadata", "namespace"),
        name=text_at(document, "metadata", "name"),
    )


def version_of(document: JsonObject) -> str:
    """Return a document's resourceVersion; empty where it has none."""
    return text_at(document, "metadata", "resourceVersion")


def uid_of(document: JsonObject) -> str:
    """Return a document's uid; empty where it has none."""
    return text_at(document, "metadata", "uid")


def labels_of(document: JsonObject) -> Mapping[str, str]:
    """Return a document's labels; what is no text is left out."""
    labels = mapping_at(document, "metadata", "labels")
    return {key: value for key, value in labels.items() if isinstance(value, str)}
