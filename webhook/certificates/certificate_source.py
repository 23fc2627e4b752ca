"""The common part of both kinds of certificates: a TLS context, and a task that updates it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Final, Self

from api.errors import TrialwatchError
from serving.logs import get_logger
from webhook.certificates.issued import Service, mint
from webhook.certificates.reloading_tls import ReloadingContext

_PLACEHOLDER: Final = Service(name="nobody", namespace="nowhere")
_PLACEHOLDER_SECONDS: Final = 86_400.0
_log = get_logger(__name__)


class CertificateSource(ABC):
    """A certificate that a background task keeps up to date between enter and exit."""

    def __init__(self, look_seconds: float) -> None:
        self._look_seconds = look_seconds
        self._newest = ReloadingContext()
        self._reported = ""
        self._task: asyncio.Task[None] | None = None
        # For the kubelet's probes, which accept any certificate. `ready` stays false with it.
        placeholder = mint(_PLACEHOLDER, time.time(), _PLACEHOLDER_SECONDS)
        self._newest.load(placeholder.cert, placeholder.key)
        self.ssl_context = self._newest.context
        """The context to serve with. It is usable at once, and stays the same object."""

    async def __aenter__(self) -> Self:
        """Start the background task."""
        self._task = asyncio.create_task(self._run(), name="certificate")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the background task."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @property
    @abstractmethod
    def ready(self) -> bool:
        """Whether there is a certificate, and the API server trusts it."""

    @abstractmethod
    async def _refresh(self) -> None:
        """Bring the certificate up to date. Raises TrialwatchError."""

    async def _run(self) -> None:
        while True:
            try:
                await self._refresh()
            except TrialwatchError as error:
                self._report_fault(str(error))
            except Exception:  # noqa: BLE001 - without this task the certificate would expire
                _log.exception("internal error; checking the certificate again soon")
            await asyncio.sleep(self._look_seconds)

    def _report_fault(self, cause: str) -> None:
        """Log a fault, once while it lasts; an empty cause ends it."""
        if cause and cause != self._reported:
            _log.error("the certificate has a problem", cause=cause, ready=self.ready)
        self._reported = cause
