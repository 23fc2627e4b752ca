"""What this program wrote to jobs, for as long as the watch may not have it yet."""

from __future__ import annotations

from api.types import JsonObject
from controller.on_kube.job_documents import marked_as_deleted
from kube.cluster import Ref, uid_of


class JobWrites:
    """Jobs that were created, read or deleted here. The watch may be behind.

    A deletion stays until the watch sees that the job is gone: see `seen_deleted`.
    """

    def __init__(self) -> None:
        self._documents: dict[Ref, JsonObject] = {}
        self._deleted: dict[Ref, str] = {}

    def note(self, job: Ref, document: JsonObject) -> None:
        """Keep a job as the API server returned it."""
        self._documents[job] = document

    def get(self, job: Ref) -> JsonObject | None:
        """Return the kept document of a job."""
        return self._documents.get(job)

    def drop(self, job: Ref) -> JsonObject | None:
        """Trust the watch again; return the document that was kept until now."""
        return self._documents.pop(job, None)

    def note_deleted(self, job: Ref, uid: str) -> None:
        """Remember that the job with this uid was deleted here; "" if it did not exist.

        The watch may never have seen the job; from now on only the watch says whether it exists.
        """
        self._deleted[job] = uid
        self._documents.pop(job, None)

    def seen_deleted(self, job: Ref) -> None:
        """Forget a deletion that the watch has seen."""
        self._deleted.pop(job, None)

    def with_deletion(self, job: Ref, document: JsonObject) -> JsonObject:
        """Mark a document as deleted if its job was deleted here."""
        if self._deleted.get(job, "") != uid_of(document):
            return document
        return marked_as_deleted(document)
