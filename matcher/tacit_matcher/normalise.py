"""From the fields as written to canonical tokens: names, addresses, cities, postcodes, countries, identifiers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from string import ascii_lowercase
from typing import NamedTuple

from anyascii import anyascii

from tacit_matcher.countries import COUNTRY_WORDS, normalise_country
from tacit_matcher.identifiers import IdentifierError, normalise_identifier
from tacit_matcher.postcodes import find_postcode, normalise_postcode
from tacit_matcher.records import Site
from tacit_matcher.text import fold, plain
from tacit_matcher.words import (
    AREA_WORDS,
    BY_WHICH,
    CITY_WORDS,
    CONCEPTS,
    GIVEN_NAMES,
    LEGAL_FORMS,
    LEGAL_PHRASES,
    ROMAN,
    SITE_WORDS,
    STOP_WORDS,
    STREET_TYPES,
)

__all__ = [
    "NormalSite",
    "is_trade_word",
    "name_tokens",
    "normalise_country",
    "normalise_site",
    "plain",
    "ranked_name",
    "ranked_street",
    "street_weight_of",
    "weight_of",
]

_LEGAL_PHRASE = re.compile(rf"\b(?:{'|'.join(LEGAL_PHRASES)})\b")
# What begins with one of these words may match one of the two patterns.
_STARTS = frozenset({*(phrase.split()[0] for phrase in LEGAL_PHRASES), *ascii_lowercase})
_SINGLE_LETTERS = re.compile(r"\b(?:[a-z] ){1,5}[a-z]\b")
_CONCEPT_TOKENS = frozenset(fold(word) for word in {*CONCEPTS, *CONCEPTS.values()})
_GIVEN = frozenset(map(fold, GIVEN_NAMES))
_SITE_TOKENS = frozenset(map(fold, SITE_WORDS))
_COUNTRY_TOKENS = frozenset(map(fold, COUNTRY_WORDS))
_STREETS = ("strasse", "straat", "str")
_COMMON_STREETS = frozenset(map(fold, AREA_WORDS | STREET_TYPES))


class NormalSite(NamedTuple):
    """A site in canonical tokens; an empty value means that the list does not say.

    ``name`` and ``address`` are folded words in their order, ``figures`` what tells one plant of a company from
    another.
    """

    country: str
    name: tuple[str, ...]
    figures: tuple[str, ...]
    address: tuple[str, ...]
    house_number: str
    numbers: tuple[str, ...]
    postcode: str
    city: tuple[str, ...]
    identifiers: tuple[tuple[str, str], ...]


def normalise_site(site: Site | NormalSite, aliases: Mapping[str, str] | None = None) -> NormalSite:
    """Bring every field of a site into canonical form; fields that make no sense come out empty.

    ``aliases`` maps retired OS IDs to those that took their place. What is canonical already is returned as it is.
    """
    if isinstance(site, NormalSite):
        return site
    code = normalise_country(site.country)
    postal, street = normalise_postcode(_ascii(site.postcode), code), plain(site.address)
    if not postal and site.address:
        # On the text as written: a plain one has lost the hyphens that tell a postcode from a number.
        postal, rest = find_postcode(_ascii(site.address), code)
        street = plain(rest) if postal else street
    words = street.split()
    numbers = _numbers(words, postal)
    tokens, figures = name_tokens(site.name)
    towns = tuple(_city_words(site.city))
    return NormalSite(
        code,
        tokens,
        figures,
        _without_town(tuple(_street_words(words)), towns),
        next(iter(numbers), ""),
        numbers,
        postal,
        towns,
        tuple(_identifiers(site, aliases or {})),
    )


def name_tokens(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the folded words of a name without legal forms (all words when nothing else is left), and its figures.

    Trade words come out as what they mean, the same in every language. Figures are numbers, roman ones too, and the
    letter after a word such as "unit": they tell one plant of a company from another.
    """
    written = plain(name).split()
    words = _without_phrases(written)
    kept = [word for word in words if word not in LEGAL_FORMS and word not in STOP_WORDS]
    kept = kept or words or written
    kept = kept[:1] + [ROMAN.get(word, word) for word in kept[1:]]
    tokens = tuple(dict.fromkeys(fold(CONCEPTS.get(word, word)) for word in kept))
    return tokens, tuple(_figures(kept))


