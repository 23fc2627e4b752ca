"""Which pod has which devices, and which pods wait: values in, values out.

A pod gets all devices that it needs, or waits. Pods get devices in the order of their requests, so
a pod that needs many devices is not overtaken for ever by pods that need few.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

Needs = Mapping[str, int]
"""By kind of device: how many."""
Devices = Mapping[str, tuple[str, ...]]
"""By kind of device: the names, such as `("0", "1")`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """The devices of this machine, those that pods have, and the pods that wait."""

    pool: Devices
    held: Mapping[str, Devices] = field(default_factory=dict)
    """By owner."""
    waiting: Mapping[str, Needs] = field(default_factory=dict)
    """By owner, in the order of the requests."""
    elsewhere: Devices = field(default_factory=dict)
    """The devices that other runs on this machine use."""

    def lacking(self, needs: Needs) -> Needs:
        """Return the needs that this machine can never meet, even if all devices are free."""
        return {kind: n for kind, n in needs.items() if n > len(self.pool.get(kind, ()))}

    def requested(self, owner: str, needs: Needs) -> Allocation:
        """Return the allocation after a request: the owner has its devices now, or waits.

        Raises:
            ValueError: this machine can never meet the request, or the owner already has one.
        """
        if self.lacking(needs) or owner in self.held or owner in self.waiting:
            raise ValueError(f"{owner} cannot request {dict(needs)}")
        return _granted(replace(self, waiting={**self.waiting, owner: needs}))

    def released(self, owner: str) -> Allocation:
        """Return the allocation without an owner: its devices are free, or it no longer waits."""
        held = {name: devices for name, devices in self.held.items() if name != owner}
        waiting = {name: needs for name, needs in self.waiting.items() if name != owner}
        return _granted(replace(self, held=held, waiting=waiting))

    def used_elsewhere(self, elsewhere: Devices) -> Allocation:
        """Return the allocation while other runs use these devices; no owner may have them.

        Raises:
            ValueError: an owner has one of them.
        """
        for kind, names in elsewhere.items():
            if any({*names} & {*devices.get(kind, ())} for devices in self.held.values()):
                raise ValueError(f"a device of {kind} {names} has an owner here")
        return _granted(replace(self, elsewhere=elsewhere))

    def free(self, kind: str) -> tuple[str, ...]:
        """Return the devices of a kind that no owner has, here or elsewhere."""
        taken = {name for devices in self.held.values() for name in devices.get(kind, ())}
        taken |= {*self.elsewhere.get(kind, ())}
        return tuple(name for name in self.pool.get(kind, ()) if name not in taken)


def _granted(allocation: Allocation) -> Allocation:
    """Give devices to the owners that have waited longest, as long as they suffice."""
    now = allocation
    for owner, needs in allocation.waiting.items():
        devices = {kind: now.free(kind)[:count] for kind, count in needs.items()}
        if any(len(devices[kind]) < count for kind, count in needs.items()):
            break
        waiting = {name: rest for name, rest in now.waiting.items() if name != owner}
        now = replace(now, held={**now.held, owner: devices}, waiting=waiting)
    return now
