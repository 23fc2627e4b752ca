"""A change rebuilds the images whose program can import it, and no others."""

from __future__ import annotations

import pytest

from tests.architecture.tree import ROOT
from tests.cluster.sources import context_of_programs, digest_of, imported_by

PROGRAMS = sorted(path.suffix.removeprefix(".") for path in ROOT.glob("Dockerfile.*"))


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_is_made_of_what_it_imports_and_of_no_other_program(program: str) -> None:
    made_of = imported_by(program)

    assert {program, "api"} <= made_of
    assert made_of & set(PROGRAMS) == {program}


def test_what_is_imported_by_what_a_program_imports_counts_too() -> None:
    # webhook imports filters, which is of no use without api.
    assert {"api", "filters", "kube", "serving"} < imported_by("webhook")


def test_no_two_programs_have_the_same_image() -> None:
    assert len({digest_of(program) for program in PROGRAMS}) == len(PROGRAMS)


def test_what_installs_a_program_is_there_and_the_tests_are_not() -> None:
    there = {str(path) for path in context_of_programs()}

    assert {
        "LICENSE",
        "README.md",
        "images/locks/build.txt",
        "pyproject.toml",
        "launcher/launch.c",
    } <= there
    assert not any(path.startswith(("tests/", "docs/", "examples/")) for path in there)
