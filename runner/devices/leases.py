"""The devices of a run while pods come and go."""

from __future__ import annotations

import asyncio

from api.errors import UserError
from runner.devices.allocation import Allocation, Devices, Needs
from runner.devices.assignment import assigned
from runner.devices.discovery import Discovered
from runner.devices.needs import needs_of
from runner.devices.words import in_words, wait_in_words
from runner.pods.pod_resources import CPU, GPUS
from runner.pods.pod_spec import Pod


class DeviceLeases:
    """Gives devices to pods; a pod's name is the owner of its devices."""

    def __init__(self, found: Discovered | None = None, *, pin: bool = False) -> None:
        """With `pin`, pods get CPUs of their own too."""
        self._found, self._pin = found or Discovered(pool={}), pin
        self.allocation = Allocation(pool=self._found.pool)
        self._granted: dict[str, asyncio.Event] = {}

    async def acquire(self, pod: Pod, stop: asyncio.Event) -> Pod | None:
        """Wait for the devices of a pod; return the pod as it uses them.

        Return None if `stop` is set before. Call `release` in any case.

        Raises:
            UserError: this machine does not have so many devices.
        """
        needs = self._needs(pod)
        if lacking := self.allocation.lacking(needs):
            have = in_words({kind: len(self._found.pool.get(kind, ())) for kind in lacking})
            raise UserError(
                f"the trial needs {in_words(lacking)}, and this machine has {have}: request less,"
                " or name other devices by --gpus"
            )
        devices: Devices | None = {}
        if needs:
            devices = await self._wait(pod.name, needs, stop)
        return None if devices is None else assigned(pod, devices, self._found)

    def release(self, owner: str) -> None:
        """Take the devices of a pod back; without effect if it has none."""
        self._granted.pop(owner, None)
        self._change(self.allocation.released(owner))

    def waits_for(self, owner: str) -> str:
        """Return what a pod waits for, such as `waiting for a GPU`; "" if it does not wait."""
        needs = self.allocation.waiting.get(owner)
        return wait_in_words(needs) if needs else ""

    def _needs(self, pod: Pod) -> Needs:
        counted = {*((CPU,) if self._pin else ()), *(() if self._found.without_gpus else GPUS)}
        return {kind: count for kind, count in needs_of(pod).items() if kind in counted}

    async def _wait(self, owner: str, needs: Needs, stop: asyncio.Event) -> Devices | None:
        granted = self._granted[owner] = asyncio.Event()
        self._change(self.allocation.requested(owner, needs))
        waits = [asyncio.create_task(event.wait()) for event in (granted, stop)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return self.allocation.held.get(owner)

    def _change(self, allocation: Allocation) -> None:
        self.allocation = allocation
        for owner in allocation.held:
            if owner in self._granted:
                self._granted[owner].set()
