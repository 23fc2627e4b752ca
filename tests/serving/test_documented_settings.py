"""Each program's help text and document have its flags, variables and defaults, as the rows say."""

from __future__ import annotations

import os
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


def held(document: str, table: str) -> None:
    """Assert that a document has a table; with UPDATE_DOCS=1 in the environment, write it there."""
    path = DOCS / document
    text, head = path.read_text(encoding="utf-8"), table.split("\n", 1)[0]
    before, _, rest = text.partition(f"{head}\n")
    found = head + "\n" + rest.partition("\n\n")[0] + "\n"
    if os.environ.get("UPDATE_DOCS"):
        after = rest.partition("\n\n")[2]
        path.write_text(f"{before}{table}\n{after}", encoding="utf-8")
    else:
        assert found == table, f"UPDATE_DOCS=1 writes the table of docs/{document} anew"


@PROGRAMS
def test_the_document_has_each_flag_with_its_sentence_and_default(
    document: str, program: Program[Any]
) -> None:
    held(document, flag_table(program))


@PROGRAMS
def test_the_document_has_each_variable_with_its_sentence_and_default(
    document: str, program: Program[Any]
) -> None:
    if program.variables:
        held(document, variable_table(program.variables))


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
