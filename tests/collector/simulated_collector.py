"""A collector in a simulated world, killed and restarted until the trial is over."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any, cast

from api.types import Comparison, ObjectiveType, StopRule
from collector.core.plan import CollectorPlan
from collector.core.ports import Ports
from collector.core.session import Session
from collector.core.stop_rules import StopRules
from collector.journal.journal import Journal, JournalSizes
from collector.launched_trainer import LaunchedTrainer
from collector.testing.memory import MemoryFile
from filters.extractor import extraction_spec
from tests.collector.simulated_pushes import Pushes
from tests.collector.simulated_trial import EVENTS, LOG, RUN, SEGMENT, World

_STEPS = 5_000
_SIZES = JournalSizes(segment_bytes=SEGMENT, most_undelivered=60 * SEGMENT)
_RULES = StopRules(
    rules=[StopRule(name="m", value="12", comparison=Comparison.GREATER, start_step=3)],
    objective="m",
    objective_type=ObjectiveType.MAXIMIZE,
)


class Crash(BaseException):
    """The collector is killed here."""


class Opened(list[MemoryFile]):
    """The files that the collector has opened."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def add(self, file: MemoryFile, *, held: bool) -> None:
        """Note a file; `held`: the collector keeps it open until it is read."""
        self.append(file)
        if held:
            self._world.held.append(file)


class Hazardous:
    """A port; before and after each call, faults may happen."""

    def __init__(self, inner: object, happen: Callable[[], None], opened: Opened) -> None:
        self._inner = inner
        self._happen = happen
        self._opened = opened

    def __getattr__(self, name: str) -> Callable[..., object]:
        call = getattr(self._inner, name)

        def hazardous(*given: object) -> object:
            if name == "close":
                return call(*given)
            self._happen()
            answer = call(*given)
            if isinstance(answer, MemoryFile):
                self._opened.add(answer, held=name == "duplicate")
                self._happen()
                return Hazardous(answer, self._happen, self._opened)
            self._happen()
            return answer

        return hazardous


def simulate(
    seed: int, kinds: tuple[str, ...] = ("file", "file", "stdout"), *, pushes: bool = False
) -> World:
    """Run a whole trial of one of the kinds; return the world at its end.

    With `pushes`, the trainer pushes values beside those that it writes.
    """
    dice = random.Random(seed)
    world = World(
        dice=dice,
        kind=dice.choice(kinds),
        attempts=dice.choice((1, 1, 2, 3)),
        rules=dice.random() < 0.2,
        rotates=dice.random() < 0.7,
        replaced=dice.random() < 0.2,
        outages=dice.random() < 0.5,
        pushes=Pushes(dice) if pushes else None,
    )
    opened = Opened(world)
    while True:
        try:
            session = _session(world, opened)
            _run(session, world)
        except Crash:
            world.history.append("CRASH")
            world.crash()
            for file in opened:
                file.close()
            opened.clear()
        else:
            session.close()
            world.open_files = sum(not file.closed for file in opened)
            return world


def seconds_to_the_end(seed: int, grace: float) -> float:
    """Run a trial whose store fails from some moment on; return the seconds from SIGTERM to the end.

    SIGTERM comes at any moment after that, whether the trainer runs or not.
    """
    dice = random.Random(seed)
    world = World(
        dice=dice,
        kind=dice.choice(("file", "stdout")),
        attempts=dice.choice((1, 2)),
        rules=dice.random() < 0.5,
        rotates=False,
    )
    world.crashes_left = 0
    opened = Opened(world)
    session = _session(world, opened)
    fails_at, told_at = sorted(dice.choices(range(200), k=2))
    hurried_at = math.inf
    for step in range(_STEPS):
        world.fails = world.fails or step >= fails_at
        if step == told_at:
            hurried_at = world.clock.monotonic()
            session.hurry(until=hurried_at + grace)
        pause = session.step()
        if pause.done is not None and step >= told_at:
            session.close()
            return world.clock.monotonic() - hurried_at
        world.clock.pass_by(dice.uniform(pause.least, pause.most))
        for _ in range(dice.randrange(3)):
            world.act()
    raise AssertionError("it never ends")


def _session(world: World, opened: Opened) -> Session:
    def happen() -> None:
        if world.dice.random() < 0.15:
            world.act()
        crash()

    def crash() -> None:
        if world.crashes_left and world.dice.random() < 0.01:
            world.crashes_left -= 1
            raise Crash

    # Each stands for a port and forwards its calls.
    files = cast("Any", Hazardous(world.files, happen, opened))
    others = cast("Any", Hazardous(world, happen, opened))
    plan = CollectorPlan(
        extraction=extraction_spec(["m"]),
        run_dir=RUN,
        path=LOG if world.kind == "file" else "",
        events=EVENTS if world.kind == "events" else "",
        rules=_RULES if world.rules else None,
        native=True,
        segment_bytes=SEGMENT,
        journal=world.pushes is not None,
    )
    trainer = LaunchedTrainer(RUN, files, others)
    journal = None
    if world.pushes is not None:
        seen, disk = LaunchedTrainer(RUN, world.files, world), world.pushes.disk(world.files, crash)
        journal = world.pushes.journal = Journal(RUN, seen, world.clock, _SIZES, disk)
    ports = Ports(
        files=files,
        clock=world.clock,
        store=others,
        trainer=trainer,
        journal=cast("Any", Hazardous(journal, happen, opened)) if journal else None,
        early_stopping=others,
        log=world.messages,
    )
    return Session(plan, ports, world.dice)


def _run(session: Session, world: World) -> None:
    for _ in range(_STEPS):
        if world.over:
            session.hurry(until=math.inf)
        pause = session.step()
        if pause.done is not None and world.over:
            return
        world.clock.pass_by(world.dice.uniform(pause.least, pause.most))
        for _ in range(world.dice.randrange(3)):
            world.act()
    raise AssertionError("it never ends")
