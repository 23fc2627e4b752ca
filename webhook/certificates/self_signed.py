"""--self-signed: makes the certificate, has it trusted, and renews it, beside the other replicas.

async with SelfSigned(cluster, place) as certificates:
    ... serve with certificates.ssl_context; certificates.ready says whether that makes sense
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from api import names
from api.errors import Unavailable
from api.types import JsonObject
from kube.cluster import Cluster, Ref, version_of
from kube.errors import Conflict, Forbidden, NotFound
from serving.logs import get_logger
from webhook.certificates import rotation
from webhook.certificates.certificate_source import CertificateSource
from webhook.certificates.issued import IssuedCertificate, Mint, Service, mint
from webhook.certificates.reconcile_once import (
    CertificateTarget,
    Get,
    Operation,
    Patch,
    ReconcileResult,
    reconcile_once,
)
from webhook.certificates.rotation import RotationState, Timing

_CONFIGURATION_API: Final = "admissionregistration.k8s.io/v1"
_MUTATING: Final = "MutatingWebhookConfiguration"
_VALIDATING: Final = "ValidatingWebhookConfiguration"
_MOST_STEPS: Final = 16
"""More in a row mean that somebody undoes each of them."""
_log = get_logger(__name__)


def target_of(
    service: Service,
    *,
    secret: str = names.OWN_WEBHOOK_SECRET,
    configuration: str = names.OWN_WEBHOOK,
    experiments: str = names.OWN_EXPERIMENT_WEBHOOKS,
) -> CertificateTarget:
    """Say where the certificate of a service is kept, and who has to trust it."""
    return CertificateTarget(
        service=service,
        secret=Ref(api_version="v1", kind="Secret", namespace=service.namespace, name=secret),
        configurations=tuple(
            Ref(api_version=_CONFIGURATION_API, kind=kind, name=name)
            for kind, name in (
                (_MUTATING, configuration),
                (_MUTATING, experiments),
                (_VALIDATING, experiments),
            )
        ),
    )


class SelfSignedCertificate(CertificateSource):
    """The certificate of this replica."""

    def __init__(
        self,
        cluster: Cluster,
        place: CertificateTarget,
        *,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.time,
        mint_with: Mint | None = None,
    ) -> None:
        """`clock` gives seconds since 1970; `mint_with` makes an authority with its certificate."""
        self._cluster, self._place, self._clock = cluster, place, clock
        self._timing = timing or Timing()
        self._mint = mint_with or self._mint_own
        super().__init__(self._timing.look)
        self._held: RotationState | None = None
        self._trusted = False
        self._seen = -1.0

    @property
    def ready(self) -> bool:
        """Whether callers trust what is served."""
        if self._held is None or not self._trusted:
            return False
        return rotation.may_serve(self._held, self._seen, self._clock(), self._timing)

    @property
    def expires(self) -> float | None:
        """Until when the certificate is good, in seconds since 1970; None: there is none yet."""
        current = self._held.current if self._held else None
        return current.expires if current else None

    async def look(self) -> ReconcileResult:
        """Take one turn; where it has a step, the next one may have more to do.

        Raises:
            TrialwatchError: the cluster cannot be asked or told; try again later.
        """
        began = self._clock()
        done = await self._drive()
        self._serve(done, began)
        return done

    async def _attend(self) -> None:
        # A turn that did something is followed by one that reads it back; a race lost, too.
        for _ in range(_MOST_STEPS):
            if not await self._looked():
                return

    async def _looked(self) -> bool:
        """Take a turn and tell of it; return whether the next one may have more to do."""
        done = await self.look()
        self._complain(self._fault_of(done))
        if done.step is not None:
            phase = done.state.phase if done.state else "beginning"
            step = type(done.step).__name__
            _log.info(
                "did a step of the certificate's rotation",
                phase=phase,
                step=step,
                expires=self.expires,
            )
        return done.step is not None

    async def _drive(self) -> ReconcileResult:
        """Do what the turn asks for."""
        turning = reconcile_once(self._place, self._timing, self._held, self._clock, self._mint)
        answer: JsonObject | None = None
        try:
            operation = next(turning)
            while True:
                async with asyncio.timeout(self._timing.settle / 2):
                    answer = await self._do(operation)
                operation = turning.send(answer)
        except StopIteration as end:
            done: ReconcileResult = end.value
            return done
        except TimeoutError:
            raise Unavailable("the API server did not answer in time") from None

    async def _do(self, operation: Operation) -> JsonObject | None:
        if isinstance(operation, Get):
            return await self._get(operation.ref)
        try:
            if isinstance(operation, Patch):
                return await self._cluster.patch(operation.ref, operation.patch)
            if version_of(operation.document):
                return await self._cluster.replace(operation.document)
            return await self._cluster.create(operation.document)
        except Conflict:
            # Another replica was quicker; the next turn sees what it wrote.
            return None

    async def _get(self, ref: Ref) -> JsonObject | None:
        try:
            return await self._cluster.get(ref)
        except NotFound:
            return None
        except Forbidden:
            # Nobody has to give us rights on a configuration that he does not have.
            if ref not in self._place.configurations[1:]:
                raise
            return None

    def _mint_own(self, now: float) -> IssuedCertificate:
        return mint(self._place.service, now, self._timing.lifetime)

    def _serve(self, done: ReconcileResult, began: float) -> None:
        """Load what the Secret says; what was loaded before serves on where it says nothing."""
        if done.state is None:
            return
        current = done.state.current
        if current is not None and (self._held is None or self._held.current != current):
            self._newest.load(current.cert, current.key)
        self._held, self._trusted, self._seen = done.state, done.trusted, began

    def _fault_of(self, done: ReconcileResult) -> str:
        if done.fault:
            return f"Secret {self._place.secret.name}: {done.fault}; it is written anew"
        if not done.watched:
            return (
                f"no webhook configuration {self._place.configurations[0].name} calls"
                f" {self._place.service}, so nobody trusts the certificate; apply the configuration"
            )
        return ""
