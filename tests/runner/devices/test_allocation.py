"""Devices for pods: no device has two owners, nothing leaks, and each request is met in its turn."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from runner.devices.allocation import Allocation

GPU, CPU = "nvidia.com/gpu", "cpu"
POOL = {GPU: ("0", "1", "3"), CPU: ("0", "1", "2", "3")}
OWNERS = st.sampled_from([f"pod-{i}" for i in range(6)])


def test_a_request_gets_the_first_free_devices() -> None:
    one = Allocation(pool=POOL).requested("a", {GPU: 1}).requested("b", {GPU: 2, CPU: 1})

    assert one.held == {"a": {GPU: ("0",)}, "b": {GPU: ("1", "3"), CPU: ("0",)}}
    assert one.free(CPU) == ("1", "2", "3")


def test_a_pod_that_needs_many_devices_is_not_overtaken() -> None:
    busy = Allocation(pool=POOL).requested("a", {GPU: 2})
    queued = busy.requested("many", {GPU: 3}).requested("few", {GPU: 1})

    assert [*queued.waiting] == ["many", "few"]
    assert [*queued.released("a").held] == ["many"]
    assert queued.released("a").released("many").held == {"few": {GPU: ("0",)}}
    assert [*queued.released("many").held] == ["a", "few"]  # it has given up


def test_what_the_machine_does_not_have_cannot_be_requested() -> None:
    assert Allocation(pool=POOL).lacking({GPU: 4, CPU: 4, "amd.com/gpu": 1}) == {
        GPU: 4,
        "amd.com/gpu": 1,
    }
    with pytest.raises(ValueError, match="cannot request"):
        Allocation(pool=POOL).requested("a", {GPU: 4})


class Pods(RuleBasedStateMachine):
    """Pods that start, end, fail, are killed, and are started again, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.allocation = Allocation(pool=POOL)
        self.needs: dict[str, dict[str, int]] = {}

    @rule(names=st.sets(st.sampled_from(POOL[GPU])))
    def another_run_changes(self, names: set[str]) -> None:
        ours = {name for held in self.allocation.held.values() for name in held.get(GPU, ())}
        self.allocation = self.allocation.used_elsewhere({GPU: tuple(sorted(names - ours))})

    @rule(owner=OWNERS, gpus=st.integers(0, 3), cpus=st.integers(0, 4))
    def start(self, owner: str, gpus: int, cpus: int) -> None:
        if owner not in self.needs:
            self.needs[owner] = {kind: n for kind, n in ((GPU, gpus), (CPU, cpus)) if n}
            self.allocation = self.allocation.requested(owner, self.needs[owner])

    @rule(owner=OWNERS)
    def end(self, owner: str) -> None:
        self.needs.pop(owner, None)
        self.allocation = self.allocation.released(owner)

    @rule(owner=OWNERS)
    def retry(self, owner: str) -> None:
        if owner in self.needs:
            self.allocation = self.allocation.released(owner).requested(owner, self.needs[owner])

    @invariant()
    def no_device_has_two_owners(self) -> None:
        for kind, names in POOL.items():
            taken = [name for held in self.allocation.held.values() for name in held.get(kind, ())]
            taken += self.allocation.elsewhere.get(kind, ())
            assert len(taken) == len(set(taken))
            assert sorted([*taken, *self.allocation.free(kind)]) == sorted(names)

    @invariant()
    def each_pod_has_all_that_it_needs_or_waits(self) -> None:
        held, waiting = self.allocation.held, self.allocation.waiting
        assert {*held, *waiting} == {*self.needs}
        assert not {*held} & {*waiting}
        for owner, devices in held.items():
            assert {kind: len(names) for kind, names in devices.items()} == self.needs[owner]

    @invariant()
    def the_first_that_waits_does_not_fit(self) -> None:
        for needs in [*self.allocation.waiting.values()][:1]:
            assert any(len(self.allocation.free(kind)) < n for kind, n in needs.items())

    def teardown(self) -> None:
        for owner in [*self.needs]:
            self.end(owner)
        self.allocation = self.allocation.used_elsewhere({})
        assert self.allocation == Allocation(pool=POOL)


TestPods = Pods.TestCase
