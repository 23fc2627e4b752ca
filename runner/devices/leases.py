"""The devices of a run while pods come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from api.errors import UserError
from runner.devices.allocation import Allocation, Devices, Needs
from runner.devices.assignment import assigned
from runner.devices.discovery import Discovered
from runner.devices.locks import Device, DeviceLocks
from runner.devices.needs import needs_of
from runner.devices.words import in_words, wait_in_words
from runner.pods.pod_resources import CPU, GPUS
from runner.pods.pod_spec import Pod

_LOOK = 0.2
"""Seconds until a pod that waits for a device of another run looks again."""
_Change = Callable[[Allocation], Allocation]


class DeviceLeases:
    """Gives devices to pods; a pod's name is the owner of its devices."""

    def __init__(
        self,
        found: Discovered | None = None,
        *,
        pin: bool = False,
        locks: DeviceLocks | None = None,
    ) -> None:
        """With `pin`, pods get CPUs of their own too; `locks` keep the runs of a machine apart."""
        self._found, self._pin = found or Discovered(pool={}), pin
        self._locks = locks or DeviceLocks()
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
        self._change(lambda now: now.released(owner))

    def waits_for(self, owner: str) -> str:
        """Return what a pod waits for, such as `waiting for a GPU`; "" if it does not wait."""
        needs = self.allocation.waiting.get(owner)
        if not needs:
            return ""
        elsewhere = any(self.allocation.elsewhere.get(kind) for kind in needs)
        return wait_in_words(needs) + (" (in use by another run)" if elsewhere else "")

    def _needs(self, pod: Pod) -> Needs:
        counted = {*((CPU,) if self._pin else ()), *(() if self._found.without_gpus else GPUS)}
        return {kind: count for kind, count in needs_of(pod).items() if kind in counted}

    async def _wait(self, owner: str, needs: Needs, stop: asyncio.Event) -> Devices | None:
        granted = self._granted[owner] = asyncio.Event()
        self._change(lambda now: now.requested(owner, needs))
        waits = [asyncio.create_task(event.wait()) for event in (granted, stop)]
        seconds = _LOOK if self._locks.descriptors else None
        try:
            while not (granted.is_set() or stop.is_set()):
                await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
                if self.allocation.elsewhere:
                    self._change(lambda now: now)
        finally:
            for wait in waits:
                wait.cancel()
        return self.allocation.held.get(owner)

    def _change(self, change: _Change) -> None:
        """Change the allocation, with the devices that no other run uses at this moment."""
        before = self.allocation
        held = {*_devices(before)}
        taken, elsewhere = set[Device](), dict[str, tuple[str, ...]]()
        for kind, names in before.pool.items():
            for device in ((kind, name) for name in names):
                if device in held or self._locks.take(device):
                    taken.add(device)
                else:
                    elsewhere[kind] = (*elsewhere.get(kind, ()), device[1])
        self.allocation = change(before.used_elsewhere(elsewhere))
        for device in taken - {*_devices(self.allocation)}:
            self._locks.give_back(device)
        for owner in self.allocation.held:
            if owner in self._granted:
                self._granted[owner].set()


def _devices(allocation: Allocation) -> Iterator[Device]:
    """Yield the devices that pods have."""
    for devices in allocation.held.values():
        for kind, names in devices.items():
            yield from ((kind, name) for name in names)
