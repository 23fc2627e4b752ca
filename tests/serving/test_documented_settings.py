"""Each program's help text and document have its flags, variables and defaults, as the rows say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller.settings import PROGRAM as CONTROLLER
from dbmanager.settings import PROGRAM as DB_MANAGER
from serving.main import Program
from serving.settings import documented
from suggestion.settings import PROGRAM as SUGGESTION
from tests.serving.settings_tables import flag_table, variable_table
from webhook.settings import PROGRAM as WEBHOOK

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENTS = {
    "controller.md": CONTROLLER,
    "dbmanager.md": DB_MANAGER,
    "algorithms.md": SUGGESTION,
    "webhook.md": WEBHOOK,
}
PROGRAMS = pytest.mark.parametrize(("document", "program"), DOCUMENTS.items(), ids=DOCUMENTS)


def with_table(text: str, table: str) -> str:
    """Return a document with this table in the place of the one with the same head."""
    head = table.split("\n", 1)[0]
    before, _, rest = text.partition(f"{head}\n")
    after = rest.partition("\n\n")[2]
    return f"{before}{table}\n{after}"


@PROGRAMS
def test_the_document_has_each_flag_and_variable_with_its_sentence_and_default(
    document: str, program: Program[Any], golden: Callable[[Path, str], None]
) -> None:
    path = DOCS / document
    text = with_table(path.read_text(encoding="utf-8"), flag_table(program))
    if program.variables:
        text = with_table(text, variable_table(program.variables))

    golden(path, text)


@PROGRAMS
def test_the_help_text_has_each_flag_and_variable_with_its_default(
    document: str, program: Program[Any]
) -> None:
    usage = " ".join(program.usage().split())

    assert f"python -m {program.name} " in usage, document
    for entry in documented(program.settings):
        assert f"{entry.flag.name} {entry.flag.value}".strip() in usage
        assert entry.alias in usage
        assert not entry.default or f"Default: {entry.default}." in usage
    for variable in program.variables:
        assert f"{variable.name} {variable.sentence}" in usage
