"""The next step of a rotation, from what is known."""

from __future__ import annotations

import pytest

from tests.webhook.certificates.certificate_objects import NOW
from webhook.certificates.issued import IssuedCertificate
from webhook.certificates.rotation import (
    MintCurrent,
    MintNext,
    ObservedBundles,
    RotationState,
    Step,
    Timing,
    Trust,
    Write,
    may_serve,
    next_step,
)

TIMING = Timing(lifetime=900, renew=300, settle=60, skew=15, look=5)


def issued(name: str, expires: float = NOW + 900) -> IssuedCertificate:
    return IssuedCertificate(ca=name, cert=f"cert of {name}", key=f"key of {name}", expires=expires)


ONE, TWO = issued("1"), issued("2")
FRESH = RotationState(current=ONE)
TRUSTING = RotationState(current=ONE, next=TWO)
SERVING = RotationState(current=TWO, old=("1",))
DROPPING = RotationState(current=TWO, old=("1",), dropping=True)
# The length of both waits, by any clock.
WAIT = TIMING.settle + TIMING.skew


def since(state: RotationState, moment: float) -> RotationState:
    return RotationState(
        current=state.current,
        next=state.next,
        old=state.old,
        dropping=state.dropping,
        since=moment,
    )


STEPS = [
    # state in the Secret, own authorities in each bundle, seconds from now, next step
    (None, [], 0, MintCurrent()),
    (None, ["", ""], 0, MintCurrent()),
    (None, ["9"], 0, MintNext(RotationState(old=("9",)))),
    (None, ["", "9 8"], 0, MintNext(RotationState(old=("9", "8")))),
    (FRESH, ["1", "1"], 0, None),
    (FRESH, [], 0, None),
    (FRESH, ["1", ""], 0, Trust(("1",))),
    (FRESH, ["1 9"], 0, Trust(("1",))),
    (FRESH, ["1"], 599, None),
    (FRESH, ["1"], 600, MintNext(FRESH)),
    (FRESH, ["1"], 9999, MintNext(FRESH)),
    (TRUSTING, ["1"], 0, Trust(("1", "2"))),
    (TRUSTING, ["1 2", "1"], 0, Trust(("1", "2"))),
    (TRUSTING, ["1 2", "2 1"], 0, Write(since(TRUSTING, NOW))),
    (since(TRUSTING, NOW), ["1 2"], WAIT - 1, None),
    (since(TRUSTING, NOW), ["1 2"], WAIT, Write(SERVING)),
    (since(TRUSTING, NOW), ["1 2", "1"], WAIT, Write(TRUSTING)),
    (since(TRUSTING, NOW + 14), ["1 2"], 0, None),
    (since(TRUSTING, NOW + 16), ["1 2"], 0, Write(since(TRUSTING, NOW))),
    (
        RotationState(next=TWO, old=("9",)),
        ["9 2"],
        0,
        Write(RotationState(next=TWO, old=("9",), since=NOW)),
    ),
    (
        RotationState(next=TWO, old=("9",), since=NOW),
        ["9 2"],
        WAIT,
        Write(RotationState(current=TWO, old=("9",))),
    ),
    (SERVING, ["2"], 0, Trust(("1", "2"))),
    (SERVING, ["1 2"], 0, Write(since(SERVING, NOW))),
    (since(SERVING, NOW), ["1 2"], WAIT - 1, None),
    (since(SERVING, NOW), ["1 2"], WAIT, Write(since(DROPPING, NOW))),
    (DROPPING, ["1 2"], 0, Trust(("2",))),
    (DROPPING, ["2"], 0, Write(RotationState(current=TWO))),
]


@pytest.mark.parametrize(("state", "bundles", "seconds", "step"), STEPS)
def test_the_next_step_follows_from_secret_bundles_and_time(
    state: RotationState | None, bundles: list[str], seconds: float, step: Step | None
) -> None:
    observed = ObservedBundles(bundles=tuple(tuple(bundle.split()) for bundle in bundles))

    assert next_step(state, observed, NOW + seconds, TIMING) == step


@pytest.mark.parametrize("held", [FRESH, TRUSTING, SERVING, DROPPING])
def test_an_emptied_secret_gets_back_the_last_state_of_a_replica(held: RotationState) -> None:
    step = next_step(
        None, ObservedBundles(bundles=(("1", "2", "9"),)), NOW, TIMING, since(held, NOW)
    )

    assert isinstance(step, Write)
    written = step.state
    assert (written.current, written.next) == (held.current, held.next)
    assert set(written.trusted) == {"1", "2", "9"}
    assert (written.dropping, written.since) == (False, None)


@pytest.mark.parametrize(
    ("state", "seconds", "seen", "may"),
    [
        # state, seconds from now, seconds since it was read, whether it may still be served
        (FRESH, 0, 9999, True),
        (FRESH, 584, 9999, True),
        (FRESH, 585, 61, False),
        (FRESH, 585, 60, True),
        (TRUSTING, 0, 60, True),
        (TRUSTING, 0, 61, False),
        (SERVING, 0, 61, False),
        (DROPPING, 0, 9999, True),
        (RotationState(next=ONE), 0, 0, False),
    ],
)
def test_a_state_that_was_read_long_ago_counts_until_a_rotation_may_have_started(
    state: RotationState, seconds: float, seen: float, *, may: bool
) -> None:
    now = NOW + seconds

    assert may_serve(state, now - seen, now, TIMING) == may
