"""Match keys: how many, which, never across countries, none that can be guessed, the same on every machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import match_vectors, vectors
from support.sites import TEN_SCRIPTS
from tacit_matcher.keys import KEY_TYPES, MAX_KEYS, SCHEME_VERSION, KeyClass, MatchKey, match_keys
from tacit_matcher.normalise import normalise_site
from tacit_matcher.records import IDENTIFIER_KINDS, Site
from tacit_protocol.sealed_index import ENTRIES_PER_RECORD

ROOT = Path(__file__).parents[2]
letters = "abcdefghijklmnopqrstuvwxyzäöéñ"
words = st.text(letters, min_size=1, max_size=12)
phrases = st.lists(words, max_size=5).map(" ".join)
sites = st.builds(
    Site,
    phrases,
    st.tuples(phrases, st.integers(0, 99999)).map(lambda pair: f"{pair[0]} {pair[1]}"),
    phrases,
    st.integers(0, 99999).map(str),
    st.sampled_from(["DE", "ES", "PL"]),
)


def test_the_vectors_of_the_scheme() -> None:
    known = vectors.load("tacit/match_keys")
    assert known["scheme"] == SCHEME_VERSION
    assert match_vectors.vectors() == known


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_the_same_in_every_process(seed: str) -> None:
    script = "import json, sys; from support.match_vectors import vectors; print(json.dumps(vectors(), sort_keys=True))"
    environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "tests")}
    printed = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True).stdout
    assert json.loads(printed) == vectors.load("tacit/match_keys")


def test_encoding_is_length_prefixed_and_versioned() -> None:
    encoded = MatchKey("name", "DE|abc").encode()
    version = f"name/{SCHEME_VERSION}".encode()
    assert encoded == b"\x00\x07tacit/1" + len(version).to_bytes(2, "big") + version + b"\x00\x06DE|abc"
    # Without lengths these two would be the same bytes.
    assert MatchKey("name", "x").encode() != MatchKey("namex", "").encode()


def test_a_record_never_has_more_keys_than_entries() -> None:
    assert MAX_KEYS == ENTRIES_PER_RECORD
    full = Site("Alpha Bravo Charlie Delta", "Echo Foxtrot 123456 7", "Golfhausen", "12345", "DE", _all_identifiers())
    keys = match_keys(full)
    assert len(keys) == MAX_KEYS
    assert [key.key_type for key in keys[:9]] == sorted(IDENTIFIER_KINDS)


@given(sites)
def test_keys_are_few_distinct_and_of_known_types(site: Site) -> None:
    keys = match_keys(site)
    assert len(set(keys)) == len(keys) <= MAX_KEYS
    assert all(key.key_type in KEY_TYPES for key in keys)
    assert match_keys(normalise_site(site)) == keys


@given(sites, st.sampled_from(["FR", "IT", "BG"]))
def test_composite_keys_are_never_equal_across_countries(site: Site, other: str) -> None:
    elsewhere = Site(site.name, site.address, site.city, site.postcode, other)
    assert not {key.encode() for key in match_keys(site)} & {key.encode() for key in match_keys(elsewhere)}


@given(sites)
def test_case_and_accents_do_not_change_keys(site: Site) -> None:
    shouted = Site(site.name.upper(), site.address.upper(), site.city.upper(), site.postcode, "germany")
    if site.country == "DE":
        assert match_keys(shouted) == match_keys(site)


@given(st.lists(st.text("abcdefgklmnoprstu", min_size=4, max_size=10), min_size=2, max_size=3, unique=True))
def test_a_personal_name_in_either_order_has_the_same_keys(parts: list[str]) -> None:
    one = Site(" ".join(parts), "Weg 5", "Xanten", "46509", "DE")
    two = Site(", ".join(reversed(parts)), "Weg 5", "Xanten", "46509", "DE")
    assert set(match_keys(one)) == set(match_keys(two))


@pytest.mark.parametrize("script", TEN_SCRIPTS)
def test_ten_scripts_share_keys_with_their_latin_form(script: str) -> None:
    own, latin = TEN_SCRIPTS[script]
    shared = set(match_keys(own)) & set(match_keys(latin))
    assert {key.key_type for key in shared} & {"name+place", "word+postcode"}


def test_no_name_and_no_country_means_identifiers_only() -> None:
    assert match_keys(Site("", "Main Road 12", "Hull", "HU3 4AB", "GB")) == ()
    assert match_keys(Site("Delta Foods Quay", "Main Road 12", "Hull", "HU3 4AB", "")) == ()
    gln = match_keys(Site("Delta", identifiers={"gln": "4006381333931"}))
    assert [key.key_type for key in gln] == ["gln"]


def test_a_trade_word_makes_no_name_word_key() -> None:
    keys = match_keys(Site("Bäckerei", "Hauptstraße 5", "Fulda", "36037", "DE"))
    assert {key.key_type for key in keys} == {"street", "name+place"}


@pytest.mark.parametrize("kind", IDENTIFIER_KINDS)
def test_identifier_keys_say_whether_they_name_a_site_or_an_entity(kind: str) -> None:
    site_kinds = {"os_id", "sedex_site", "gln", "amfori_id"}
    expected = KeyClass.SITE_IDENTIFIER if kind in site_kinds else KeyClass.ENTITY_IDENTIFIER
    assert KEY_TYPES[kind].key_class is expected


def test_every_type_states_confidence_and_entropy() -> None:
    for kind in KEY_TYPES.values():
        assert 0.5 <= kind.confidence < 1 and kind.entropy and kind.label


@pytest.mark.parametrize("pad", [0, 6, 9, 12])
def test_no_key_can_be_guessed_from_a_country_and_a_number(pad: int) -> None:
    """Enumerate: whatever a guesser can make of a country and a number below ten thousand is no site's key."""
    guesses = {guess for country in ("DE", "CN", "US") for guess in _guesses(country, pad)}
    for site in _sites_of_numbers():
        for key in match_keys(site):
            assert key.value not in guesses
            assert len(key.value.replace("|", "")) > 6


def _guesses(country: str, pad: int) -> Iterator[str]:
    for number in range(10_000):
        digits = f"{number:0{pad}d}"
        yield from (digits, f"{country}|{digits}", f"{country}{digits}", f"ZS{digits}", f"ZC{digits}")


def _sites_of_numbers() -> Iterator[Site]:
    """Yield rows with as little on them beside numbers as a list may have."""
    for number in (1, 12, 345, 6789):
        for country in ("DE", "CN", "US"):
            yield Site(str(number), str(number), str(number), str(number), country)
            yield Site("GmbH", f"Nr. {number}", "", f"{number:05d}", country)
            yield Site("Bäckerei", f"{number}", "", "", country)
            for kind in IDENTIFIER_KINDS:
                for text in (
                    f"ZS{number:09d}",
                    f"ZC{number:09d}",
                    f"{number:09d}",
                    f"{number:013d}",
                    f"{country}{number:09d}",
                ):
                    yield Site("x", "", "", "", country, {kind: text})


def _all_identifiers() -> dict[str, str]:
    return {
        "os_id": "CN2021250D1DTN7", "sedex_site": "ZS403450932", "sedex_company": "ZC4034509",
        "amfori_id": "156024531000",
        "ecovadis_id": "AB123456", "gln": "4006381333931", "lei": "213800KUD8LAJWSQ9D15", "duns": "312345678",
        "vat": "DE136695976",
    }  # fmt: skip
