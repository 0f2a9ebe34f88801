from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tacit_protocol import scalars
from tacit_protocol.errors import EncodingError
from tacit_protocol.group import ORDER

value = st.integers(min_value=0, max_value=ORDER - 1)
nonzero = st.integers(min_value=1, max_value=ORDER - 1)
quick = settings(max_examples=50, deadline=None)


def packed(values: list[int]) -> bytes:
    return b"".join(scalars.from_int(v) for v in values)


@quick
@given(value, value)
def test_arithmetic_is_that_of_the_field(a: int, b: int) -> None:
    left, right = scalars.from_int(a), scalars.from_int(b)
    assert scalars.add(left, right) == scalars.from_int(a + b)
    assert scalars.subtract(left, right) == scalars.from_int(a - b)
    assert scalars.multiply(left, right) == scalars.from_int(a * b)


@quick
@given(nonzero)
def test_the_inverse_undoes_multiplication(a: int) -> None:
    assert scalars.invert(scalars.from_int(a)) == scalars.from_int(pow(a, -1, ORDER))


@quick
@given(nonzero, st.lists(value, max_size=6))
def test_scaling_multiplies_each(factor: int, values: list[int]) -> None:
    assert scalars.scale(scalars.from_int(factor), packed(values)) == packed([factor * v for v in values])


@quick
@given(st.lists(nonzero, max_size=6))
def test_inverting_a_batch_inverts_each(values: list[int]) -> None:
    assert scalars.invert_each(packed(values)) == packed([pow(v, -1, ORDER) for v in values])


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_zero_in_a_batch_is_refused_and_its_place_not_told(position: int) -> None:
    values = [3, 4, 5]
    values[position] = 0
    with pytest.raises(EncodingError) as caught:
        scalars.invert_each(packed(values))
    assert caught.value.position is None


def test_zero_has_no_inverse() -> None:
    with pytest.raises(ValueError, match="zero"):
        scalars.invert(scalars.ZERO)


@quick
@given(st.binary(min_size=64, max_size=64))
def test_reduction_takes_the_integer_modulo_the_order(uniform: bytes) -> None:
    assert scalars.reduce(uniform) == scalars.from_int(int.from_bytes(uniform, "little"))


@pytest.mark.parametrize(
    ("scalar", "complaint"),
    [
        (scalars.ZERO, "zero"),
        (ORDER.to_bytes(32, "little"), "not canonical"),
        ((ORDER + 1).to_bytes(32, "little"), "not canonical"),
        (b"\xff" * 32, "not canonical"),
        (b"\x01" + bytes(30) + b"\x80", "not canonical"),
        (b"\x01" * 31, "32 bytes"),
        (b"\x01" * 33, "32 bytes"),
        (b"", "32 bytes"),
    ],
)
def test_foreign_scalars_are_checked(scalar: bytes, complaint: str) -> None:
    with pytest.raises(EncodingError, match=f"proof: .*{complaint}"):
        scalars.check(scalar, "proof")


def test_the_largest_scalar_is_canonical() -> None:
    largest = scalars.from_int(-1)
    assert scalars.check(largest, "x") == largest == (ORDER - 1).to_bytes(32, "little")


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33)])
def test_wrong_sizes_never_reach_the_library(wrong: bytes) -> None:
    one = scalars.from_int(1)
    for call in (
        lambda: scalars.add(one, wrong),
        lambda: scalars.multiply(wrong, one),
        lambda: scalars.invert(wrong),
        lambda: scalars.reduce(wrong),
        lambda: scalars.scale(wrong, one),
    ):
        with pytest.raises(ValueError):
            call()
    if wrong:
        with pytest.raises(ValueError):
            scalars.scale(one, wrong)
        with pytest.raises(ValueError):
            scalars.invert_each(wrong)
