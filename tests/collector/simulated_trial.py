"""A trainer, its files and a store in memory, all driven by one seeded dice.

Between any two calls of the collector the trainer may act, the store may be away or lose an
answer, and the collector may die.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from api.errors import Unavailable
from api.names import OUTCOME_FAILED, OUTCOME_STOPPED, OUTCOME_SUCCEEDED
from api.run_directory import TAIL_BYTES, AttemptRecord, ExitRecord, FileBorder
from collector.core.batches import Batch
from collector.core.ports import UnclearAnswer
from collector.testing.memory import (
    MemoryClock,
    MemoryFile,
    MemoryFiles,
    MemoryLog,
    MemoryStore,
    Node,
)
from tests.collector.simulated_pushes import Pushes
from tests.filters.event_files.event_writer import beginning, scalar

RUN = "/run/trialwatch"
LOG = "/katib/mnist.log"
EVENTS = "/katib/tfevent"
SEGMENT = 64


@dataclass(slots=True)
class Written:
    """One value that the trainer has written."""

    value: str
    attempt: int
    node: Node | None
    """The file; None for a segment, which is never destroyed."""
    end: int
    """Offset behind it."""
    life: int
    """How often the file had been emptied before."""
    gone: bool = False
    """Bytes of it were destroyed."""
    at_risk: bool = False
    """Bytes of it were destroyed before the store had it."""
    unseen: bool = False
    """The store had nothing else of the attempt in this file, so its loss cannot be noticed."""
    cut: bool = False
    """Bytes behind it were cut off: a reader of those cannot see where the cut was."""


@dataclass(slots=True)
class Training:
    """One attempt, with the state of its launcher."""

    number: int
    running: bool = True
    alive: bool = True
    """The launcher reads messages."""
    stopped: bool = False
    delivered: int = 0
    outcome: str = OUTCOME_FAILED
    unfinished: bytes = b""
    """The rest of an unfinished line or record."""


@dataclass(slots=True)
class World:
    """Everything outside the collector."""

    dice: random.Random
    kind: str
    """`file`, `stdout` or `events`."""
    attempts: int
    """How many there will be."""
    rules: bool
    rotates: bool
    outages: bool = False
    """Now and then the store is away for so long that files are rotated away."""
    replaced: bool = False
    """Now and then Katib's DB manager takes the place of trialwatch's, or the reverse."""
    pushes: Pushes | None = None
    """What the trainer pushes beside what it writes; None: nothing."""
    clock: MemoryClock = field(default_factory=MemoryClock)
    store: MemoryStore = field(default_factory=MemoryStore)
    katibs: MemoryStore = field(default_factory=MemoryStore)
    """Katib's DB manager; it may store a batch more than once."""
    katibs_answers: bool = False
    away_until: float = 0.0
    """The store does not answer before this time of the clock."""
    held: list[MemoryFile] = field(default_factory=list)
    """Files that the collector has opened to keep them until they are read."""
    removed: list[Node] = field(default_factory=list)
    """Files without a name that the collector held when they lost it."""
    fails: bool = False
    """Every call to the store and to the early-stopping service fails, in any way."""
    replacements: int = 0
    empty_reports: int = 0
    """Reports without points that Katib's DB manager got."""
    event_files: list[str] = field(default_factory=list)
    """All paths at which an event file was begun."""
    messages: MemoryLog = field(default_factory=MemoryLog)
    files: MemoryFiles = field(init=False)
    trainings: list[Training] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    border: int = 0
    """Where the file ended when the attempt began; it is never cut before that."""
    border_node: Node | None = None
    handle: MemoryFile | None = None
    node: Node | None = None
    reported_stops: int = 0
    crashes_left: int = 12
    acts_left: int = 120
    history: list[str] = field(default_factory=list)
    busy: bool = False
    open_files: int = 0

    def __post_init__(self) -> None:
        self.files = MemoryFiles(self.clock)
        self.katibs.is_katibs = True
        self.katibs_answers = self.replaced and self.dice.random() < 0.5
        if self.kind == "file" and self.dice.random() < 0.3:
            self._open("a")
            self._append(b"m=999999\n")
            self.handle = self.node = None
        if self.kind == "events" and self.dice.random() < 0.3:
            self._begin_event_file()
            self._append(scalar("m", 999999))
            self.handle = self.node = None
            self.clock.pass_by(0.1)

    # What the trainer does

    def act(self) -> None:
        """Do one random thing."""
        if self.busy:
            return
        self.busy = True
        if self.replaced and self.dice.random() < 0.1:
            self.katibs_answers = not self.katibs_answers
            self.replacements += 1
            self.history.append(f"Katib's manager answers: {self.katibs_answers}")
        if self.outages and not self.over and self.dice.random() < 0.03:
            self.away_until = self.clock.monotonic() + self.dice.uniform(1.0, 30.0)
            self.history.append("the store is away")
        self.clock.pass_by(self.dice.choice((0.00001, 0.001, 0.05)))
        self.acts_left -= 1
        training = self.trainings[-1] if self.trainings else None
        if training is None or not training.running:
            self._perhaps_start(training)
        elif training.stopped or self.acts_left < 0:
            self._end(training)
        elif self.pushes is not None and self.dice.random() < 0.5:
            self.history.append(self.pushes.push(training.number))
        else:
            what = self.dice.random()
            if what < 0.05:
                self._end(training)
            elif what < 0.2 and self.kind == "file" and self.rotates:
                self._rotate()
            elif what < 0.15 and self.kind == "events" and not training.unfinished:
                self._change_event_files()
            else:
                self._write(training)
        self.busy = False

    @property
    def over(self) -> bool:
        """Whether the last attempt has ended."""
        last = self.trainings[-1] if self.trainings else None
        return last is not None and last.number >= self.attempts and not last.running

    def _perhaps_start(self, before: Training | None) -> None:
        number = before.number + 1 if before else 1
        if number > self.attempts:
            return
        held = before is not None and before.alive and not before.delivered
        if held and self.dice.random() < 0.95 and self.acts_left > -500:
            return  # the launcher holds the container
        if before is not None:
            before.alive = False
        self.handle = self.node = None
        where = f"{RUN}/attempts/{number}"
        stat = self.files.stat(LOG)
        tail = (self.files.read(LOG) or b"")[-TAIL_BYTES:]
        border = FileBorder(inode=stat.inode, size=stat.size, tail=tail) if stat else None
        self.border = stat.size if stat else 0
        self.border_node = self.files.node(LOG) if stat else None
        self.clock.pass_by(0.05)  # no container starts again sooner
        record = AttemptRecord(number=number, started=self.clock.micros() / 1e6, file=border)
        if self.kind == "stdout":
            for name in ("out", "err"):
                self.files.create(f"{where}/{name}-00000001").close()
        self.files.replace(f"{where}/attempt", record.to_json())
        self.clock.pass_by(0.02)
        self.trainings.append(Training(number=number))
        self.history.append(f"attempt {number} begins")

    def _end(self, training: Training) -> None:
        killed = not training.stopped and self.dice.random() < 0.2
        if killed and (b"m=" in training.unfinished or self.kind == "events"):
            del self.written[len(self.written) - bool(training.unfinished) :]
        if training.unfinished and not killed:
            self._append(training.unfinished)
        training.running = False
        training.unfinished = b""
        succeeded = self.dice.random() < 0.5
        training.outcome = OUTCOME_SUCCEEDED if succeeded and not killed else OUTCOME_FAILED
        training.outcome = OUTCOME_STOPPED if training.stopped else training.outcome
        if killed:
            training.alive = False
        else:
            record = ExitRecord(
                attempt=training.number,
                status=0 if succeeded else 1,
                signal=None,
                ended=0.0,
                leftovers=0,
                complete=True,
                cause=None,
                stopped=training.stopped,
            )
            self.files.replace(f"{RUN}/attempts/{training.number}/exit", record.to_json())
        self.history.append(f"attempt {training.number} ends: {training.outcome}, killed {killed}")

    def _write(self, training: Training) -> None:
        if training.unfinished:
            text, training.unfinished = training.unfinished, b""
            self._append(text)
            return
        if self.kind == "events":
            self._write_event(training)
            return
        value = str(1 + len(self.written))
        # No two lines begin alike: a position in a file is recognized by the bytes before it.
        line = f"{value:>04}{'x' * self.dice.randrange(20)} m={value} {'y' * self.dice.randrange(20)}\n"
        cut = len(line)
        if self.dice.random() < 0.2:  # not within the number: a part of it is another number
            cut = self.dice.choice((line.index("m="), len(line) - 1))
        if self.kind == "file" and self.handle is None:
            self._open(self.dice.choice("aw") if not self._mine(training) else "a")
        if self.kind == "file":
            assert self.handle is not None
            end = self.handle.stat().size + len(line)
            life = self._lives.get(id(self.node), 0)
            # After a cut, reading continues at the end, with a gap: the place of the cut is unknown.
            at_risk = (id(self.node), life) in self._cut_lives
            self.written.append(
                Written(value, training.number, self.node, end, life, at_risk=at_risk)
            )
        else:
            self.written.append(Written(value, training.number, None, 0, 0))
        training.unfinished = line[cut:].encode()
        self._append(line[:cut].encode())
        self.history.append(f"writes {value}{' in part' if cut < len(line) else ''}")

    def _write_event(self, training: Training) -> None:
        """Write a record: in part, damaged, or whole."""
        if self.handle is None or self.dice.random() < 0.1:
            self._begin_event_file()
        assert self.handle is not None
        number = 1 + len(self.written)
        record = scalar("m", number, step=number, at=self.clock.micros() / 1e6)
        if self.dice.random() < 0.1:
            damaged = bytearray(scalar("m", 999999))
            damaged[self.dice.choice((1, 9, 20, -6, -1))] ^= 1
            self._append(bytes(damaged))
        cut = self.dice.randrange(1, len(record)) if self.dice.random() < 0.2 else len(record)
        end, life = self.handle.stat().size + len(record), self._lives.get(id(self.node), 0)
        self.written.append(Written(f"{number}.0", training.number, self.node, end, life))
        self._append(record[:cut])
        training.unfinished = record[cut:]
        self.history.append(f"writes {number}{' in part' if cut < len(record) else ''}")

    def _begin_event_file(self) -> None:
        """Open a new file, perhaps in a new directory, or one that is there: it is written over."""
        folder = self.dice.choice((EVENTS, EVENTS, f"{EVENTS}/train", f"{EVENTS}/a/b"))
        path = f"{folder}/events.out.tfevents.{self.dice.randrange(40)}"
        if self.files.stat(path) is not None:
            self._destroy(self.files.node(path), 0)
            self.files.create(path).truncate(0)
        self.handle, self.node = self.files.create(path), self.files.node(path)
        self.handle.append(beginning(self.clock.micros() / 1e6))
        self.event_files.append(path)
        self.history.append(f"begins {path}")

    def _change_event_files(self) -> None:
        """Remove or rename an event file, give it a second name, or write another file."""
        existing = [path for path in self.event_files if self.files.stat(path) is not None]
        if existing and self.dice.random() < 0.5:
            self._name_event_file(self.dice.choice(existing), existing)
            return
        if self.rotates and existing and self.dice.random() < 0.5:
            path = self.dice.choice(existing)
            self._destroy(self.files.node(path), 0)
            self.files.unlink(path)
            self.handle = self.node = None
            self.history.append(f"removes {path}")
            return
        name = self.dice.choice(("tfevents.no", "model.ckpt", "train/1.pid"))
        other = self.files.create(f"{EVENTS}/{name}")
        other.append(b"m=999999 is not a record at all")
        other.close()

    def _name_event_file(self, path: str, existing: list[str]) -> None:
        """Give a file another name, perhaps that of another file, or a second one."""
        new = f"{EVENTS}/b/tfevents.{self.clock.micros()}"
        change = self.dice.choice((self.files.rename, self.files.link))
        node, number = self.files.node(path), self.trainings[-1].number
        # After the end of an attempt the name of a file that is read cannot be used again.
        is_mine = any(each.node is node and each.attempt == number for each in self.written)
        if self.rotates and is_mine and self.dice.random() < 0.3:
            new, change = self.dice.choice(existing), self.files.rename
            if self.files.node(new) is node:
                return
            self._destroy(self.files.node(new), 0)
            if self.files.node(new) is self.node:
                self.handle = self.node = None
        change(path, new)
        self.event_files.append(new)
        self.history.append(f"{change.__name__}s {path} to {new}")

    def _mine(self, training: Training) -> bool:
        return any(each.attempt == training.number for each in self.written)

    def _append(self, data: bytes) -> None:
        if self.kind in ("file", "events"):
            if self.handle is None:
                self._open("a")
            assert self.handle is not None
            self.handle.append(data)
            return
        where = f"{RUN}/attempts/{self.trainings[-1].number}"
        name = "err-" if self.trainings[-1].number % 2 else "out-"
        while data:
            indexes = [int(each[4:]) for each in self.files.names(where) if each.startswith(name)]
            index = max(self._segment.get((where, name), 1), *indexes, 1)
            file = self.files.create(f"{where}/{name}{index:08}")
            room = SEGMENT - file.stat().size
            file.append(data[:room])
            data = data[room:]
            if not room or data:
                index += 1
                self.files.create(f"{where}/{name}{index:08}").close()
            self._segment[where, name] = index
            file.close()

    _segment: dict[tuple[str, str], int] = field(default_factory=dict)

    # What happens to the file

    def _open(self, mode: str) -> None:
        if mode == "w" and self.files.stat(LOG) is not None:
            self._destroy(self.files.node(LOG), 0)
            old = self.files.create(LOG)
            old.truncate(0)
            self.history.append("truncates as it opens")
        self.handle = self.files.create(LOG)
        self.node = self.files.node(LOG)

    def _rotate(self) -> None:
        if self.files.stat(LOG) is None or (self.trainings[-1].unfinished):
            return
        what = self.dice.choice(
            ("rename", "rename", "copy", "empty", "recreate", "cut", "rename only")
        )
        self.history.append(what)
        if what == "empty":
            self._destroy(self.files.node(LOG), 0)
            self.files.create(LOG).truncate(0)
        elif what == "cut":
            lines = bytes(self.files.read(LOG) or b"").splitlines(keepends=True)
            kept = sum(map(len, lines[: self.dice.randrange(len(lines) + 1)]))
            kept = max(kept, self.border if self.files.node(LOG) is self.border_node else 0)
            self._destroy(self.files.node(LOG), kept)
            self.files.create(LOG).truncate(kept)
        elif what == "recreate":
            self._destroy(self.files.node(LOG), 0)
            self.files.unlink(LOG)
            self._open("a")
        else:
            self._shift()
            if what == "copy":
                copy = self.files.create(f"{LOG}.1")
                copy.append(self.files.read(LOG) or b"")
                self._destroy(self.files.node(LOG), 0)
                self.files.create(LOG).truncate(0)
            else:
                self.files.rename(LOG, f"{LOG}.1")
                self.handle = None
                if what == "rename":
                    self.clock.pass_by(0.0001)
                    self._open("a")

    def _shift(self) -> None:
        """Make room for `.1`; three rotated files are kept."""
        if self.files.stat(f"{LOG}.3") is not None:
            self._remove(self.files.node(f"{LOG}.3"))
            self.files.unlink(f"{LOG}.3")
        for number in (2, 1):
            if self.files.stat(f"{LOG}.{number}") is not None:
                self.files.rename(f"{LOG}.{number}", f"{LOG}.{number + 1}")

    def _remove(self, node: Node) -> None:
        """Note that a rotated file loses its last name."""
        if all(file.closed or file.stat().inode != node.inode for file in self.held):
            self._destroy(node, 0, rotated=True)
            return
        self.removed.append(node)

    def crash(self) -> None:
        """Note that the collector dies, with all files that it held open, perhaps in a push."""
        self.busy = False
        for node in self.removed:
            self._destroy(node, 0, rotated=True)
        self.removed.clear()
        self.held.clear()

    def _destroy(self, node: Node, size: int, *, rotated: bool = False) -> None:
        stored = {
            point.value
            for store in (self.store, self.katibs)
            for batch in store.batches.values()
            for point in batch.points
        }
        life = self._lives.get(id(node), 0)
        mine = [
            each
            for each in self.written
            if each.node is node and each.life == life and not each.gone
        ]
        seen = {each.attempt for each in mine if each.value in stored and each.end > size}
        if rotated:
            seen |= {each.attempt for each in self.written if each.value in stored}
        for each in mine:
            if each.end > size and each.value not in stored:
                each.at_risk, each.unseen = True, each.attempt not in seen
            each.gone |= each.end > size
            each.cut |= each.end <= size
        if not size:
            self._lives[id(node)] = life + 1
            self.border_node = None
        else:
            self._cut_lives.add((id(node), life))

    _lives: dict[int, int] = field(default_factory=dict)
    _cut_lives: set[tuple[int, int]] = field(default_factory=set)

    # What the collector sees

    def alive(self, attempt: int) -> bool:
        return self.trainings[attempt - 1].alive

    following = alive

    def stop(self, attempt: int) -> bool:
        self.trainings[attempt - 1].stopped = self.trainings[attempt - 1].running
        return self.alive(attempt)

    def delivered(self, attempt: int, gave_up: str | None) -> bool:
        assert gave_up is None or self.fails
        self.trainings[attempt - 1].delivered += 1
        return self.alive(attempt)

    def _fail_if_due(self) -> None:
        if self.fails:
            self.clock.pass_by(self.dice.choice((0.0, 0.001)))
            raise self.dice.choice((Unavailable, UnclearAnswer))("it does not work")

    def stopped(self) -> None:
        self._fail_if_due()
        if self.dice.random() < 0.3:
            raise Unavailable("the service is not there yet")
        self.reported_stops += 1

    def send(self, batch: Batch) -> None:
        self._fail_if_due()
        if self.clock.monotonic() < self.away_until:
            raise Unavailable("away for long")
        fate = self.dice.random()
        if fate < 0.1:
            raise self.dice.choice((Unavailable, UnclearAnswer))("away")
        if self.katibs_answers:
            self.empty_reports += not batch.points
            self.katibs.send(batch)
        else:
            self.store.send(batch)
        if fate > 0.9:
            raise self.dice.choice((Unavailable, UnclearAnswer))("the answer was lost")

    def keeps_outcomes(self) -> bool:
        self._fail_if_due()
        if self.dice.random() < 0.1:
            raise Unavailable("away")
        return not self.katibs_answers
