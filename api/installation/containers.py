"""What a container is given: Kubernetes quantities, pull policies, and katib-config's rules.

What katib-config leaves out of a container's resources gets a default; who reads it says which.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from api.errors import UserError
from api.objects.fields import Field
from api.types import JsonObject

# `resource.Quantity` of Kubernetes: a decimal number with a suffix of either kind, or an exponent.
_QUANTITY = re.compile(
    r"([+-]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30}))"
    r"(?:(n|u|m||k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)|[eE]([+-]?[0-9]{1,2}))"
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}

CPU, MEMORY, STORAGE = "cpu", "memory", "ephemeral-storage"


class PullPolicy(StrEnum):
    """When the kubelet fetches an image."""

    ALWAYS = "Always"
    IF_NOT_PRESENT = "IfNotPresent"
    NEVER = "Never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """A container's `resources`, the quantities as they were written."""

    requests: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)

    def overlaid(self, above: Resources) -> Resources:
        """Return these with those `above` in their place, name by name."""
        return Resources(
            requests={**self.requests, **above.requests}, limits={**self.limits, **above.limits}
        )


def quantity(text: str) -> Decimal:
    """Read a quantity of Kubernetes, such as 500m or 1.5Gi.

    Raises:
        UserError: it is none.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise UserError(f'"{text[:80]}" is no quantity; write it as 500m, 2 or 64Mi')
    number, suffix, exponent = match.groups()
    if exponent is not None:
        return Decimal(number).scaleb(int(exponent))
    if suffix in _BINARY:
        return Decimal(number) * (1 << (10 * _BINARY[suffix]))
    return Decimal(number).scaleb(_DECIMAL[suffix])


def read_resources(f: Field) -> Resources:
    """Read `resources`; what there is beside requests and limits is not for us."""
    f.open_ended()
    return Resources(requests=_quantities(f.at("requests")), limits=_quantities(f.at("limits")))


def read_pull_policy(f: Field) -> PullPolicy:
    """Read `imagePullPolicy`; what is none of its words is IfNotPresent, as it is to Katib."""
    policy = f.text()
    return PullPolicy(policy) if policy in set(PullPolicy) else PullPolicy.IF_NOT_PRESENT


def with_defaults(wanted: Resources, defaults: Resources) -> Resources:
    """Fill in what is missing or zero; what is negative is left out, as katib-config has it.

    A default gives way to its other half: a request above the default limit raises it.

    Raises:
        UserError: a request is above its limit.
    """
    requests = _filled(wanted.requests, defaults.requests)
    limits = _filled(wanted.limits, defaults.limits)
    for name in requests.keys() & limits.keys():
        if quantity(requests[name]) <= quantity(limits[name]):
            continue
        if wanted.limits.get(name) != limits[name]:
            limits[name] = requests[name]
        elif wanted.requests.get(name) != requests[name]:
            requests[name] = limits[name]
        else:
            raise UserError(
                f"of {name}, {requests[name]} are requested and {limits[name]} are the limit;"
                " request no more than the limit"
            )
    return Resources(requests=requests, limits=limits)


def render_resources(resources: Resources) -> JsonObject:
    """Write a container's `resources`."""
    parts = {"requests": dict(resources.requests), "limits": dict(resources.limits)}
    return {side: quantities for side, quantities in parts.items() if quantities}


def _quantities(f: Field) -> dict[str, str]:
    """Read quantities by name; YAML takes `cpu: 2` for a number."""
    found: dict[str, str] = {}
    for name in f.mapping() or ():
        value = f.at(name).value
        text = value if isinstance(value, str) else str(value)
        try:
            quantity(text)
        except UserError as error:
            f.at(name).refuse(str(error))
        else:
            found[name] = text
    return found


def _filled(wanted: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    known = {name: text for name, text in wanted.items() if quantity(text) != 0}
    filled = {**defaults, **known}
    return {name: text for name, text in filled.items() if quantity(text) > 0}
