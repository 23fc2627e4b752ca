"""What is due, by a clock alone."""

from __future__ import annotations

import pytest

from api.errors import SetupError
from tests.webhook.authority.authority_secrets import DAY, NOW, YEAR
from webhook.authority.authorities import Authority, make_authority, read_authority
from webhook.authority.steps import Authorities, Timing, next_authorities

TIMING = Timing()


def made(now: float) -> Authority:
    return make_authority(now, TIMING.lifetime)


FIRST = Authorities(current=made(NOW))


def stepped(stored: Authorities | None, now: float, last: Authorities | None = None) -> Authorities:
    return next_authorities(stored, last, now, TIMING, made)


def test_an_authority_lives_for_ten_years_from_when_it_was_made() -> None:
    assert (FIRST.current.began, FIRST.current.expires) == (NOW, NOW + 10 * YEAR)


def test_for_eight_years_nothing_is_due() -> None:
    assert stepped(FIRST, NOW + 8 * YEAR - DAY) is FIRST


def test_then_the_next_is_trusted_for_a_year_before_it_signs() -> None:
    added = stepped(FIRST, NOW + 8 * YEAR)
    assert added.next is not None
    assert added.current == FIRST.current
    assert added.bundle == FIRST.bundle + added.next.cert

    assert stepped(added, NOW + 9 * YEAR - DAY) is added

    replaced = stepped(added, NOW + 9 * YEAR)
    assert replaced == Authorities(current=added.next, old=(FIRST.current.cert,))
    assert replaced.bundle == added.next.cert + FIRST.bundle


def test_an_authority_that_has_ended_is_trusted_no_longer() -> None:
    replaced = Authorities(current=made(NOW + 8 * YEAR), old=(FIRST.current.cert,))

    assert stepped(replaced, NOW + 10 * YEAR - DAY) is replaced
    assert stepped(replaced, NOW + 10 * YEAR).old == ()


def test_after_a_long_absence_the_next_signs_at_once() -> None:
    late = NOW + 11 * YEAR
    added = stepped(FIRST, late)

    assert stepped(added, late).current == added.next


@pytest.mark.parametrize("last", [None, FIRST])
def test_an_empty_secret_gets_what_this_replica_knows(last: Authorities | None) -> None:
    found = stepped(None, NOW, last)

    assert (found == last) == (last is not None)
    assert found.next is None


def test_a_key_of_another_authority_is_refused() -> None:
    with pytest.raises(SetupError, match="does not belong"):
        read_authority(FIRST.current.cert, made(NOW).key)


def test_a_key_is_never_shown() -> None:
    assert "PRIVATE" not in repr(FIRST)
