"""Who may use the pages on this machine: the holder of the token, from the pages themselves.

| attack | what stops it |
|---|---|
| another user of the machine calls the port | the token, in the header of each call of the API |
| a page of another site calls it | the token is in no cookie; its name as host is refused |
| a page of another site writes | the header `X-Trialwatch`, the `Origin`, and JSON only |
| a name, a value or a log line has HTML | pages write text only; the content policy runs no text |
| another site shows the pages in a frame | `frame-ancestors 'none'` |
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from aiohttp import web

from api.errors import SetupError
from serving.addresses import Address
from ui.server.operation import PREFIX

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
OWN_HEADER: Final = "X-Trialwatch"
_READS: Final = frozenset({"GET", "HEAD"})
_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self';"
        " form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Refusal(Exception):
    """A request that is refused."""

    def __init__(self, *, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class LocalGuard:
    """The mode `local`: a loopback address, and one token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def check(self, request: web.Request) -> None:
        """Check a request.

        Raises:
            Refusal: it may not be answered.
        """
        if not is_loopback(_host_of(request.host)):
            raise Refusal(
                status=HTTPStatus.FORBIDDEN,
                message=f"the host {request.host!r} is not this machine's loopback address: open"
                " the address that `trialwatch ui` has printed",
            )
        if not request.path.startswith(f"{PREFIX}/"):
            return
        if not self._has_token(request.headers.get("Authorization", "")):
            raise Refusal(
                status=HTTPStatus.UNAUTHORIZED,
                message="the token is missing or wrong: open the address that `trialwatch ui` has"
                " printed, or send it as `Authorization: Bearer TOKEN`",
            )
        if request.method not in _READS:
            _check_write(request)

    def _has_token(self, header: str) -> bool:
        kind, _, token = header.partition(" ")
        given = token.strip().encode(errors="surrogateescape")  # a header may have any bytes
        same = hmac.compare_digest(given, self._token.encode())
        return kind.lower() == "bearer" and same


def middleware(guard: LocalGuard, refuse: Callable[[Refusal], web.Response]) -> object:
    """Return the middleware that checks each request, and adds headers to each answer."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            guard.check(request)
        except Refusal as refusal:
            return refuse(refusal)
        return await handler(request)

    return guarded


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that tell a browser what a page may do, before an answer is sent."""
    response.headers["Server"] = "trialwatch"
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)


def check_listen(address: Address) -> None:
    """Check the address of the mode `local`.

    Raises:
        SetupError: other machines can reach it.
    """
    if not is_loopback(address.host):
        raise SetupError(
            f"--listen: {address} can be reached by other machines, and these pages have no TLS:"
            " write 127.0.0.1:PORT, and use `ssh -L` from another machine"
        )


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine's own loopback address, or its name."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _check_write(request: web.Request) -> None:
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{request.host}":
        raise Refusal(
            status=HTTPStatus.FORBIDDEN, message=f"the page of {origin!r} may not write here"
        )
    if OWN_HEADER not in request.headers or request.content_type != "application/json":
        raise Refusal(
            status=HTTPStatus.FORBIDDEN,
            message=f"a write needs the header {OWN_HEADER}: 1, and a body of the type"
            " application/json",
        )


def _host_of(host: str) -> str:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return name.strip("[]")
