"""Named numbers that are not the metric's value: in code, in settings, of a part of the data.

| text                                           | why it is not a value                      |
|------------------------------------------------|--------------------------------------------|
| `>>> loss = 0.5`, `print("loss: 0.5")`         | code                                       |
| the line below `  File "train.py", line 3`     | the source in a Python traceback           |
| `Namespace(loss=0.5)`, `config: {'loss': 0.5}` | settings                                   |
| `train: loss=0.5 val: loss=0.6`                | which is `loss`? Ask for `val: loss`       |
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from filters.name_matcher import Mention

_CODE_START = re.compile(
    rb"\$[ ]|[ \t]*+(?:\+{1,3}[ ](?!\w+:)|>>>[ ]|\.\.\.[ ]|>[ ].*(?:\(|<-)|In[ ]\[\d+\]:"
    rb"|(?:print|printf|cat|echo|def|elif|while|assert|return|raise|console\.log|log(?:ger|ging)?\.\w+)"
    rb"[ ]?[(\"'])"
)
_SETTINGS = re.compile(
    rb"(?i:\bnamespace\(|\b(?:args|arguments|argv|config|configuration|cfg|hparams|hyper-?parameters"
    rb"|params|parameters|settings|options|flags)\b[\"']?[ ]?[:=]?[ ]?(?:dict|\w+config)?[{(])"
)
_CODE_FIRST = frozenset(b" \t$+>.Ipcedwarl")
"""The first bytes of lines that `_CODE_START` matches."""

_PLACE = b'  File "'
_PARTS = re.compile(
    rb"(?i:\b(train(?:ing)?|learn|val(?:id(?:ation)?)?|test(?:ing)?|eval(?:uation)?|dev|holdout|best"
    rb"|worst|target)\b)"
)
_WORD_BEFORE = re.compile(rb"([A-Za-z_][\w.'-]{0,40})[ \t]\Z")


class CodeLines:
    """Tells which lines of a region are code or settings, and from where on."""

    def __init__(self, text: bytes, *, after_place: bool) -> None:
        """Take a region's text; `after_place`: the line before it is a place in a traceback."""
        self._text = text
        self._after_place = after_place
        # One look at a whole region spares one at each line, and `in` is quick for a single byte.
        self._places = after_place or (b'"' in text and _PLACE in text)
        self._settings = b"(" in text or b"{" in text

    def start(self, line_start: int, line_end: int) -> int:
        """Return the position from which a line's numbers do not count; its end if all count."""
        text = self._text
        if text[line_start] in _CODE_FIRST and _CODE_START.match(text, line_start, line_end):
            return line_start
        if self._places and self._below_a_place(line_start):
            return line_start
        settings = self._settings and _SETTINGS.search(text, line_start, line_end)
        return settings.start() if settings else line_end

    def _below_a_place(self, line_start: int) -> bool:
        if line_start == 0:
            return self._after_place
        previous = self._text.rfind(b"\n", 0, line_start - 1) + 1
        return self._text.startswith(_PLACE, previous)


def ends_with_place(text: bytes) -> bool:
    """Return whether the last line is a place in a traceback, such as `  File "a.py", line 3`."""
    return text.startswith(_PLACE, text.rfind(b"\n", 0, len(text) - 1) + 1)


def surely_meant(text: bytes, line_start: int, mentions: Sequence[Mention]) -> list[bool]:
    """Return for each mention of a line, from left to right, whether its number surely counts.

    Where a name is repeated, the words before it must be the same each time: `train` and `val`, or
    `total loss` and `box loss`. Otherwise only the name without such a word counts.
    """
    contexts = list(_contexts(text, line_start, mentions))
    by_name: dict[str, set[tuple[bytes, bytes]]] = {}
    for (_, _, name, _), context in zip(mentions, contexts, strict=True):
        by_name.setdefault(name, set()).add(context)
    return [
        len(by_name[name]) == 1 or context == _NO_CONTEXT
        for (_, _, name, _), context in zip(mentions, contexts, strict=True)
    ]


_NO_CONTEXT = (b"", b"")


def _contexts(
    text: bytes, line_start: int, mentions: Iterable[Mention]
) -> Iterable[tuple[bytes, bytes]]:
    """Yield the last word for a part of the data before each mention, and the word before it."""
    ends: dict[str, int] = {}
    for place, minus_end, name, _ in mentions:
        start = ends.get(name, line_start)
        part = _PARTS.findall(text, start, place)
        word = _WORD_BEFORE.search(text, max(start, place - 42), place)
        yield (part[-1].lower() if part else b"", word[1].lower() if word else b"")
        ends[name] = -minus_end
