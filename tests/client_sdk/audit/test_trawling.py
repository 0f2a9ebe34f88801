"""Signs of trawling: found on directories, absent on lists as members have them."""

from __future__ import annotations

import random
import string

import pytest

from tacit_client.audit.trawling import find_signs
from tacit_client.opened_keys import KEY, PADDING, UNKNOWN, OpenedKey, read_opened
from tacit_matcher.keys import MatchKey, match_keys
from tacit_matcher.records import Site

BATCH = 8192


def key(kind: str, value: str) -> OpenedKey:
    return OpenedKey(KEY, kind, value)


def sites(number: int, seed: int = 1, initial: str = "", postcode: str = "") -> list[Site]:
    """Return sites as lists have them: names, towns and postcodes all over a country."""
    draw = random.Random(seed)

    def word(first: str = "") -> str:
        return ((first or draw.choice(string.ascii_lowercase)) + "".join(draw.choices("aeioubdfgklmnrst", k=7))).title()

    made = []
    for _ in range(number):
        code = postcode + "".join(draw.choices(string.digits, k=5 - len(postcode)))
        made.append(Site(f"{word(initial)} {word()} GmbH", f"{word()}weg {draw.randint(1, 99)}", word(), code, "DE"))
    return made


def sample(made: list[Site], number: int, seed: int = 2) -> list[OpenedKey]:
    """Return what opening so many random elements of a batch of these sites' keys gives."""
    keys = [read_opened(k.encode()) for site in made for k in match_keys(site)]
    return random.Random(seed).sample(keys, number)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("number", [64, 256])
def test_an_honest_list_shows_no_sign(seed: int, number: int) -> None:
    assert find_signs(sample(sites(900, seed), number, seed), BATCH) == []


def test_padding_alone_shows_no_sign() -> None:
    assert find_signs([OpenedKey(PADDING)] * 256, BATCH) == []


def test_nothing_opened_shows_no_sign() -> None:
    assert find_signs([], 0) == []


def test_one_identifier_per_site_is_a_sign() -> None:
    draw = random.Random(5)
    numbers = [key("os_id", f"CN{draw.randrange(10**12):013d}") for _ in range(60)]
    mixed = sample(sites(100), 4)
    (sign,) = find_signs(numbers + mixed, BATCH)
    assert sign.name == "one kind of identifier" and sign.marked == frozenset(range(60))


@pytest.mark.parametrize(("kind", "prefix", "digits"), [("duns", "", 9), ("sedex_site", "ZS", 9), ("gln", "", 13)])
def test_numbers_in_a_row_are_a_sign_even_among_many_others(kind: str, prefix: str, digits: int) -> None:
    draw = random.Random(7)
    honest = sample(sites(600), 200)
    start = 4 * 10 ** (digits - 1)
    # 800 numbers in a row were asked for, in a batch of 8,192: about 25 of them are among 256 openings.
    row = [key(kind, f"{prefix}{start + n:0{digits}d}") for n in draw.sample(range(800), 25)]
    signs = find_signs(honest + row, BATCH)
    assert [sign.name for sign in signs] == ["numbers in a row"]
    assert signs[0].marked == frozenset(range(200, 225))


def test_numbers_of_real_suppliers_are_no_row() -> None:
    draw = random.Random(11)
    numbers = [key("duns", f"{draw.randrange(10**9):09d}") for _ in range(100)]
    names = [sign.name for sign in find_signs(numbers + sample(sites(600), 100), BATCH)]
    assert "numbers in a row" not in names


def test_a_directory_from_a_to_b_is_a_sign() -> None:
    directory = [*sites(300, 3, initial="a"), *sites(300, 4, initial="b")]
    # Names have two words here, and the most telling one may be the second: the sign is in the share, not in all.
    (sign,) = find_signs(sample(directory, 256), BATCH)
    assert sign.name == "alphabetical" and "a or b" in sign.text


def _names(*letters: str) -> list[OpenedKey]:
    return [key("word+place", f"DE|{letters[i % len(letters)]}bcdefg{i}|berlin") for i in range(40)]


@pytest.mark.parametrize("letters", ["a", "ab", "abc", "klm"])
def test_names_of_few_letters_in_a_row_are_a_sign(letters: str) -> None:
    (sign,) = find_signs(_names(*letters), BATCH)
    assert sign.name == "alphabetical" and len(sign.marked) == 40


@pytest.mark.parametrize("letters", ["ak", "abcdef", "aeiou"])
def test_names_of_letters_apart_are_none(letters: str) -> None:
    assert find_signs(_names(*letters), BATCH) == []


def test_one_district_is_a_sign() -> None:
    (sign,) = find_signs(sample(sites(600, postcode="87"), 128), BATCH)
    assert sign.name == "one district" and "87" in sign.text


def test_opened_inputs_are_read_strictly() -> None:
    good = MatchKey("gln", "4012345000009").encode()
    assert read_opened(good) == key("gln", "4012345000009")
    assert read_opened(good).label == "GLN" and read_opened(good).is_identifier
    from tacit_client.session import _DUMMY_PREFIX

    assert read_opened(_DUMMY_PREFIX + bytes(32)).kind == PADDING
    bad = [
        b"",
        b"\x00",
        b"4012345000009",
        good[:-1],
        good + b"\x00",
        good + b"\x00\x01x",
        MatchKey("no such type", "x").encode(),
        MatchKey("gln", "").encode(),
        MatchKey("gln", "a\nb").encode(),
        good.replace(b"tacit/1", b"tacit/2"),
        good[:-3] + b"\xff\xfe\xfd",
    ]
    assert {read_opened(value).kind for value in bad} == {UNKNOWN}


def test_the_kinds_that_signs_look_at_exist() -> None:
    """A new key scheme must not leave the signs looking for kinds that nobody makes any more."""
    from tacit_client.audit import trawling
    from tacit_matcher.keys import KEY_TYPES

    assert {*trawling._WORD_KINDS, *trawling._POSTCODE_KINDS} <= set(KEY_TYPES)
    made = {k.key_type for site in sites(50) for k in match_keys(site)}
    assert {*trawling._WORD_KINDS, *trawling._POSTCODE_KINDS} - {"word+number"} <= made


def test_the_postcode_is_read_from_where_it_stands() -> None:
    from tacit_client.audit.trawling import _districts

    street = {i: key("street", f"DE|87{i:03d}|hptstr|{10000 + i}") for i in range(30)}
    (sign,) = _districts(street)
    assert "DE 87" in sign.text and len(sign.marked) == 30
