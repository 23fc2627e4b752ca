"""The errors of a cluster, grouped by the side that must act.

* UserError
  * NotFound: the object does not exist; correct the name, or wait
    * UnknownKind: the cluster does not serve the kind, so it has no such object
  * Invalid: the document or the patch is wrong; sending it again does not help
* SetupError
  * Forbidden: credentials or rights are missing; the operator must give them
* RemoteError
  * Conflict: another writer was faster; read again, then decide again
    * AlreadyExists: an object of this name exists
  * Gone: the server has forgotten the version; list again, then watch from there
  * Unavailable (of `api.errors`): the server does not answer now; ask again
"""

from __future__ import annotations

from api.errors import Fault, RemoteError, SetupError, UserError


class NotFound(UserError):
    """The object does not exist."""


class UnknownKind(NotFound):
    """The cluster does not serve this kind, or not in this version."""


class Invalid(UserError):
    """The cluster refuses this document each time."""

    causes: tuple[Fault, ...] = ()
    """What is wrong, by field, if the server says it."""


class Forbidden(SetupError):
    """The cluster does not know the program, or does not allow it to do this."""


class Conflict(RemoteError):
    """The object has changed since it was read."""


class AlreadyExists(Conflict):
    """An object of this name exists already."""


class Gone(RemoteError):
    """The server no longer knows the changes since that version."""
