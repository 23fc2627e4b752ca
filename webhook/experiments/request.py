"""What is asked about an experiment: the document that is to be stored, and the one it replaces."""

from __future__ import annotations

from dataclasses import dataclass

from api.types import Json
from kube.access import NOBODY, Requester


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentRequest:
    """An experiment that is to be stored, and the one in whose place."""

    namespace: str
    name: str
    document: Json
    """Whatever it is."""
    old: Json = None
    """None: it is new."""
    author: Requester = NOBODY
    """Who asks for it."""
    settled: bool = False
    """It goes through whatever it is: nothing of it is changed that has a rule."""