def _without_phrases(words: list[str]) -> list[str]:
    """Leave out legal forms of several words and join letters that stand alone; few names need the patterns."""
    if _STARTS.isdisjoint(words):
        return words
    text = _LEGAL_PHRASE.sub(" ", " ".join(words))
    return _SINGLE_LETTERS.sub(lambda match: match.group().replace(" ", ""), text).split()


@lru_cache(maxsize=65536)
def weight_of(token: str) -> float:
    """Return how telling a word of a name is, from 0.5 for a trade word to 9 for a long word of no list.

    It takes the place of a frequency table: longer words are rarer, and the words that many names share are listed.
    """
    if token in _CONCEPT_TOKENS or token in _COUNTRY_TOKENS or token in _SITE_TOKENS or len(token) < 3:
        return 0.5
    if token.isdigit():
        return 1.0
    return min(len(token), 10) - 1.0 if token not in _GIVEN else 1.5


@lru_cache(maxsize=65536)
def street_weight_of(token: str) -> float:
    """Return how telling a word of an address is, in the same way."""
    return 0.5 if token in _COMMON_STREETS or token in _COUNTRY_TOKENS or len(token) < 3 else min(len(token), 10) - 1.0


# Keys and sketch of a site ask for the same words, one after the other.
@lru_cache(maxsize=128)
def ranked_name(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the different words of a name, the most telling first, equals in the order of the alphabet."""
    return _ranked(words, weight_of)


@lru_cache(maxsize=128)
def ranked_street(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the different words of an address in the same way."""
    return _ranked(words, street_weight_of)


def _ranked(words: tuple[str, ...], weigh: Callable[[str], float]) -> tuple[str, ...]:
    # By weight last: sorting keeps the order of equals.
    return tuple(sorted(sorted({*words}), key=weigh, reverse=True))


def is_trade_word(token: str) -> bool:
    """Return whether a word of a name says what is done and not who does it."""
    return token in _CONCEPT_TOKENS


def _ascii(text: str) -> str:
    return text if text.isascii() else anyascii(text)


def _figures(words: list[str]) -> Iterator[str]:
    for before, word in zip(["", *words], words, strict=False):
        if word.isdigit():
            yield word.lstrip("0") or "0"
        elif len(word) == 1 and before in SITE_WORDS:
            yield word


def _numbers(words: list[str], postcode: str) -> tuple[str, ...]:
    numbers = (word.lstrip("0") for word in words if word.isdigit() and word != postcode)
    return tuple(dict.fromkeys(number for number in numbers if number))


def _street_words(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        if word.isdigit() or word in STREET_TYPES or word in STOP_WORDS or len(word) < 2:
            continue
        yield fold(_without_street(word))


def _without_town(street: tuple[str, ...], towns: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the town at the end of an address that has a column of its own."""
    while street and street[-1] in towns:
        street = street[:-1]
    return street


def _without_street(word: str) -> str:
    if word.endswith(_STREETS):
        for ending in _STREETS:
            if word.endswith(ending) and len(word) > len(ending) + 2:
                return word[: -len(ending)]
    return word


def _city_words(city: str) -> Iterator[str]:
    words = [word for word in plain(city).split() if not word.isdigit()]
    # "Horb am Neckar", "Horb a.N.": lists differ in how they say by which river.
    cut = next((i for i, word in enumerate(words) if i and word in BY_WHICH), len(words))
    words = words[:cut]
    telling = [word for word in words if word not in CITY_WORDS and word not in STOP_WORDS]
    return (fold(word) for word in telling or words)


def _identifiers(site: Site, aliases: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for kind, text in sorted(site.identifiers.items()):
        try:
            yield kind, normalise_identifier(kind, text, aliases)
        except IdentifierError:
            continue
