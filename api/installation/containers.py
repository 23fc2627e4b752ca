"""Containers in katib-config: Kubernetes quantities, pull policies, and resources with defaults.

The caller passes the defaults of resources that katib-config omits.
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
    """A container's `resources`, each quantity as the text of the document."""

    requests: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)

    def overlaid(self, above: Resources) -> Resources:
        """Return these resources, with the quantities of `above` instead where it has the name."""
        return Resources(
            requests={**self.requests, **above.requests}, limits={**self.limits, **above.limits}
        )


def quantity(text: str) -> Decimal:
    """Read a quantity of Kubernetes, such as 500m or 1.5Gi.

    Raises:
        UserError: the text is not a quantity.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise UserError(f'"{text[:80]}" is not a quantity; write it like 500m, 2 or 64Mi')
    number, suffix, exponent = match.groups()
    if exponent is not None:
        return Decimal(number).scaleb(int(exponent))
    if suffix in _BINARY:
        return Decimal(number) * (1 << (10 * _BINARY[suffix]))
    return Decimal(number).scaleb(_DECIMAL[suffix])


def read_resources(f: Field) -> Resources:
    """Read `requests` and `limits` of `resources`; other fields are ignored."""
    f.open_ended()
    return Resources(requests=_quantities(f.at("requests")), limits=_quantities(f.at("limits")))


def read_pull_policy(f: Field) -> PullPolicy:
    """Read `imagePullPolicy`; any unknown value means IfNotPresent, as in Katib."""
    policy = f.text()
    return PullPolicy(policy) if policy in set(PullPolicy) else PullPolicy.IF_NOT_PRESENT


def with_defaults(wanted: Resources, defaults: Resources) -> Resources:
    """Replace missing and zero quantities by defaults; omit negative ones, as Katib does.

    If the request is above the limit, and one of the two is a default, the default is changed to
    the value of the other.

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
                f"the request for {name} ({requests[name]}) is above its limit ({limits[name]});"
                " request at most the limit"
            )
    return Resources(requests=requests, limits=limits)


def render_resources(resources: Resources) -> JsonObject:
    """Write a container's `resources`."""
    parts = {"requests": dict(resources.requests), "limits": dict(resources.limits)}
    return {side: quantities for side, quantities in parts.items() if quantities}


def _quantities(f: Field) -> dict[str, str]:
    """Read quantities by name; YAML reads `cpu: 2` as a number."""
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
