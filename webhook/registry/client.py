"""The OCI distribution API over HTTP, for one image at one registry with one login.

A registry is not trusted. Its redirects are followed over TLS only, and the login is never sent to
another host. The size of a response is limited; the caller limits the time.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from api.errors import RemoteError, Unavailable
from webhook.registry import challenges, manifests
from webhook.registry.challenges import Challenge
from webhook.registry.link_local import refuse_link_local
from webhook.registry.pull_secrets import Login
from webhook.registry.references import ImageReference

_MOST_REDIRECTS: Final = 5
_MOST_TOKEN_BYTES: Final = 256 * 1024
_LONGEST_CAUSE: Final = 200
_CHUNK_BYTES: Final = 64 * 1024
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_ACCEPT = ", ".join(manifests.ACCEPTED)


class AccessDenied(RemoteError):
    """The registry does not let this login read the image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    challenges: tuple[str, ...]
    body: bytes
    at: URL


class RegistryClient:
    """Fetches the documents of one image."""

    def __init__(
        self, session: aiohttp.ClientSession, reference: ImageReference, login: Login | None
    ) -> None:
        self._session = session
        self._reference = reference
        self._login = login
        self._origin = URL(reference.origin)
        self._authorization: str | None = None

    async def digest(self) -> str | None:
        """Return the digest of the tag; None: not given. The HEAD request counts as no pull."""
        path = f"manifests/{self._reference.version}"
        answer = await self._get(path, method="HEAD", accept=_ACCEPT)
        return answer.headers.get("Docker-Content-Digest")

    async def manifest(self, version: str) -> bytes:
        """Fetch an index or a manifest by tag or digest, and check the digest.

        Raises:
            AccessDenied: the registry does not let this login read the image.
            Unavailable: the registry does not answer, or is overloaded.
            RemoteError: it does not have the image, or its answer is not valid.
        """
        body = (await self._get(f"manifests/{version}", accept=_ACCEPT)).body
        if ":" in version:
            manifests.check_digest(body, version)
        return body

    async def blob(self, digest: str) -> bytes:
        """Fetch a blob and check its digest. Raises what `manifest` raises."""
        body = (await self._get(f"blobs/{digest}", accept="*/*")).body
        manifests.check_digest(body, digest)
        return body

    async def _get(self, path: str, *, accept: str, method: str = "GET") -> _Answer:
        url = self._origin / "v2" / self._reference.repository / path
        answer = await self._follow(url, method=method, accept=accept)
        if answer.status == HTTPStatus.UNAUTHORIZED and _same_origin(answer.at, self._origin):
            offered = challenges.parse_challenges(answer.challenges)
            self._authorization = await self._authorize(offered)
            answer = await self._follow(url, method=method, accept=accept)
        if answer.status != HTTPStatus.OK:
            raise self._refusal(answer)
        return answer

    async def _authorize(self, offered: Iterable[Challenge]) -> str:
        by_scheme = {challenge.scheme: challenge for challenge in reversed(list(offered))}
        if challenges.BEARER in by_scheme:
            return f"Bearer {await self._token(by_scheme[challenges.BEARER])}"
        if challenges.BASIC in by_scheme and self._login is not None:
            return _basic(self._login)
        raise self._denied()

    async def _token(self, challenge: Challenge) -> str:
        url = URL(challenges.token_address(challenge, self._reference), encoded=True)
        authorization = _basic(self._login) if self._login else None
        answer = await self._fetch(url, authorization=authorization, most=_MOST_TOKEN_BYTES)
        if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise self._denied()
        if answer.status != HTTPStatus.OK:
            raise self._refusal(answer)
        document = manifests.read_document(answer.body)
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise RemoteError(f"{url.host} returned no token for {self._reference.name}")
        return token

    async def _follow(self, url: URL, *, method: str, accept: str) -> _Answer:
        """Send a request and follow redirects; only the registry itself gets the login."""
        for _ in range(_MOST_REDIRECTS + 1):
            own = self._authorization if _same_origin(url, self._origin) else None
            answer = await self._fetch(url, method=method, accept=accept, authorization=own)
            if answer.status not in _REDIRECTS:
                return answer
            url = self._next(url, answer.headers.get("Location", ""))
        raise RemoteError(
            f"{self._reference.domain} redirects more than {_MOST_REDIRECTS} times in a row"
        )

    def _next(self, url: URL, location: str) -> URL:
        try:
            # A signed URL must stay exactly as it was written.
            target = url.join(URL(location, encoded=True))
            host = target.host or ""
        except ValueError:
            raise RemoteError(f"{self._reference.domain} redirects to an invalid address") from None
        challenges.check_scheme(target.scheme, host, self._reference)
        return target

    async def _fetch(
        self,
        url: URL,
        *,
        method: str = "GET",
        accept: str = "*/*",
        authorization: str | None,
        most: int = manifests.MOST_BYTES,
    ) -> _Answer:
        # Compressed, a small body could unpack to any size, and would not match its digest.
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        if authorization is not None:
            headers["Authorization"] = authorization
        try:
            # aiohttp asks its resolver for names only.
            refuse_link_local(url.host or "")
            async with self._session.request(
                method, url, headers=headers, allow_redirects=False, proxy=_proxy_for(url)
            ) as response:
                body = await _bounded(response, most)
                return _Answer(
                    status=response.status,
                    headers=response.headers,
                    challenges=tuple(response.headers.getall("WWW-Authenticate", ())),
                    body=body,
                    at=url,
                )
        # ValueError: from an invalid address of a registry, which aiohttp finds only here.
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # The text may repeat lines that the registry sent.
            cause = " ".join(str(error).split())[:_LONGEST_CAUSE] or type(error).__name__
            raise Unavailable(f"{url.host} does not answer: {cause}") from error

    def _refusal(self, answer: _Answer) -> RemoteError:
        status, domain = answer.status, self._reference.domain
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return self._denied()
        if status == HTTPStatus.NOT_FOUND:
            return RemoteError(f"{domain} does not have {self._reference}")
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Unavailable(f"{answer.at.host} answers with status {status}")
        return RemoteError(f"{answer.at.host} answers with status {status}")

    def _denied(self) -> AccessDenied:
        if self._login is None:
            return AccessDenied(
                f"{self._reference.name} does not exist or is private, and no imagePullSecret of"
                " the pod has a login for it"
            )
        # The message does not name the login: the pod's author may not be allowed to know it.
        return AccessDenied(
            f"{self._reference.domain} does not let the login of the pod's imagePullSecrets"
            f" read {self._reference.name}"
        )


async def _bounded(response: aiohttp.ClientResponse, most: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > most:
            raise RemoteError(f"{response.url.host} sends more than {most} bytes")
    return bytes(body)


def _basic(login: Login) -> str:
    words = f"{login.username}:{login.password}".encode(errors="surrogatepass")
    return f"Basic {base64.b64encode(words).decode()}"


def _same_origin(first: URL, second: URL) -> bool:
    return (first.scheme, first.host, first.port) == (second.scheme, second.host, second.port)


def _proxy_for(url: URL) -> str | None:
    """Return the proxy for a URL by HTTPS_PROXY, HTTP_PROXY and NO_PROXY.

    aiohttp's own option for this would also read ~/.netrc; only the pod's own logins may be used.
    """
    proxies = getproxies()
    return None if proxy_bypass(url.host or "") else proxies.get(url.scheme)
