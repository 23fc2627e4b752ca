"""The one exception of `trialwatch.tune`."""

from __future__ import annotations


class TuneError(Exception):
    """A search cannot start, cannot continue, or has no result; the text says what to change."""
