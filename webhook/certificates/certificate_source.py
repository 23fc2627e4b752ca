"""What both kinds of certificates have in common: a context, and a task that looks after it."""

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

_NOBODY: Final = Service(name="nobody", namespace="nowhere")
_PLACEHOLDER_SECONDS: Final = 86_400.0
_log = get_logger(__name__)


class CertificateSource(ABC):
    """A certificate that is looked after between enter and exit."""

    def __init__(self, look_seconds: float) -> None:
        self._look_seconds = look_seconds
        self._newest = ReloadingContext()
        self._told = ""
        self._task: asyncio.Task[None] | None = None
        # For the kubelet's probes, which believe any: until there is a true one, `ready` is false.
        placeholder = mint(_NOBODY, time.time(), _PLACEHOLDER_SECONDS)
        self._newest.load(placeholder.cert, placeholder.key)
        self.ssl_context = self._newest.context
        """What to serve with; it may be taken at once, and stays the same."""

    async def __aenter__(self) -> Self:
        """Start to look after it."""
        self._task = asyncio.create_task(self._run(), name="certificate")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop; what is served stays as it is."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @property
    @abstractmethod
    def ready(self) -> bool:
        """Whether there is a certificate, and those who call us trust it."""

    @abstractmethod
    async def _attend(self) -> None:
        """See whether there is something to do, and do it. Raises TrialwatchError."""

    async def _run(self) -> None:
        while True:
            try:
                await self._attend()
            except TrialwatchError as error:
                self._complain(str(error))
            except Exception:  # noqa: BLE001 - a certificate that nobody renews ends all, later
                _log.exception("internal error; checking the certificate again soon")
            await asyncio.sleep(self._look_seconds)

    def _complain(self, cause: str) -> None:
        """Say what is wrong, once for as long as it lasts; nothing is wrong where it is empty."""
        if cause and cause != self._told:
            _log.error("the certificate has a problem", cause=cause, ready=self.ready)
        self._told = cause
