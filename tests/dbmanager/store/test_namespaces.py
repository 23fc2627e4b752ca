"""Which trial a request means: the table of namespaces in the contract."""

from __future__ import annotations

import pytest

from dbmanager.store.contract import AmbiguousTrial, resolve


@pytest.mark.parametrize(
    ("asked", "stored", "read", "reported"),
    [
        ("ns", ("ns",), "ns", "ns"),
        ("ns", ("ns", "", "x"), "ns", "ns"),
        ("ns", ("",), "", "ns"),
        ("ns", ("", "x"), "", "ns"),
        ("ns", ("x",), "ns", "ns"),
        ("ns", (), "ns", "ns"),
        ("", ("ns",), "", ""),
        (None, (), "", ""),
        (None, ("ns",), "ns", "ns"),
        (None, ("",), "", ""),
    ],
    ids=str,
)
def test_a_request_means_one_trial(
    asked: str | None, stored: tuple[str, ...], read: str, reported: str
) -> None:
    assert resolve("t", asked, frozenset(stored)).namespace == read
    assert resolve("t", asked, frozenset(stored), to_report=True).namespace == reported


def test_a_name_in_several_namespaces_is_refused_where_none_is_asked_for() -> None:
    with pytest.raises(AmbiguousTrial, match="'a', 'b'"):
        resolve("t", None, frozenset({"b", "a"}))
