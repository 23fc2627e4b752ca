"""What an error of a gRPC call means: try again, try again a limited number of times, or never.

| code                                       | another try                | because               |
|--------------------------------------------|----------------------------|-----------------------|
| UNAVAILABLE, DEADLINE_EXCEEDED, ABORTED,   | may succeed                | the server or the way |
| CANCELLED, RESOURCE_EXHAUSTED              |                            | to it is away or busy |
| RESOURCE_EXHAUSTED with "larger than max"  | gets the same answer       | it stays too large    |
| INVALID_ARGUMENT, OUT_OF_RANGE,            | gets the same answer       | the request is wrong  |
| FAILED_PRECONDITION                        |                            |                       |
| UNKNOWN, INTERNAL, UNIMPLEMENTED,          | may succeed, or get        | the code does not say |
| NOT_FOUND, ALREADY_EXISTS, DATA_LOSS,      | the same answer            | which of the two      |
| PERMISSION_DENIED, UNAUTHENTICATED         |                            |                       |

Katib's DB manager answers UNKNOWN to all: its database is away, or its SQL statement is wrong.
"""

from __future__ import annotations

import grpc

from api.errors import RemoteError, Unavailable
from collector.core.ports import UnclearAnswer

_Code = grpc.StatusCode
KINDS: dict[grpc.StatusCode, type[RemoteError]] = {
    _Code.UNAVAILABLE: Unavailable,
    _Code.DEADLINE_EXCEEDED: Unavailable,
    _Code.ABORTED: Unavailable,
    _Code.CANCELLED: Unavailable,
    _Code.RESOURCE_EXHAUSTED: Unavailable,
    _Code.INVALID_ARGUMENT: RemoteError,
    _Code.OUT_OF_RANGE: RemoteError,
    _Code.FAILED_PRECONDITION: RemoteError,
    _Code.UNKNOWN: UnclearAnswer,
    _Code.INTERNAL: UnclearAnswer,
    _Code.UNIMPLEMENTED: UnclearAnswer,
    _Code.NOT_FOUND: UnclearAnswer,
    _Code.ALREADY_EXISTS: UnclearAnswer,
    _Code.DATA_LOSS: UnclearAnswer,
    _Code.PERMISSION_DENIED: UnclearAnswer,
    _Code.UNAUTHENTICATED: UnclearAnswer,
}
"""The class of the error for each code but OK."""


def kind_of(code: grpc.StatusCode, details: str, *, has_token: bool = False) -> type[RemoteError]:
    """Return the class of the error for an answer.

    With a token, UNAUTHENTICATED may change: the token and the server's keys are renewed.
    """
    if has_token and code is _Code.UNAUTHENTICATED:
        return Unavailable
    if code is _Code.RESOURCE_EXHAUSTED and "larger than max" in details:
        return RemoteError
    return KINDS[code]
