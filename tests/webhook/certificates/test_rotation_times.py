"""A rotation with the program's own durations, on a cluster in which news takes its time.

An API server whose watch was cut opens it again after up to 30 s, and a replica's request may take
as long (`SelfSignedCertificate`). So what each of them knows may be 45 s old, and never older here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.webhook.certificates.certificate_objects import NOW
from webhook.certificates.issued import IssuedCertificate
from webhook.certificates.rotation import (
    MintNext,
    ObservedBundles,
    RotationState,
    Timing,
    Trust,
    Write,
    next_step,
)

LATE = 45
TIMING = Timing()


def issued(name: str, now: float) -> IssuedCertificate:
    return IssuedCertificate(ca=name, cert="", key="", expires=now + TIMING.lifetime)


@dataclass
class Cluster:
    """What the Secret and the bundle were in each second, the newest last."""

    states: list[RotationState]
    bundles: list[tuple[str, ...]] = field(default_factory=list)

    def pass_a_second(self, now: float) -> None:
        """Let a replica that knows the present take the step that is due."""
        state, bundle = self.states[-1], self.bundles[-1]
        step = next_step(state, ObservedBundles(bundles=(bundle,)), now, TIMING)
        match step:
            case MintNext(state):
                state = replace(state, next=issued("second", now))
            case Write(state):
                pass
            case Trust(bundle):
                pass
            case _:
                assert step is None
        self.states.append(state)
        self.bundles.append(bundle)

    def served(self) -> set[str]:
        """Return the authorities of the certificates that some replica may serve now."""
        return {state.current.ca for state in self.states[-LATE:] if state.current}


def test_no_api_server_refuses_a_certificate_though_news_takes_45_seconds() -> None:
    first = issued("first", NOW)
    due = NOW + TIMING.lifetime - TIMING.renew
    cluster = Cluster(states=[RotationState(current=first)], bundles=[("first",)])
    refused = []

    for second in range(600):
        cluster.pass_a_second(due - 60 + second)
        refused += [
            (second, authority, bundle)
            for bundle in cluster.bundles[-LATE:]
            for authority in cluster.served() - set(bundle)
        ]

    assert refused == []
    assert cluster.served() == {"second"}, "the rotation has ended"
    assert cluster.bundles[-1] == ("second",)
