"""--self-signed: makes the certificate, makes the API server trust it, and renews it.

async with SelfSignedCertificate(cluster, target) as certificate:
    ... serve with certificate.ssl_context, while certificate.ready is true
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
"""The most steps in a row: more mean that another program undoes each of them."""
_log = get_logger(__name__)


def target_of(
    service: Service,
    *,
    secret: str = names.OWN_WEBHOOK_SECRET,
    configuration: str = names.OWN_WEBHOOK,
    experiments: str = names.OWN_EXPERIMENT_WEBHOOKS,
) -> CertificateTarget:
    """Return the Secret of a service's certificate, and the configurations that must trust it."""
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
    """The certificate of this replica; all replicas share the Secret."""

    def __init__(
        self,
        cluster: Cluster,
        target: CertificateTarget,
        *,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.time,
        mint_with: Mint | None = None,
    ) -> None:
        """`clock` gives seconds since 1970; `mint_with` makes an authority with its certificate."""
        self._cluster, self._target, self._clock = cluster, target, clock
        self._timing = timing or Timing()
        self._mint = mint_with or self._mint_own
        super().__init__(self._timing.look)
        self._last_state: RotationState | None = None
        self._trusted = False
        self._read_at = -1.0

    @property
    def ready(self) -> bool:
        """Whether the API server trusts the certificate that this replica serves."""
        if self._last_state is None or not self._trusted:
            return False
        return rotation.may_serve(self._last_state, self._read_at, self._clock(), self._timing)

    @property
    def expires(self) -> float | None:
        """When the certificate expires, in seconds since 1970; None: there is none yet."""
        current = self._last_state.current if self._last_state else None
        return current.expires if current else None

    async def reconcile(self) -> ReconcileResult:
        """Reconcile once; if the result has a step, the next call may have more to do.

        Raises:
            TrialwatchError: a request to the cluster failed; try again later.
        """
        began = self._clock()
        result = await self._drive()
        self._serve(result, began)
        return result

    async def _refresh(self) -> None:
        # After a step, reconcile again: to read back what was written, here or by another replica.
        for _ in range(_MOST_STEPS):
            if not await self._reconcile_and_log():
                return

    async def _reconcile_and_log(self) -> bool:
        """Reconcile once; return whether the next call may have more to do."""
        result = await self.reconcile()
        self._report_fault(self._fault_of(result))
        if result.step is not None:
            _log.info(
                "did a step of the certificate's rotation",
                phase=result.state.phase if result.state else "beginning",
                step=type(result.step).__name__,
                expires=self.expires,
            )
        return result.step is not None

    async def _drive(self) -> ReconcileResult:
        """Carry out the operations of one reconciliation."""
        reconciliation = reconcile_once(
            self._target, self._timing, self._last_state, self._clock, self._mint
        )
        document: JsonObject | None = None
        try:
            operation = next(reconciliation)
            while True:
                async with asyncio.timeout(self._timing.settle / 2):
                    document = await self._do(operation)
                operation = reconciliation.send(document)
        except StopIteration as end:
            result: ReconcileResult = end.value
            return result
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
            # Another replica wrote first; the next reconciliation reads what it wrote.
            return None

    async def _get(self, ref: Ref) -> JsonObject | None:
        try:
            return await self._cluster.get(ref)
        except NotFound:
            return None
        except Forbidden:
            # An installation without experiment webhooks need not give rights to them.
            if ref not in self._target.configurations[1:]:
                raise
            return None

    def _mint_own(self, now: float) -> IssuedCertificate:
        return mint(self._target.service, now, self._timing.lifetime)

    def _serve(self, result: ReconcileResult, began: float) -> None:
        """Load the current certificate; if the Secret says nothing, the one before stays in use."""
        if result.state is None:
            return
        current = result.state.current
        if current is not None and (
            self._last_state is None or self._last_state.current != current
        ):
            self._newest.load(current.cert, current.key)
        self._last_state, self._trusted, self._read_at = result.state, result.trusted, began

    def _fault_of(self, result: ReconcileResult) -> str:
        if result.fault:
            return f"Secret {self._target.secret.name}: {result.fault}; the webhook writes it again"
        if not result.watched:
            return (
                f"webhook configuration {self._target.configurations[0].name} does not call"
                f" {self._target.service}, so the API server cannot trust its"
                " certificate; apply the configuration"
            )
        return ""
