"""Normalisation: the same site in any hand, and stable under what lists do to text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.sites import TEN_SCRIPTS
from tacit_matcher.countries import normalise_country
from tacit_matcher.normalise import NormalSite, is_trade_word, name_tokens, normalise_site, weight_of
from tacit_matcher.postcodes import find_postcode, normalise_postcode
from tacit_matcher.records import Site
from tacit_matcher.text import fold, letters, plain, skeleton
from tacit_matcher.words import CONCEPTS, GIVEN_NAMES, LEGAL_FORMS, STOP_WORDS

texts = st.text(max_size=60)
words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=14)
names = st.lists(words, min_size=1, max_size=5).map(" ".join)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Fleischerei Müller & Söhne GmbH", "METZGEREI MUELLER UND SOEHNE"),
        ("AB „Rokiškio sūris“", "Rokiskio suris, AB"),
        ("Vinařství Kolářová s.r.o.", "VINARSTVI KOLAROVA, spol. s r. o."),
        ("Gollan's Fleisch- und Wurstwaren", "Gollan Fleisch & Wurstwaren"),
        ("Starlight Sweaters Limited", "STARLIGHT SWEATERS LTD."),
        ("Công ty TNHH May Hưng Hà", "May Hung Ha"),
        ("Textiles Opico SA de CV", "Textiles Opico S.A de C.V"),
        ("PT. Glory Industrial", "Glory Industrial, PT"),
        ("Spółka Mleczarska Osełka Sp. z o.o.", "Spolka Mleczarska OSELKA sp zoo"),
        ("L'Hospitalet Conserves SARL", "Hospitalet Conserves S.à.r.l."),
    ],
)
def test_one_name_in_two_hands(one: str, two: str) -> None:
    assert set(name_tokens(one)[0]) == set(name_tokens(two)[0])


def test_a_translated_trade_word_keeps_its_meaning() -> None:
    assert name_tokens("Boucherie Ledermann")[0] == name_tokens("Metzgerei Ledermann")[0]
    assert name_tokens("Fábrica Miralles")[0] == name_tokens("Miralles Factory")[0][::-1]


def test_a_name_of_nothing_but_legal_forms_is_kept() -> None:
    assert name_tokens("S.A.")[0]
    assert name_tokens("Limited Company")[0]


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("Nordblech Werk 2", ("2",)),
        ("Golden Thread Knitwear III", ("3",)),
        ("Sunrise Garments Unit B", ("b",)),
        ("Plant 007 of Delta", ("7",)),
        ("Vitamin C Foods", ()),
    ],
)
def test_figures_tell_plants_apart(name: str, figures: tuple[str, ...]) -> None:
    assert name_tokens(name)[1] == figures


@pytest.mark.parametrize("script", TEN_SCRIPTS)
def test_ten_scripts_come_out_in_ascii_words(script: str) -> None:
    own, latin = (normalise_site(site) for site in TEN_SCRIPTS[script])
    for site in (own, latin):
        tokens = (*site.name, *site.address, *site.city)
        assert site.name and all(token.isascii() and token.isalnum() and token == token.lower() for token in tokens)
    assert (own.country, own.postcode, own.numbers) == (latin.country, latin.postcode, latin.numbers)
    assert set(own.name) & set(latin.name)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DE", "DE"), ("de", "DE"), ("Deutschland", "DE"), ("GERMANY", "DE"), ("DEU", "DE"), ("Allemagne", "DE"),
        ("España", "ES"), ("Türkiye", "TR"), ("Turkey", "TR"), ("Viet Nam", "VN"), ("Vietnam", "VN"), ("UK", "GB"),
        ("Great Britain", "GB"), ("U.S.A.", "US"), ("The Netherlands", "NL"), ("P.R. China", "CN"), ("中国", "CN"),
        ("Korea, Republic of", "KR"), ("South Korea", "KR"), ("Côte d'Ivoire", "CI"), ("Česko", "CZ"), ("Россия", "RU"),
        ("Ελλάδα", "GR"), ("Atlantis", ""), ("", ""), ("  ", ""), ("12", ""),
    ],
)  # fmt: skip
def test_countries_in_any_usual_spelling(text: str, code: str) -> None:
    assert normalise_country(text) == code


@pytest.mark.parametrize(
    ("text", "country", "code"),
    [
        ("1683", "DE", "01683"), ("D-37547", "DE", "37547"), ("DE 37547", "DE", "37547"), ("110 00", "CZ", "11000"),
        ("LT-01103", "LT", "01103"), ("10000 Zagreb", "HR", "10000"), ("hu3 4ab", "GB", "HU34AB"),
        ("3011 TA", "NL", "3011TA"),
        ("4755-039", "PT", "4755039"), ("61-001", "PL", "61001"), ("k.a.", "DE", ""), ("0", "DE", ""), ("", "DE", ""),
        ("910-0858", "JP", "9100858"), ("LV-1021", "LV", "1021"),
    ],
)  # fmt: skip
def test_postcodes_in_the_countrys_form(text: str, country: str, code: str) -> None:
    assert normalise_postcode(text, country) == code


@pytest.mark.parametrize(
    ("address", "country", "code", "numbers"),
    [
        ("118 Fan Rong Road, 314200, Pinghu, China", "CN", "314200", ("118",)),
        ("Rua Outeiro 99, 4510-356, Sao Pedro da Cova", "PT", "4510356", ("99",)),
        ("19501 144TH AVE NE STE C300, WOODINVILLE", "US", "", ("19501", "144", "300")),
        ("Plot 12, Ashulia Road, Savar", "BD", "", ("12",)),
    ],
)
def test_a_postcode_in_the_address_is_found_and_is_no_house_number(
    address: str, country: str, code: str, numbers: tuple[str, ...]
) -> None:
    assert find_postcode(address, country)[0] == code
    normal = normalise_site(Site("Delta", address, country=country))
    assert (normal.postcode, normal.numbers) == (code, numbers)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Alfred-Nobel-Straße 22", "Alfred Nobel Str. 22"),
        ("Nailaerstr. 23", "Nailaer Straße 23"),
        ("C/ Añoranza, 12", "Calle Anoranza 12"),
        ("ul. Zavodskaia 15", "ulitsa Zavodskaia, 15"),
        ("Tegelbarg 19 - 21", "Tegelbarg 19-24"),
    ],
)
def test_one_street_in_two_hands(one: str, two: str) -> None:
    first, second = (normalise_site(Site("x", address, country="DE")) for address in (one, two))
    assert (first.address, first.house_number) == (second.address, second.house_number)


@given(texts)
def test_plain_is_idempotent_and_ascii(text: str) -> None:
    once = plain(text)
    assert plain(once) == once and once.isascii() and once == once.lower()


@given(words)
def test_folding_is_idempotent(word: str) -> None:
    assert fold(fold(word)) == fold(word)
    assert len(skeleton(fold(word))) <= 5


@given(st.integers(0, 10**9).map(str))
def test_folding_leaves_numbers_alone(number: str) -> None:
    assert fold(number) == number


@given(texts, texts, texts, texts, st.sampled_from(["DE", "ES", "JP", "GB", ""]))
def test_nothing_that_stands_in_a_list_breaks_it(name: str, address: str, city: str, code: str, country: str) -> None:
    normal = normalise_site(Site(name, address, city, code, country))
    assert normalise_site(normal) is normal
    assert all(token for token in (*normal.name, *normal.address, *normal.city))


@given(names)
def test_case_accents_and_punctuation_do_not_matter(name: str) -> None:
    marked = "".join(f"{letter}\u0301" if letter in "aeiou" else letter for letter in name)
    for written in (name.upper(), name.title(), marked, f"«{name}»", name.replace(" ", ", "), f"  {name} "):
        assert name_tokens(written) == name_tokens(name)


@given(st.lists(words.filter(lambda w: len(w) > 1), min_size=2, max_size=4, unique=True), st.randoms())
def test_word_order_does_not_matter_to_the_letters_of_a_name(parts: list[str], draw: object) -> None:
    shuffled = list(parts)
    draw.shuffle(shuffled)  # type: ignore[attr-defined]
    assert letters(tuple(parts)) == letters(tuple(shuffled)) == letters(("".join(parts),))


def test_the_tables_are_in_plain_form() -> None:
    for table in (CONCEPTS, GIVEN_NAMES, LEGAL_FORMS, STOP_WORDS):
        assert all(plain(word) == word for word in table)


def test_trade_words_and_given_names_tell_less_than_other_words() -> None:
    assert is_trade_word(name_tokens("Bäckerei")[0][0])
    assert weight_of("bakeri") < weight_of("manfred") < weight_of("oselka") < weight_of("penaredonda")


def test_an_empty_row_is_empty() -> None:
    assert normalise_site(Site("")) == NormalSite("", (), (), (), "", (), "", (), ())
