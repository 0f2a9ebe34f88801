"""A batch sealed to one recipient with the ephemeral keys given: the same bytes from both back ends."""

from __future__ import annotations

import importlib.util

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from support.hpke import seal_with
from support.vectors import draw_from, load
from tacit_protocol import hpke
from tacit_protocol.errors import EncodingError
from tacit_protocol.group import Backend, load_backend

BACK_ENDS = [load_backend("libsodium")]
if importlib.util.find_spec("tacit_native"):
    BACK_ENDS += [load_backend("native"), load_backend("native", threads=3)]
VECTOR = {name: bytes.fromhex(text) for name, text in load("rfc9180").items() if name != "source"}
P = 2**255 - 19
LOW_ORDER = [  # RFC 7748 section 6.1; on the curve and its twist, with encodings that are not reduced
    0, 1, P - 1, P, P + 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
]  # fmt: skip

back_ends = pytest.mark.parametrize("group", BACK_ENDS, ids=lambda group: f"{group.name} {group._threads}")
more = settings(max_examples=40, deadline=None)
a_key = st.binary(min_size=32, max_size=32)
a_recipient = a_key.filter(lambda key: int.from_bytes(key, "little") % 2**255 not in LOW_ORDER)


def public(private: X25519PrivateKey) -> bytes:
    return private.public_key().public_bytes_raw()


@back_ends
@more
@given(a_key, st.binary(max_size=80), st.integers(0, 70), st.integers(0, 5), st.integers(0, 10**6))
def test_the_library_opens_every_message(
    group: Backend, private: bytes, info: bytes, size: int, count: int, seed: int
) -> None:
    recipient, draw = X25519PrivateKey.from_private_bytes(private), draw_from(f"plaintexts {seed}")
    plaintexts = draw(size * count)
    sealed = group.seal_each(public(recipient), info, plaintexts, size, draw(32 * count))
    width = size + hpke.OVERHEAD
    assert len(sealed) == width * count
    opened = [hpke.unseal(recipient, sealed[i * width : (i + 1) * width], info) for i in range(count)]
    assert b"".join(opened) == plaintexts
    assert len({sealed[i * width : i * width + 32] for i in range(count)}) == count


@back_ends
@more
@given(a_recipient, st.lists(a_key, max_size=4), st.binary(max_size=200), st.integers(0, 70))
def test_every_back_end_seals_as_the_second_implementation_does(
    group: Backend, recipient: bytes, ephemeral: list[bytes], info: bytes, size: int
) -> None:
    """Any bytes but those of low order are the recipient's key: on the twist, with torsion, with bit 255 set."""
    plaintexts = [bytes([i]) * size for i in range(len(ephemeral))]
    expected = [
        seal_with(X25519PrivateKey.from_private_bytes(secret), recipient, plaintext, info)
        for secret, plaintext in zip(ephemeral, plaintexts, strict=True)
    ]
    assert group.seal_each(recipient, info, b"".join(plaintexts), size, b"".join(ephemeral)) == b"".join(expected)


@back_ends
def test_every_back_end_takes_the_ephemeral_key_of_rfc_9180(group: Backend) -> None:
    """The vector has associated data, so its key and nonce are compared by the second implementation and in Rust."""
    recipient, ephemeral = VECTOR["recipient_public_key"], VECTOR["ephemeral_private_key"]
    plaintext, info = VECTOR["plaintext"], VECTOR["info"]
    sealed = group.seal_each(recipient, info, plaintext, len(plaintext), ephemeral)
    assert sealed[:32] == VECTOR["encapsulated_key"]
    assert sealed == seal_with(X25519PrivateKey.from_private_bytes(ephemeral), recipient, plaintext, info)


@back_ends
def test_a_whole_page(group: Backend) -> None:
    draw, recipient = draw_from("page"), X25519PrivateKey.generate()
    plaintexts, ephemeral = draw(100 * 700), draw(32 * 700)
    sealed = group.seal_each(public(recipient), b"info", plaintexts, 100, ephemeral)
    for i in (0, 127, 128, 699):
        assert hpke.unseal(recipient, sealed[148 * i : 148 * (i + 1)], b"info") == plaintexts[100 * i : 100 * (i + 1)]


@back_ends
@pytest.mark.parametrize("count", [0, 2])
@pytest.mark.parametrize(
    "key",
    [
        *(u.to_bytes(32, "little") for u in LOW_ORDER),
        *((u | 1 << 255).to_bytes(32, "little") for u in LOW_ORDER),
        bytes(31),
        b"\x09" * 33,
        b"",
    ],
    ids=lambda key: key.hex()[-8:] or "empty",
)
def test_a_key_that_agrees_on_no_secret_is_refused(group: Backend, key: bytes, count: int) -> None:
    with pytest.raises(EncodingError, match="not a usable X25519 key"):
        group.seal_each(key, b"", bytes(count), 1, bytes(range(32)) * count)


@back_ends
@pytest.mark.parametrize(
    ("plaintexts", "size", "random"),
    [
        (b"abc", 2, 32),
        (b"abc", 3, 31),
        (b"abc", 3, 64),
        (b"", 3, 32),
        (b"abc", 0, 32),
        (b"", 2**63, 64),  # the product of size and number does not fit a machine word: it must not wrap around to 0
        (b"", 2**62, 128),
    ],
)
def test_lengths_that_do_not_fit_are_refused(group: Backend, plaintexts: bytes, size: int, random: int) -> None:
    with pytest.raises(ValueError, match=r"bytes|random"):
        group.seal_each(VECTOR["recipient_public_key"], b"", plaintexts, size, bytes(random))


@back_ends
@pytest.mark.parametrize("size", [0, 1, 1000, 2**57 - 48, 2**63, 2**64 - 48, 2**64 - 1])
def test_nothing_of_any_size_seals_to_nothing(group: Backend, size: int) -> None:
    assert group.seal_each(VECTOR["recipient_public_key"], b"", b"", size, b"") == b""
