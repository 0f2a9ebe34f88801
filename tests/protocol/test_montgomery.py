"""From Edwards points to X25519 public keys: the base point of RFC 7748, RFC 9180's key, and another library's keys."""

from __future__ import annotations

import ctypes

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from support.vectors import load
from tacit_protocol import montgomery, sodium

BASE_HEIGHT = 46316835694926478169428394003475163141307993866256225615783033603165251855960  # RFC 7748 section 4.1
VECTOR = load("rfc9180")


def multiples(private: list[bytes]) -> bytes:
    """Return the base point times each clamped key, packed."""
    packed = b""
    for key in private:
        out, (held, at) = ctypes.create_string_buffer(32), sodium.address(key)
        sodium.edwards_multiply_base(ctypes.addressof(out), at)
        del held
        packed += out.raw
    return packed


def test_the_base_point_is_nine_whatever_the_sign() -> None:
    for sign in (0, 2**255):
        point = (BASE_HEIGHT + sign).to_bytes(32, "little")
        assert montgomery.public_keys(point) == [(9).to_bytes(32, "little")]


def test_the_ephemeral_key_of_rfc_9180() -> None:
    point = multiples([bytes.fromhex(VECTOR["ephemeral_private_key"])])
    assert montgomery.public_keys(point) == [bytes.fromhex(VECTOR["encapsulated_key"])]


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=6))
def test_another_library_has_the_same_public_keys(private: list[bytes]) -> None:
    expected = [X25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw() for key in private]
    assert montgomery.public_keys(multiples(private)) == expected


def test_keys_of_zeros_and_ones_have_points_as_well() -> None:
    private = [bytes(32), b"\xff" * 32, bytes(31) + b"\x80", b"\x07" + bytes(31)]
    expected = [X25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw() for key in private]
    assert montgomery.public_keys(multiples(private)) == expected
