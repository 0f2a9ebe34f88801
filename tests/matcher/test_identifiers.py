"""Identifiers: canonical forms, check digits, aliases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit_matcher.identifiers import IdentifierError, normalise_identifier, parse_aliases
from tacit_matcher.records import IDENTIFIER_KINDS

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def os_id(body: str) -> str:
    """Complete two letters, a date and five digits with the check digit, worked out here by other means."""
    total = ord(body[0]) + ord(body[1])
    for digit in body[2:]:
        total += CROCKFORD.index(digit)
    return body + CROCKFORD[total % 32]


ONE, TWO, THREE = os_id("CN2021250D1DTN"), os_id("DE2019001ABCDE"), os_id("BD2020100ZZZZ0")


@pytest.mark.parametrize(
    ("kind", "written", "canonical"),
    [
        ("os_id", f" {ONE.lower()} ", ONE),
        ("sedex_site", "zs 403450932", "ZS403450932"),
        ("sedex_company", "ZC-1234567", "ZC1234567"),
        ("gln", "4006381 33393-1", "4006381333931"),
        ("lei", "5493 00BOW0T0ARDBCX 29", None),
        ("duns", "31-234-5678", "312345678"),
        ("vat", "DE 136,695 976".replace(",", " "), "DE136695976"),
        ("amfori_id", "156-024531-000", "156024531000"),
        ("ecovadis_id", "ab 123456", "AB123456"),
    ],
)
def test_canonical_forms(kind: str, written: str, canonical: str | None) -> None:
    if canonical is None:
        with pytest.raises(IdentifierError):
            normalise_identifier(kind, written)
    else:
        assert normalise_identifier(kind, written) == canonical
        assert normalise_identifier(kind, canonical) == canonical


def test_a_published_lei_passes() -> None:
    assert normalise_identifier("lei", "213800 KUD8LAJWSQ9D15") == "213800KUD8LAJWSQ9D15"


@given(st.integers(0, 14), st.sampled_from(CROCKFORD))
def test_one_wrong_digit_of_an_os_id_is_caught(position: int, digit: str) -> None:
    damaged = ONE[:position] + digit + ONE[position + 1 :]
    if damaged != ONE:
        with pytest.raises(IdentifierError):
            normalise_identifier("os_id", damaged)


@given(st.integers(0, 12), st.sampled_from("0123456789"))
def test_one_wrong_digit_of_a_gln_is_caught(position: int, digit: str) -> None:
    gln = "4006381333931"
    damaged = gln[:position] + digit + gln[position + 1 :]
    if damaged != gln:
        with pytest.raises(IdentifierError):
            normalise_identifier("gln", damaged)


@given(st.sampled_from(IDENTIFIER_KINDS), st.text(max_size=30))
def test_any_text_gives_an_identifier_or_a_reason_that_does_not_repeat_it(kind: str, text: str) -> None:
    try:
        value = normalise_identifier(kind, text)
    except IdentifierError as error:
        assert len(text.strip()) < 4 or text not in str(error)
    else:
        assert normalise_identifier(kind, value) == value and value.isascii()


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(IdentifierError, match="not known"):
        normalise_identifier("passport", "123456")


def test_aliases_follow_chains_and_circles() -> None:
    aliases = parse_aliases(["retired,current", f"{ONE},{TWO}", "", "# a comment", f"{TWO.lower()}\t{THREE}"])
    assert aliases == {ONE: THREE, TWO: THREE}
    assert normalise_identifier("os_id", ONE, aliases) == THREE
    assert normalise_identifier("os_id", THREE, aliases) == THREE
    circle = parse_aliases([f"{ONE},{TWO}", f"{TWO},{ONE}"])
    assert {normalise_identifier("os_id", one, circle) for one in (ONE, TWO)} == {min(ONE, TWO)}


@pytest.mark.parametrize("line", [f"{ONE}", f"{ONE},XX2021250D1DTNX", "a1,b2"])
def test_a_damaged_alias_table_names_its_line(line: str) -> None:
    with pytest.raises(IdentifierError, match="line 2"):
        parse_aliases([f"{ONE},{TWO}", line])
