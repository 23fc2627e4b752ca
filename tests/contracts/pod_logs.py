"""The contract of all that reads pods' logs. A subclass gives the fixture `machine`.

A machine runs one pod, whose container `trainer` prints when it is told to; beside it is `other`.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

import pytest

from kube.cluster import PodLogs, Ref
from kube.errors import Invalid, NotFound

SECONDS = 20


class Machine(Protocol):
    """A cluster with a pod."""

    logs: PodLogs
    pod: Ref

    def print(self, text: str) -> None:
        """Let the container `trainer`, which runs, print a line."""

    def end(self) -> None:
        """End it."""

    def restart(self) -> None:
        """Let it end and start again."""


async def read(machine: Machine, container: str = "trainer", *, previous: bool = False) -> str:
    pieces = machine.logs.pod_log(machine.pod, container, previous=previous)
    async with aclosing(pieces):
        return b"".join([piece async for piece in pieces]).decode()


class PodLogsContract:
    async def test_what_was_printed_so_far_is_given(self, machine: Machine) -> None:
        machine.print("one")
        machine.print("twö")

        assert await read(machine) == "one\ntwö\n"

    async def test_a_container_that_has_printed_nothing_has_an_empty_log(
        self, machine: Machine
    ) -> None:
        assert await read(machine) == ""

    async def test_the_log_is_there_after_the_end(self, machine: Machine) -> None:
        machine.print("last")
        machine.end()

        assert await read(machine) == "last\n"

    async def test_a_follower_gets_all_that_is_printed_until_the_end(
        self, machine: Machine
    ) -> None:
        machine.print("one")
        heard = b""
        async with (
            asyncio.timeout(SECONDS),
            aclosing(machine.logs.pod_log(machine.pod, "trainer", follow=True)) as pieces,
        ):
            async for piece in pieces:
                heard += piece
                if heard == b"one\n":
                    machine.print("two")
                if heard == b"one\ntwo\n":
                    machine.end()

        assert heard == b"one\ntwo\n"

    async def test_who_follows_may_leave(self, machine: Machine) -> None:
        machine.print("one")
        async with (
            asyncio.timeout(SECONDS),
            aclosing(machine.logs.pod_log(machine.pod, "trainer", follow=True)) as pieces,
        ):
            assert await anext(pieces) == b"one\n"

        machine.print("two")
        assert await read(machine) == "one\ntwo\n"

    async def test_the_container_before_this_one_has_its_own_log(self, machine: Machine) -> None:
        machine.print("first")
        machine.restart()
        machine.print("second")

        assert await read(machine) == "second\n"
        assert await read(machine, previous=True) == "first\n"

    async def test_there_is_none_before_the_first(self, machine: Machine) -> None:
        with pytest.raises(Invalid, match='previous terminated container "trainer"'):
            await read(machine, previous=True)

    async def test_a_container_has_to_be_named_where_there_are_several(
        self, machine: Machine
    ) -> None:
        with pytest.raises(Invalid, match=r"choose one of: \[trainer other\]"):
            await read(machine, "")

    async def test_a_container_that_is_not_there_is_named(self, machine: Machine) -> None:
        with pytest.raises(Invalid, match="container trainee is not valid for pod"):
            await read(machine, "trainee")

    async def test_a_container_that_has_not_begun_has_no_log(self, machine: Machine) -> None:
        with pytest.raises(Invalid, match=r'container "other" .* is waiting to start'):
            await read(machine, "other")

    async def test_a_pod_that_is_not_there_has_no_log(self, machine: Machine) -> None:
        gone = replace(machine.pod, name="gone")
        pieces = machine.logs.pod_log(gone, "trainer")
        async with aclosing(pieces):
            with pytest.raises(NotFound):
                await anext(pieces)
