"""The sketch's keyed function: AES-256 as published, and the sketch put together from it one step at a time."""

from __future__ import annotations

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from support.sites import NEAR_NAMESAKES, TEN_SCRIPTS
from tacit_matcher import keyed
from tacit_matcher.normalise import is_trade_word, normalise_site, street_weight_of, weight_of
from tacit_matcher.records import Site
from tacit_matcher.sketch import make_sketch

KEY = bytes(range(32))
SITES = [site for group in (TEN_SCRIPTS, NEAR_NAMESAKES) for pair in group.values() for site in pair]
canonical = st.text("abcdefghijklmnopqrstuvwxyz0123456789 ", max_size=60)


def test_fips_197_appendix_c_3() -> None:
    plaintext = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert keyed.values(KEY, plaintext).hex() == "8ea2b7ca516745bfeafc49904b496089"


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=70))
def test_every_block_is_on_its_own(blocks: list[bytes]) -> None:
    together = keyed.values(KEY, b"".join(blocks))
    assert together == b"".join(keyed.values(KEY, block) for block in blocks)


@given(st.integers(0, 127), st.integers(0, 127), canonical, canonical)
def test_different_texts_have_different_blocks(one: int, two: int, first: str, second: str) -> None:
    same = (one, first) == (two, second)
    assert (keyed.block(one, first) == keyed.block(two, second)) == same


def test_a_text_too_long_for_a_block_is_hashed() -> None:
    assert keyed.block(3, "a" * 15) == b"\x03" + b"a" * 15
    assert keyed.block(3, "a" * 16) == b"\x83" + sha256(b"a" * 16).digest()[:15]


@given(st.integers(1, 127), canonical)
def test_bigrams_have_the_blocks_of_texts(label: int, text: str) -> None:
    one_by_one = [keyed.block(label, text[i : i + 2]) for i in range(len(text) - 1)]
    assert keyed.bigram_blocks(label, text.encode()) == b"".join(one_by_one)


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=70), st.integers(1, 8), st.integers(1, 16))
def test_numbers_are_the_low_bits_of_each_values_first(values: list[bytes], count: int, bits: int) -> None:
    expected = [int.from_bytes(value[i : i + 2]) % 2**bits for value in values for i in range(0, 2 * count, 2)]
    assert list(keyed.numbers(b"".join(values), count, bits)) == expected


@pytest.mark.parametrize("site", [*SITES, Site("")], ids=range(len(SITES) + 1))
def test_the_sketch_is_as_matching_md_says(site: Site) -> None:
    assert make_sketch(KEY, site) == sketch_by_the_document(site)


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=40), st.text(max_size=12))
def test_so_is_that_of_any_site(name: str, address: str, city: str, postcode: str) -> None:
    site = Site(name, address, city, postcode, "DE")
    assert make_sketch(KEY, site) == sketch_by_the_document(site)


def sketch_by_the_document(site: Site) -> bytes:
    """Follow MATCHING.md section 3 word for word, with nothing of the sketch's own code."""
    normal = normalise_site(site)
    name = sorted(normal.name, key=lambda word: (-weight_of(word), word))
    street = sorted(set(normal.address), key=lambda word: (-street_weight_of(word), word))
    sketch = _filter(1, normal.name, 5) + _filter(2, normal.address, 3)
    for label, words, count, is_ranked in (
        (4, [normal.country], 1, False),
        (5, [normal.house_number], 1, False),
        (6, [normal.postcode], 1, False),
        (7, [normal.postcode[:3]], 1, False),
        (3, set(normal.city), 4, False),
        (8, normal.numbers, 7, False),
        (9, set(normal.figures), 3, False),
        (10, [word for word in name if is_trade_word(word)], 2, False),
        (3, name, 8, True),
        (3, street, 6, True),
    ):
        slots = [_value(label, word)[:2] for word in words if word]
        slots = [slot if any(slot) else b"\0\1" for slot in slots]
        sketch += b"".join((slots if is_ranked else sorted(slots))[:count]).ljust(2 * count, b"\0")
    weights = 4 * sum(map(weight_of, name)), 2 * sum(map(street_weight_of, street))
    return sketch + bytes(min(255, round(n)) for n in (*weights, len(normal.name), len(normal.address)))


def _filter(label: int, words: tuple[str, ...], hashes: int) -> bytes:
    filled = bytearray(64)
    for word in words:
        padded = f" {word} "
        for i in range(len(padded) - 1):
            value = _value(label, padded[i : i + 2])
            for which in range(hashes):
                position = int.from_bytes(value[2 * which : 2 * which + 2], "big") % 512
                filled[position // 8] |= 0x80 >> (position % 8)
    return bytes(filled)


def _value(label: int, text: str) -> bytes:
    octets = text.encode()
    block = bytes([label]) + octets.ljust(15, b"\0")
    if len(octets) > 15:
        block = bytes([label + 128]) + sha256(octets).digest()[:15]
    # One block after a vector of zeros: CBC is then the cipher itself.
    return Cipher(algorithms.AES256(KEY), modes.CBC(bytes(16))).encryptor().update(block)
