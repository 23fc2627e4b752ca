"""Numbers in event files, as the shortest text that means the same number.

A value of 32 bits that was logged as 0.1 is `0.1`, not `0.10000000149011612`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from struct import Struct, pack, unpack
from typing import NamedTuple

from api.eventfiles.event_pb2 import Tensor

_PACK32, _UNPACK32 = Struct("<f").pack, Struct("<f").unpack


class _Kind(NamedTuple):
    """A type of numbers: how they are in a tensor's bytes, and which field has them otherwise."""

    code: str
    """Of `struct`; `Z` for bfloat16, which `struct` does not have."""
    size: int
    field: str


# By TensorFlow's number of the type (types.proto). Types of complex numbers, texts and pictures are
# no metrics.
_KINDS: Mapping[int, _Kind] = {
    1: _Kind("f", 4, "float_val"),
    2: _Kind("d", 8, "double_val"),
    3: _Kind("i", 4, "int_val"),
    4: _Kind("B", 1, "int_val"),
    5: _Kind("h", 2, "int_val"),
    6: _Kind("b", 1, "int_val"),
    9: _Kind("q", 8, "int64_val"),
    10: _Kind("?", 1, "bool_val"),
    11: _Kind("b", 1, "int_val"),  # quantized, up to 13
    12: _Kind("B", 1, "int_val"),
    13: _Kind("i", 4, "int_val"),
    14: _Kind("Z", 2, "half_val"),  # bfloat16
    15: _Kind("h", 2, "int_val"),  # quantized
    16: _Kind("H", 2, "int_val"),  # quantized
    17: _Kind("H", 2, "int_val"),
    19: _Kind("e", 2, "half_val"),
    22: _Kind("I", 4, "uint32_val"),
    23: _Kind("Q", 8, "uint64_val"),
}


def float32_text(value: float) -> str:
    """Return the shortest text that is this number in 32 bits; `nan`, `inf` or `-inf` too."""
    # With 7 digits a text of fewer digits ends in zeros, which `g` leaves out.
    for count in (".7g", ".8g"):
        short = float(format(value, count))
        if _as_float32(short) == value:
            return repr(short)
    return repr(float(format(value, ".9g")))


def tensor_text(tensor: Tensor) -> str | None:
    """Return the one number of a tensor; None if it has another number of numbers, or none."""
    kind = _KINDS.get(tensor.dtype)
    if kind is None or any(one.size != 1 for one in tensor.tensor_shape.dim):
        return None
    content = tensor.tensor_content
    if content:
        return _text_of_bytes(kind, content) if len(content) == kind.size else None
    values = getattr(tensor, kind.field)
    if len(values) != 1:
        return None
    if kind.field == "half_val":
        return _text_of_bytes(kind, (values[0] & 0xFFFF).to_bytes(2, "little"))
    return _text(kind.code, values[0])


def _text_of_bytes(kind: _Kind, content: bytes) -> str:
    if kind.code == "Z":
        return _text("Z", unpack("<f", b"\0\0" + content)[0])
    return _text(kind.code, unpack(f"<{kind.code}", content)[0])


def _text(code: str, value: float) -> str:
    match code:
        case "f":
            return float32_text(value)
        case "d":
            return repr(float(value))
        case "e":
            return _shortest(value, (3, 4, 5), _as_float16)
        case "Z":
            return _shortest(value, (2, 3, 4), _as_bfloat16)
        case _:
            return str(int(value))


def _shortest(
    value: float, digits: tuple[int, ...], rounded: Callable[[float], float | None]
) -> str:
    """Return the text with the fewest digits that is rounded to the value."""
    if isfinite(value):
        for count in digits:
            short = float(f"{value:.{count}g}")
            if rounded(short) == value:
                return repr(short)
    return repr(value)


def _as_float32(number: float) -> float | None:
    try:
        return float(_UNPACK32(_PACK32(number))[0])
    except OverflowError:  # the shorter text is above the largest value
        return None


def _as_float16(number: float) -> float | None:
    try:
        return float(unpack("<e", pack("<e", number))[0])
    except OverflowError:
        return None


def _as_bfloat16(number: float) -> float | None:
    """Round to the nearest value, to an even one if there are two."""
    try:
        (bits,) = unpack("<I", pack("<f", number))
    except OverflowError:
        return None
    bits += 0x7FFF + (bits >> 16 & 1)
    return float(unpack("<f", (bits & 0xFFFF0000).to_bytes(4, "little"))[0])
