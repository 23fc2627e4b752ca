"""Refusals with the error codes of MLflow, which its clients show with the message."""

from __future__ import annotations

from typing import Final

INVALID_PARAMETER_VALUE: Final = "INVALID_PARAMETER_VALUE"
RESOURCE_ALREADY_EXISTS: Final = "RESOURCE_ALREADY_EXISTS"
RESOURCE_DOES_NOT_EXIST: Final = "RESOURCE_DOES_NOT_EXIST"
ENDPOINT_NOT_FOUND: Final = "ENDPOINT_NOT_FOUND"

_STATUS = {
    INVALID_PARAMETER_VALUE: 400,
    RESOURCE_ALREADY_EXISTS: 400,
    RESOURCE_DOES_NOT_EXIST: 404,
    ENDPOINT_NOT_FOUND: 404,
}


class Refusal(Exception):
    """A request cannot be answered as asked."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """The HTTP status that MLflow's server sends with the code."""
        return _STATUS[self.code]


def invalid(message: str) -> Refusal:
    """Return a refusal of a wrong value."""
    return Refusal(INVALID_PARAMETER_VALUE, message)


def missing(message: str) -> Refusal:
    """Return a refusal of a name or id that is not known."""
    return Refusal(RESOURCE_DOES_NOT_EXIST, message)
