"""What a cluster refuses, by who must act.

* UserError
  * NotFound: there is no such object; whoever named it must correct the name, or wait
    * UnknownKind: there is no such kind, so there can be no such object
  * Invalid: the document or the patch is wrong, and will be so the next time
* SetupError
  * Forbidden: credentials or rights are missing; the operator must give them
* RemoteError
  * Conflict: somebody else was quicker; read again, then decide again
    * AlreadyExists: an object of that name is there
  * Gone: it is too long ago; list again, then watch from there
  * Unavailable (of `api.errors`): no answer, or none for now; ask again
"""

from __future__ import annotations

from api.errors import RemoteError, SetupError, UserError


class NotFound(UserError):
    """There is no such object."""


class UnknownKind(NotFound):
    """The cluster does not serve this kind, or not in this version."""


class Invalid(UserError):
    """The cluster will not take this document, however often it is sent."""


class Forbidden(SetupError):
    """We are not known to the cluster, or may not do this."""


class Conflict(RemoteError):
    """The object has changed since it was read."""


class AlreadyExists(Conflict):
    """An object of this name is there already."""


class Gone(RemoteError):
    """What happened since then is no longer known."""
