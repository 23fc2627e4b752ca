from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from api import names

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "labels.md"

HEAD = """\
# Labels, annotations, variables, files and ports

All names that users or two programs share. `make golden` generates this page from
`api/names.py`, which defines each name once.
"""


class Name(NamedTuple):
    constant: str
    value: object
    sentence: str
    line: int


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _read() -> list[Name]:
    """Read names.py as text: the string after a constant is its sentence."""
    body = ast.parse(SOURCE).body
    found = []
    for node, following in zip(body, [*body[1:], ast.Pass()], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            sentence = following.value.value if _is_text(following) else ""  # type: ignore[attr-defined]
            constant = node.target.id
            found.append(Name(constant, getattr(names, constant), sentence, node.lineno))
    return found


def _headings() -> list[tuple[int, str]]:
    marked = (re.fullmatch(r"# --- (.+) ---", line) for line in SOURCE.splitlines())
    return [(number, mark[1]) for number, mark in enumerate(marked, 1) if mark]


SOURCE = Path(names.__file__).read_text(encoding="utf-8")
NAMES = _read()
HEADINGS = _headings()


def _heading_of(name: Name) -> str:
    return max(heading for heading in HEADINGS if heading[0] < name.line)[1]


def _page() -> str:
    parts = [HEAD]
    for _, heading in HEADINGS:
        rows = [
            f"| `{str(name.value).strip()}` | {name.sentence} |"
            for name in NAMES
            if _heading_of(name) == heading
        ]
        parts.append("\n".join([f"## {heading}", "", "| name | meaning |", "|---|---|", *rows, ""]))
    return "\n".join(parts)


def test_every_public_name_is_read() -> None:
    public = [name for name in vars(names) if name.isupper()]

    assert [name.constant for name in NAMES] == public
    assert len(public) > 60


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name.constant)
def test_a_name_is_explained_in_one_sentence(name: Name) -> None:
    assert re.fullmatch(r"[A-Z`/].*[^.\s]\.", name.sentence), "a capital, words, one full stop"
    assert not re.search(r"\.\s+[A-Z]", name.sentence), "one sentence"
    assert "|" not in name.sentence, "it stands in a table"


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name.constant)
def test_a_name_is_final(name: Name) -> None:
    assert f"\n{name.constant}: Final = " in SOURCE


def test_a_text_is_written_once() -> None:
    texts = Counter(name.value for name in NAMES if isinstance(name.value, str))

    assert [text for text, count in texts.items() if count > 1] == []


def test_a_label_is_one_that_kubernetes_takes() -> None:
    labels = [str(name.value) for name in NAMES if name.constant.endswith(("LABEL", "ANNOTATION"))]

    assert len(labels) > 12
    for label in labels:
        assert re.fullmatch(r"[a-z0-9.-]{1,253}/[a-z-]{1,63}", label)


def test_a_metadata_key_is_one_that_grpc_takes() -> None:
    keys = [str(name.value) for name in NAMES if name.constant.endswith("METADATA")]

    assert len(keys) == 6
    assert all(re.fullmatch(r"trialwatch-[a-z-]+", key) for key in keys)


def test_no_control_line_begins_another() -> None:
    lines = [str(name.value) for name in NAMES if name.constant.startswith("CONTROL_")]
    lines.remove(names.CONTROL_FIFO)

    assert len(lines) == 4
    assert not any(a != b and a.startswith(b) for a in lines for b in lines)
    assert all("\n" not in line for line in lines)


def test_the_page_has_a_row_for_each_name(golden: Callable[[Path, str], None]) -> None:
    golden(DOCUMENT, _page())
