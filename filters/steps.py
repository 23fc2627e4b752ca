r"""Steps in text: the training's own counter on a metric's line, or on a progress line before it.

| the text                                                      | its step |
|---------------------------------------------------------------|----------|
| `step 400 loss=0.5`  `[step=400] loss: 0.5`  `iter: 400, ...` | 400      |
| `global_step=400 epoch 3 loss=0.5`                            | 400      |
| `Epoch 3, step 400, loss=0.5`                                 | 400      |
| `Epoch [3/5], Step [100/600], loss: 0.5`                      | 3        |
| `Epoch 3/10`, then lines such as `loss: 0.5`                  | 3        |
| `[400] loss=0.5`  `epochs=10 loss=0.5`  `epoch 0.5 loss=0.5`  | none     |

On a line, `global_step` comes before `step`, `iter` and `iteration`, and these before `epoch`. A
step with a total beside an epoch, or behind a progress line with one, begins anew in each epoch, so
there the epoch is the step. The kind of counter that one line has is looked for first on the lines
behind it, so a log has steps of one kind.

A line without a counter has the step of the line with metrics before it; or, while no line with
metrics has a counter of its own, that of the last progress line: `Epoch 3`, `Epoch 3/10` or
`Step 400:` at the start of a line, or a counter with a total anywhere. `epoch: 10` may be a
setting, and is not one.

Only the state `StepState` goes from line to line. After `PATIENCE` lines with metrics without a
counter, no further kind is looked for, so a log without steps costs little time.
"""

from __future__ import annotations

import re
from typing import Final

from filters.step_state import StepState

PATIENCE: Final = 100
"""Lines with metrics in a row on which all kinds of counters are looked for, and none is found."""

# Up to 18 digits: each such number is a step (`api.report_limits.LARGEST_STEP` has 19 digits).
_DIGITS = rb"(\d{1,18}+)(?![\w%])(?![.,:]\d)(?:[ \t]?/[ \t]?(\d++)(?!\.\d))?"
_VALUE = rb"(?!\w)[\"'`)\]]{0,2}[ \t]*+(?:[:=#][ \t]*+)?[\[(\"']?" + _DIGITS
_USUAL = rb"(?:[ :=]|[:=][ ])(\d{1,18}+)(?=[ \])|;\n]|,(?!\d))"
"""The usual forms of `_VALUE`, such as `step 400,`: they take a fifth of the time."""
_HEADING = rb"(?!\w)[ \t]*+#?[\[(]?" + _DIGITS
_WITH_TOTAL = rb"(?!\w)[ \t]*+(?:[:=#][ \t]*+)?[\[(]?" + _DIGITS + rb"(?(2)|(?!))"


def _word(tail: bytes, begin: bytes) -> bytes:
    """Return a pattern for a word that begins with `begin`, and not within a longer name.

    The literal `tail` comes first: `re` searches for it quickly.
    """
    word = begin + tail
    return tail + b"(?<=" + word + rb")(?<![\w./-]" + word + b")"


_WORDS: Final = {
    "global_step": rb"lobal[_ -]?[Ss]tep",
    "step": _word(b"tep", b"[Ss]"),
    "STEP": _word(b"TEP", b"S"),
    "iter": _word(b"ter", b"[Ii]") + b"(?:ation)?",
    "ITER": _word(b"TER", b"I") + b"(?:ATION)?",
    "epoch": _word(b"poch", b"[Ee]"),
    "EPOCH": _word(b"POCH", b"E"),
}
"""Kinds of counters by precedence, each with the pattern of its word."""
_EPOCHS: Final = ("epoch", "EPOCH")
_LITERALS: Final = {
    "step": b"tep", "STEP": b"TEP", "iter": b"ter", "ITER": b"TER", "epoch": b"poch",
    "EPOCH": b"POCH",
}  # fmt: skip
"""What to look for backwards in order to find a progress line with a counter of this kind."""

