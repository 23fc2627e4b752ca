"""The input of a decision about an experiment."""

from __future__ import annotations

from dataclasses import dataclass

from api.types import Json
from kube.access import NOBODY, Requester


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentRequest:
    """An experiment that a request would store, and the stored one that it would replace."""

    namespace: str
    name: str
    document: Json
    """Any JSON: it is not checked yet."""
    old: Json = None
    """The stored experiment; None: the request creates a new one."""
    author: Requester = NOBODY
    """The user who sent the request."""
    exempt: bool = False
    """Whether it passes unchecked, because the request changes nothing that has a rule."""
