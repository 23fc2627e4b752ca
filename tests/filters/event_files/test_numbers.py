"""Numbers of all types, against the reader in tensorboard."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.util.tensor_util import make_ndarray

from api.eventfiles.event_pb2 import Tensor
from filters.event_files.numbers import float32_text, tensor_text

_FLOATS = {1: "f", 2: "d"}
_INTEGERS = {3: "i", 4: "B", 5: "h", 6: "b", 9: "q", 17: "H", 22: "I", 23: "Q"}
_FIELDS = {1: 5, 2: 6, 3: 7, 4: 7, 5: 7, 6: 7, 9: 10, 10: 11, 14: 13, 17: 7, 19: 13}
_NAMES = {5: "float_val", 6: "double_val", 7: "int_val", 10: "int64_val", 11: "bool_val"}
_NAMES[13] = "half_val"


def _both(theirs: TensorProto) -> tuple[str | None, Any]:
    """Return what trialwatch and tensorboard read."""
    return tensor_text(Tensor.FromString(theirs.SerializeToString())), make_ndarray(theirs)


def _packed(dtype: int, value: float) -> TensorProto:
    return TensorProto(dtype=dtype, **{_NAMES[_FIELDS[dtype]]: [value]})


def _raw(dtype: int, content: bytes) -> TensorProto:
    return TensorProto(dtype=dtype, tensor_content=content)


@pytest.mark.parametrize("dtype", [*_FLOATS])
@pytest.mark.parametrize("value", [0.0, 0.1, -7.53e-05, 1e30, 1 / 3, 123456.789])
def test_floats_packed_and_raw_are_those_of_tensorboard(dtype: int, value: float) -> None:
    for tensor in (_packed(dtype, value), _raw(dtype, struct.pack(f"<{_FLOATS[dtype]}", value))):
        text, array = _both(tensor)
        assert text is not None
        assert array.dtype.type(text) == array.item()


@pytest.mark.parametrize(("dtype", "code"), list(_INTEGERS.items()))
def test_integers_packed_and_raw_are_those_of_tensorboard(dtype: int, code: str) -> None:
    size = struct.calcsize(f"<{code}")
    for value in (1, 100, 2 ** (8 * size - 1) - 1, -(2 ** (8 * size - 1))):
        if value < 0 and code.isupper():
            continue
        text, array = _both(_raw(dtype, struct.pack(f"<{code}", value)))
        assert text == str(array.item()) == str(value)
        if dtype in _FIELDS:
            text, array = _both(_packed(dtype, value))
            assert text == str(array.item()) == str(value)


def test_unsigned_integers_have_fields_of_their_own() -> None:
    # tensorboard reads these two only as raw bytes.
    assert tensor_text(Tensor(dtype=22, uint32_val=[2**32 - 1])) == str(2**32 - 1)
    assert tensor_text(Tensor(dtype=23, uint64_val=[2**64 - 1])) == str(2**64 - 1)


@pytest.mark.parametrize("dtype", [11, 12, 13, 15, 16])
def test_quantized_integers_are_integers(dtype: int) -> None:
    assert tensor_text(Tensor(dtype=dtype, int_val=[7])) == "7"


def test_a_truth_value_is_0_or_1() -> None:
    assert tensor_text(Tensor(dtype=10, bool_val=[True])) == "1"
    assert tensor_text(Tensor(dtype=10, tensor_content=b"\0")) == "0"


def test_half_precision_is_that_of_numpy() -> None:
    for bits in range(0, 1 << 16, 37):
        expected = np.array(bits, dtype=np.uint16).view(np.float16)
        packed = tensor_text(Tensor(dtype=19, half_val=[bits]))
        raw = tensor_text(Tensor(dtype=19, tensor_content=bits.to_bytes(2, "little")))
        assert packed == raw
        assert packed is not None
        assert np.array_equal(np.float16(packed), expected, equal_nan=True)


def test_bfloat16_is_the_upper_half_of_32_bits() -> None:
    for bits in range(0, 1 << 16, 37):
        expected = np.array(bits << 16, dtype=np.uint32).view(np.float32)
        text = tensor_text(Tensor(dtype=14, half_val=[bits]))
        assert text is not None
        back = int(np.array(np.float32(text)).view(np.uint32))
        rounded = np.array((back + 0x7FFF + (back >> 16 & 1)) & 0xFFFF0000, dtype=np.uint32)
        assert np.isnan(expected) or rounded.view(np.float32) == expected


def test_bfloat16_is_short() -> None:
    assert tensor_text(Tensor(dtype=14, half_val=[0x3DCD])) == "0.1"
    assert tensor_text(Tensor(dtype=19, half_val=[0x2E66])) == "0.1"


@pytest.mark.parametrize(
    "tensor",
    [
        Tensor(dtype=7),  # a text
        Tensor(dtype=8),  # complex
        Tensor(dtype=99, float_val=[1]),
        Tensor(dtype=1),
        Tensor(dtype=1, float_val=[1, 2]),
        Tensor(dtype=1, tensor_content=b"123"),
        Tensor(dtype=1, tensor_content=b"12345678"),
        Tensor(dtype=1, float_val=[1], tensor_shape={"dim": [{"size": 3}]}),
        Tensor(dtype=1, float_val=[1], tensor_shape={"dim": [{"size": 0}]}),
    ],
)
def test_what_is_not_one_number_is_none(tensor: Tensor) -> None:
    assert tensor_text(tensor) is None


def test_a_list_of_one_number_is_this_number() -> None:
    shape = {"dim": [{"size": 1}, {"size": 1}]}
    assert tensor_text(Tensor(dtype=1, float_val=[0.5], tensor_shape=shape)) == "0.5"


@given(st.floats(width=32))
def test_the_text_of_32_bits_means_the_same_number_and_is_that_of_numpy(value: float) -> None:
    text = float32_text(value)
    assert np.array_equal(np.float32(text), np.float32(value), equal_nan=True)
    if 0 < abs(value) < np.finfo(np.float32).tiny:
        return  # such a number has fewer than 6 digits that mean anything
    digits = len(text.replace("-", "").replace(".", "").split("e")[0].strip("0"))
    theirs = len(str(np.float32(value)).replace("-", "").replace(".", "").split("e")[0].strip("0"))
    assert digits <= theirs


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (1e-05, "1e-05"),
        (3.4028234663852886e38, "3.4028235e+38"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        (-0.0, "-0.0"),
    ],
)
def test_the_text_of_32_bits_is_what_was_logged(value: float, text: str) -> None:
    as_written = struct.unpack("<f", struct.pack("<f", value))[0]
    assert float32_text(as_written) == text


def test_a_shape_of_many_dimensions_is_compared_and_not_multiplied() -> None:
    """The product of these would have 3 million bits."""
    sizes = [Tensor.Shape.Dimension(size=2**20) for _ in range(150_000)]
    assert tensor_text(Tensor(dtype=1, float_val=[1], tensor_shape=Tensor.Shape(dim=sizes))) is None


def test_a_shape_of_ones_has_one_number() -> None:
    sizes = [Tensor.Shape.Dimension(size=1) for _ in range(3)]
    assert (
        tensor_text(Tensor(dtype=1, float_val=[1], tensor_shape=Tensor.Shape(dim=sizes))) == "1.0"
    )
