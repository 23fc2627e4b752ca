"""What is due: a pure function from the authorities and the time to the next authorities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from webhook.authority.authorities import Authority, expired

_DAY: Final = 86_400.0
_YEAR: Final = 365 * _DAY

Make = Callable[[float], Authority]
"""Makes an authority, at a time in seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Durations, in seconds."""

    lifetime: float = 10 * _YEAR
    """Of an authority."""
    renew: float = 2 * _YEAR
    """How long before an authority ends the next one is added."""
    overlap: float = _YEAR
    """How long the next authority is trusted before it signs: no pod runs longer than this."""
    server_lifetime: float = 90 * _DAY
    server_renew: float = 30 * _DAY
    """How long before a server's certificate expires its successor is made."""
    look: float = 5.0
    """The interval of reconciliations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorities:
    """All authorities that are in use."""

    current: Authority
    """It signs."""
    next: Authority | None = None
    """It will sign."""
    old: tuple[str, ...] = ()
    """In PEM: they have signed certificates that may still be served."""

    @property
    def bundle(self) -> str:
        """The certificates that clients trust, in PEM."""
        added = [self.next.cert] if self.next else []
        return "".join(dict.fromkeys((self.current.cert, *added, *self.old)))


def next_authorities(
    stored: Authorities | None, last: Authorities | None, now: float, timing: Timing, make: Make
) -> Authorities:
    """Return the authorities as they must be now; `stored` itself if nothing is due.

    | stored | this replica has read before | what is returned |
    |---|---|---|
    | yes | any | those, or the next step from them |
    | no | yes | what it has read: pods and clients trust these |
    | no | no | a new authority |

    Args:
        stored: what the Secret says; None: nothing.
        last: what this replica has read before.
        now: seconds since 1970.
        timing: durations.
        make: makes an authority.
    """
    if stored is None:
        return last or Authorities(current=make(now))
    kept = tuple(cert for cert in stored.old if not expired(cert, now))
    if kept != stored.old:
        return replace(stored, old=kept)
    current, added = stored.current, stored.next
    if added is None:
        due = now >= current.expires - timing.renew
        return replace(stored, next=make(now)) if due else stored
    if now >= min(added.began + timing.overlap, current.expires):
        return Authorities(current=added, old=(current.cert, *stored.old))
    return stored
