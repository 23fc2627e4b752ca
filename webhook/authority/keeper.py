"""--issue-for: keeps the authorities and the certificates of Services in their Secrets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from api import names
from api.documents import text_at
from api.errors import SetupError, TrialwatchError, Unavailable
from api.types import JsonObject
from kube.cluster import Cluster, Ref
from kube.errors import Conflict, NotFound
from serving.logs import get_logger
from webhook.authority.authorities import Authority, issue, make_authority
from webhook.authority.steps import Authorities, Timing, next_authorities
from webhook.authority.stored import (
    has_bundle,
    read_authorities,
    read_certificate,
    with_authorities,
    with_certificate,
)
from webhook.certificates.issued import Service

_log = get_logger(__name__)
_SUFFIX: Final = "-cert"
_RETRY_SECONDS: Final = 0.1
_CERTIFICATE_OF_CERT_MANAGER: Final = "cert-manager.io/certificate-name"
"""The annotation of a Secret that cert-manager writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityTarget:
    """The Secret of the authorities, and the Services that get certificates."""

    namespace: str
    services: tuple[Service, ...]
    secret: str = names.OWN_AUTHORITY_SECRET


class ServiceAuthority:
    """The authorities as this replica knows them; all replicas share the Secrets."""

    def __init__(
        self,
        cluster: Cluster,
        target: AuthorityTarget,
        *,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` gives seconds since 1970."""
        self._cluster, self._target, self._clock = cluster, target, clock
        self._timing = timing or Timing()
        self._last: Authorities | None = None
        self.trouble = "the DB manager's certificate has not been looked up yet"
        """Why no certificate can be served; empty: all Services have one."""

    def bundle_for(self, host: str) -> str:
        """Return the authorities (PEM) of a host's certificate; "": it gets none from here."""
        if self._last is None or not any(host in one.hosts for one in self._target.services):
            return ""
        return self._last.bundle

    issued_to = bundle_for

    async def run(self) -> None:
        """Keep the Secrets up to date until cancelled."""
        reported = ""
        while True:
            try:
                await self.reconcile()
                reported = self.trouble = ""
            except Conflict:
                # Another replica wrote first: read what it wrote.
                await asyncio.sleep(min(self._timing.look, _RETRY_SECONDS))
                continue
            except TrialwatchError as error:
                if self.trouble:
                    self.trouble = f"the DB manager has no certificate yet: {error}"
                if str(error) != reported:
                    _log.error("cannot renew the certificates of services", cause=str(error))
                reported = str(error)
            await asyncio.sleep(self._timing.look)

    async def reconcile(self) -> None:
        """Bring all Secrets up to date.

        Raises:
            TrialwatchError: a request to the cluster failed; try again later.
        """
        authorities = await self._reconcile_authorities()
        for service in self._target.services:
            await self._reconcile_service(service, authorities)
        # Only now: no pod gets an authority that is not stored.
        self._last = authorities

    async def _reconcile_authorities(self) -> Authorities:
        secret = await self._get(self._target.namespace, self._target.secret)
        stored = self._read(secret)
        wanted = next_authorities(stored, self._last, self._clock(), self._timing, self._make)
        if wanted is not stored:
            await self._cluster.replace(with_authorities(secret, wanted))
            _log.info("wrote the authorities of services", secret=self._target.secret)
        return wanted

    def _read(self, secret: JsonObject) -> Authorities | None:
        try:
            return read_authorities(secret)
        except SetupError as error:
            _log.error(
                "the Secret of the authorities is not valid; writing it again",
                secret=self._target.secret,
                cause=str(error),
            )
            return None

    async def _reconcile_service(self, service: Service, authorities: Authorities) -> None:
        secret = await self._get(service.namespace, secret_of(service))
        issued = read_certificate(secret, service, authorities.current)
        now, timing = self._clock(), self._timing
        renewed = issued is None or now >= issued.expires - timing.server_renew
        if issued is None or renewed:
            issued = issue(authorities.current, service, now, timing.server_lifetime)
        if renewed or not has_bundle(secret, authorities.bundle):
            await self._cluster.replace(with_certificate(secret, issued, authorities.bundle))
            _log.info(
                "wrote the certificate of a service",
                service=str(service),
                renewed=renewed,
                expires=issued.expires,
            )

    async def _get(self, namespace: str, name: str) -> JsonObject:
        ref = Ref(api_version="v1", kind="Secret", namespace=namespace, name=name)
        try:
            secret = await self._cluster.get(ref)
        except NotFound:
            raise Unavailable(
                f"the Secret {namespace}/{name} is missing: apply the manifests again"
            ) from None
        if certificate := text_at(secret, "metadata", "annotations", _CERTIFICATE_OF_CERT_MANAGER):
            raise Unavailable(
                f"the Secret {namespace}/{name} belongs to cert-manager's Certificate"
                f" {certificate}, and two programs must not write it: delete the Certificate, or"
                " install the overlay cert-manager"
            )
        return secret

    def _make(self, now: float) -> Authority:
        return make_authority(now, self._timing.lifetime)


def secret_of(service: Service) -> str:
    """Return the name of the Secret that has a Service's certificate."""
    return f"{service.name}{_SUFFIX}"
