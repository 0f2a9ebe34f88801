"""Frames between member and trustee: every wrong size and every bad element or scalar is refused and blamed."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit_protocol import scalars, wire
from tacit_protocol.errors import EncodingError
from tacit_protocol.grants import BLOCK
from tacit_protocol.group import ORDER, Backend, load_backend
from tacit_protocol.threshold import ShareAnswer

GROUP = load_backend("libsodium")
COUNT = 5
NOT_CANONICAL = (2**255 - 18).to_bytes(32, "little")  # p + 1
LARGE_SCALAR = ORDER.to_bytes(32, "little")


def elements(count: int = COUNT) -> bytes:
    return GROUP.multiply_base(GROUP.reduce_scalars(secrets.token_bytes(64 * count))).encode()


def answer() -> bytes:
    proof = scalars.from_int(7) + scalars.from_int(8)
    return wire.encode_content(ShareAnswer(2, GROUP.decode(elements()), proof))


def test_an_answer_survives_its_frame() -> None:
    content, signature = answer(), secrets.token_bytes(64)
    decoded = wire.decode_answer(GROUP, 2, COUNT, content, signature)
    assert wire.encode_content(decoded) == content and decoded.trustee == 2
    body = wire.encode_answer(decoded)
    assert wire.split_answer(body) == (signature, content)
    assert len(content) == wire.content_bytes(COUNT) and len(body) == wire.answer_bytes(COUNT)


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "one byte too few": lambda body: body[:-1],
    "one byte too many": lambda body: body + b"\0",
    "one element too few": lambda body: body[:-32],
    "nothing": lambda body: b"",
    "a non-canonical element": lambda body: body[:64] + NOT_CANONICAL + body[96:],
    "the identity": lambda body: body[:64] + bytes(32) + body[96:],
    "bit 255 set": lambda body: body[:95] + bytes([body[95] | 0x80]) + body[96:],
    "a non-canonical challenge": lambda body: LARGE_SCALAR + body[32:],
    "a non-canonical response": lambda body: body[:32] + LARGE_SCALAR + body[64:],
    "a response of zero": lambda body: body[:32] + bytes(32) + body[64:],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_bad_answer_is_refused_and_names_its_trustee(change: str) -> None:
    with pytest.raises(EncodingError) as caught:
        wire.decode_answer(GROUP, 2, COUNT, CHANGES[change](answer()))
    assert caught.value.party == "trustee 2" and "trustee 2" in caught.value.message


def test_the_position_of_a_bad_element_is_told() -> None:
    body = answer()
    with pytest.raises(EncodingError) as caught:
        wire.decode_answer(GROUP, 1, COUNT, body[: 64 + 96] + bytes(32) + body[64 + 128 :])
    assert caught.value.position == 3


@pytest.mark.parametrize("size", [0, 1, 31, 33, 32 * BLOCK + 32])
def test_a_batch_of_a_wrong_size_is_refused(size: int) -> None:
    with pytest.raises(EncodingError, match="1 to 8192"):
        wire.batch_count(bytes(size))
    with pytest.raises(EncodingError, match="1 to 8192"):
        wire.decode_batch(GROUP, bytes(size))


def test_a_batch_keeps_its_order(group: Backend) -> None:
    packed = elements()
    assert wire.batch_count(packed) == COUNT
    assert wire.decode_batch(group, packed).encode() == packed


@given(st.binary(max_size=64 + 32 * COUNT))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    try:
        decoded = wire.decode_answer(GROUP, 1, COUNT, body)
    except EncodingError:
        return
    assert wire.encode_content(decoded) == body