_ON_LINE: Final = {kind: re.compile(word + _VALUE).search for kind, word in _WORDS.items()}
_USUALLY: Final = {kind: re.compile(word + _USUAL).search for kind, word in _WORDS.items()}
_HEADINGS: Final = {kind: re.compile(_WORDS[kind] + _HEADING).match for kind in _LITERALS}
_TOTALS: Final = {kind: re.compile(_WORDS[kind] + _WITH_TOTAL).match for kind in _LITERALS}
_LINE_START: Final = re.compile(
    rb"(?:\d{4}-\d\d-\d\d[T ][\d:.,]++(?:Z|[+-][\d:]++)?[ ])?[^\w\n]*+[A-Za-z]?"
).fullmatch
"""What may stand before the word of a progress line: a time, signs, and the word's first letter."""
_LONGEST_START: Final = 256
"""Bytes before the word; so a long line with many such words takes linear time."""


class StepReader:
    """Returns the step of each line with metrics. Lines must come in their order."""

    def __init__(self, state: StepState) -> None:
        """Continue with the state that earlier lines left."""
        self._step, self._word, self._before = state.step, state.word, state.before
        self._misses = state.misses
        self._usual, self._search = _USUALLY.get(state.word), _ON_LINE.get(state.word)
        self._done = 0

    @property
    def state(self) -> StepState:
        """The state behind the last line."""
        return StepState(step=self._step, word=self._word, before=self._before, misses=self._misses)

    def on_line(self, text: bytes, start: int, end: int) -> int | None:
        """Return the step of the line with metrics at `start` to `end` in a region's text."""
        if self._usual is not None and self._search is not None:
            match = self._usual(text, start, end) or self._search(text, start, end)
            if match is not None:
                if self._misses:
                    self._misses = 0
                self._step = step = int(match[1])
                return step
        if self._misses < PATIENCE:
            self._look(text, start, end)
        elif self._before and not self._word:
            self._look_before(text, start)
        self._done = end
        return self._step

    def leave(self, text: bytes) -> None:
        """Look at the rest of a region, behind its last line with metrics."""
        self._look_before(text, len(text))
        self._done = 0

    def _look(self, text: bytes, start: int, end: int) -> None:
        """Look for any kind of counter on a line, then for a progress line before it."""
        self._look_before(text, start)
        matches = {kind: search(text, start, end) for kind, search in _ON_LINE.items()}
        found = {kind: match for kind, match in matches.items() if match is not None}
        kind = next(iter(found), "")
        if kind not in ("", "global_step", *_EPOCHS) and found[kind][2]:
            # A part of an epoch: the epoch is on the line, or on a progress line before it.
            in_epoch = "" if self._before in _EPOCHS else kind
            kind = next((kind for kind in _EPOCHS if kind in found), in_epoch)
        if not kind:
            self._misses += 1
            return
        self._word, self._misses = kind, 0
        self._usual, self._search = _USUALLY[kind], _ON_LINE[kind]
        self._step = int(found[kind][1])

    def _look_before(self, text: bytes, border: int) -> None:
        """Look for the last progress line between the last line with metrics and `border`."""
        if self._word or (self._misses >= PATIENCE and not self._before):
            return
        if not self._before:
            self._before = _first_kind(text, self._done, border)
        if self._before:
            step = _last(text, self._before, self._done, border)
            self._step = self._step if step is None else step


def _first_kind(text: bytes, start: int, end: int) -> str:
    """Return the kind of counter of the first progress line, or "" if there is none."""
    places = {}
    for kind, literal in _LITERALS.items():
        place = text.find(literal, start, end)
        while place >= 0 and _progress(text, kind, place, end) is None:
            place = text.find(literal, place + 1, end)
        if place >= 0:
            places[place] = kind
    return places[min(places)] if places else ""


def _last(text: bytes, kind: str, start: int, end: int) -> int | None:
    """Return the step of the last progress line with this kind of counter, or None."""
    place = text.rfind(_LITERALS[kind], start, end)
    while place >= 0:
        step = _progress(text, kind, place, end)
        if step is not None:
            return step
        place = text.rfind(_LITERALS[kind], start, place)
    return None


def _progress(text: bytes, kind: str, place: int, end: int) -> int | None:
    """Return the step of a progress line that has its counter at `place`, or None."""
    match = _TOTALS[kind](text, place, end)
    if match is None and _begins_line(text, place):
        match = _HEADINGS[kind](text, place, end)
    return None if match is None else int(match[1])


def _begins_line(text: bytes, place: int) -> bool:
    """Return whether nothing but a time and signs stands before a word in its line."""
    floor = max(0, place - _LONGEST_START)
    start = text.rfind(b"\n", floor, place) + 1
    return (start > 0 or floor == 0) and _LINE_START(text, start, place) is not None
