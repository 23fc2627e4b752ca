"""Read a container's `resources`: only GPUs and CPUs matter on this machine."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Final

from api.errors import UserError
from api.installation.containers import quantity
from api.objects.fields import Field

NVIDIA: Final = "nvidia.com/gpu"
AMD: Final = "amd.com/gpu"
GPUS: Final = (NVIDIA, AMD)
CPU: Final = "cpu"
_NONE = Decimal(0)
_MOST = 1_000_000


def gpus_of(resources: Field) -> dict[str, int]:
    """Return how many GPUs of each kind a container needs; kinds without GPUs are left out."""
    counts = {name: _count(_amount(resources, "limits", "requests", name)) for name in GPUS}
    return {name: count for name, count in counts.items() if count}


def cpus_of(resources: Field) -> int:
    """Return how many whole CPUs a container requests, rounded up; 0 if it requests none.

    As in Kubernetes, the limit is the request if there is no request.
    """
    return math.ceil(_number(_amount(resources, "requests", "limits", CPU)))


def _amount(resources: Field, first: str, second: str, name: str) -> Field:
    """Return the amount of a resource in the first of two mappings that has it."""
    amount = resources.at(first).open_ended().at(name)
    other = resources.at(second).open_ended().at(name)
    return other if amount.absent else amount


def _count(amount: Field) -> int:
    value = _number(amount)
    if value != int(value):
        amount.refuse("must be a whole number of GPUs")
        return 0
    return int(value)


def _number(amount: Field) -> Decimal:
    """Return the amount; 0 if it is absent or cannot be used."""
    if amount.absent:
        return _NONE
    try:
        value = quantity(str(amount.value))
    except UserError as error:
        amount.refuse(str(error))
        return _NONE
    if not 0 <= value <= _MOST:
        amount.refuse(f"must be a number from 0 to {_MOST}")
        return _NONE
    return value
