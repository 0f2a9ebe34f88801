"""From a site to its match keys: conjunctive strings, each specific enough that an equal one is worth opening.

An evaluation that is logged opens a record, and whoever opened it can test guesses about it offline. So no key is
made of what can be enumerated by the thousand, a country and a number say; MATCHING.md has the figures for each type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from tacit_matcher.key_types import KEY_TYPES, KeyClass, KeyType
from tacit_matcher.normalise import NormalSite, normalise_site, street_weight_of, weight_of
from tacit_matcher.records import Site
from tacit_matcher.text import letters, skeleton

__all__ = ["KEY_TYPES", "MAX_KEYS", "SCHEME_VERSION", "KeyClass", "KeyType", "MatchKey", "match_keys"]

SCHEME_VERSION = "1"
MAX_KEYS = 14
_TELLING = 1.5  # a word with no more weight than this makes no key with a place alone
_NAME_WEIGHT = 6.0  # a whole name needs so much weight to be a key without a place
_GUESSABLE = 10_000


@dataclass(frozen=True, slots=True)
class MatchKey:
    """One key of one site."""

    key_type: str
    value: str

    def encode(self) -> bytes:
        """Return len-prefixed("tacit/1", key type with version, canonical value): the PRF's input."""
        parts = (b"tacit/1", f"{self.key_type}/{SCHEME_VERSION}".encode(), self.value.encode())
        return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def match_keys(site: Site | NormalSite, aliases: Mapping[str, str] | None = None) -> tuple[MatchKey, ...]:
    """Return the keys of a site, identifiers first, at most :data:`MAX_KEYS`, none twice.

    ``aliases`` maps retired OS IDs to current ones (:func:`tacit_matcher.identifiers.parse_aliases`).
    """
    normal = normalise_site(site, aliases)
    keys = dict.fromkeys([*_identifier_keys(normal), *_composite_keys(normal)])
    return tuple(islice(keys, MAX_KEYS))


def _identifier_keys(site: NormalSite) -> Iterator[MatchKey]:
    for kind, value in site.identifiers:
        # A number below ten thousand behind zeros and a prefix can be guessed like any other.
        digits = re.sub(r"[^0-9]", "", value).lstrip("0")
        if len(re.sub(r"[^A-Z]", "", value)) > 2 or (digits and int(digits) >= _GUESSABLE):
            yield MatchKey(kind, value)


def _composite_keys(site: NormalSite) -> Iterator[MatchKey]:
    if not site.country or not site.name:
        return
    for key_type, *parts in _parts(site):
        if all(parts):
            yield MatchKey(key_type, "|".join((site.country, *parts)))


def _parts(site: NormalSite) -> Iterator[tuple[str, ...]]:
    """Yield key type and parts, the best keys first; a key with an empty part does not exist."""
    words = own_words(site)
    streets = telling(site.address, street_weight_of)
    spelt = [skeleton(word) for word in streets]
    core = skeleton(_most_telling_first(site.address, street_weight_of)[0]) if site.address else ""
    city = main_word(site.city)
    places = [skeleton(city), *spelt[:1]] if city else spelt[:3]
    yield "street", site.postcode, core, site.house_number
    yield "name", whole_name(site)
    yield "name+place", letters(site.name), _at(places, 0) or site.postcode
    for word in words[:3]:
        yield "word+postcode", word, site.postcode
    for place in places:
        for word in words[:2]:
            yield "word+place", word, place if place != word else ""
    yield "word+city+number", _at(words, 0), city, site.house_number
    yield "word+number", _at(words, 0), largest(site.numbers)
    yield "streets+number", *sorted(spelt[:2]), "" if len(spelt) < 2 else site.house_number
    yield "numbers", many(site.numbers), core[:2]


def telling(words: Sequence[str], weigh: Callable[[str], float]) -> list[str]:
    """Return the words that tell something, the most telling first."""
    return [word for word in _most_telling_first(words, weigh) if weigh(word) > _TELLING]


def _most_telling_first(words: Sequence[str], weigh: Callable[[str], float]) -> list[str]:
    return sorted(dict.fromkeys(words), key=lambda word: (-weigh(word), word))


def own_words(site: NormalSite) -> list[str]:
    """Return the skeletons of a name's telling words; a place's name says nothing beside the place."""
    places = {skeleton(word) for word in (*site.city, *site.address)}
    words = dict.fromkeys(skeleton(word) for word in telling(site.name, weight_of))
    return [word for word in words if word not in places] or list(words)


def whole_name(site: NormalSite) -> str:
    """Return the letters of a telling name of two words or more in the order of the alphabet, or an empty string.

    Word order and word breaks do not matter; two names with the same letters are rare at this length.
    """
    is_telling = len(telling(site.name, weight_of)) > 1 and sum(map(weight_of, site.name)) >= _NAME_WEIGHT
    return letters(site.name) if is_telling else ""


def main_word(city: tuple[str, ...]) -> str:
    """Return the longer of a city's first two words: what follows differs from list to list."""
    return max(city[:2], key=len, default="")


def largest(numbers: Sequence[str]) -> str:
    """Return the longest number of an address, the larger of equals, if it has three digits or more."""
    number = max(numbers, key=lambda number: (len(number), number), default="")
    return number if len(number) > 2 else ""


def many(numbers: Sequence[str]) -> str:
    """Return all numbers of an address in order, if there are three or more, or six digits together."""
    return "-".join(sorted(numbers)) if len(numbers) > 2 or sum(map(len, numbers)) >= 6 else ""


def _at(words: Sequence[str], position: int) -> str:
    return words[position] if position < len(words) else ""
