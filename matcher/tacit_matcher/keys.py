"""From a site to its match keys: conjunctive strings, each specific enough that an equal one is worth opening.

An evaluation that is logged opens a record, and whoever opened it can test guesses about it offline. So no key is
made of what can be enumerated by the thousand, a country and a number say; MATCHING.md has the figures for each type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from tacit_matcher.key_types import KEY_TYPES, KeyClass, KeyType
from tacit_matcher.normalise import NormalSite, normalise_site, ranked_name, ranked_street, street_weight_of, weight_of
from tacit_matcher.records import Site
from tacit_matcher.text import letters, skeleton

__all__ = ["KEY_TYPES", "MAX_KEYS", "SCHEME_VERSION", "KeyClass", "KeyType", "MatchKey", "match_keys"]

SCHEME_VERSION = "1"
MAX_KEYS = 14
_TELLING = 1.5  # a word with no more weight than this makes no key with a place alone
_NAME_WEIGHT = 6.0  # a whole name needs so much weight to be a key without a place
_GUESSABLE = 10_000
_NOT_DIGITS, _NOT_LETTERS = re.compile(r"[^0-9]"), re.compile(r"[^A-Z]")


class MatchKey(NamedTuple):
    """One key of one site."""

    key_type: str
    value: str

    def encode(self) -> bytes:
        """Return len-prefixed("tacit/1", key type with version, canonical value): the PRF's input."""
        octets = self.value.encode()
        return _start(self.key_type) + len(octets).to_bytes(2, "big") + octets


@lru_cache(maxsize=64)
def _start(key_type: str) -> bytes:
    return _prefixed("tacit/1") + _prefixed(f"{key_type}/{SCHEME_VERSION}")


def _prefixed(text: str) -> bytes:
    octets = text.encode()
    return len(octets).to_bytes(2, "big") + octets


def match_keys(site: Site | NormalSite, aliases: Mapping[str, str] | None = None) -> tuple[MatchKey, ...]:
    """Return the keys of a site, identifiers first, at most :data:`MAX_KEYS`, none twice.

    ``aliases`` maps retired OS IDs to current ones (:func:`tacit_matcher.identifiers.parse_aliases`).
    """
    normal = normalise_site(site, aliases)
    keys = dict.fromkeys(_composite_keys(normal))
    if normal.identifiers:
        keys = {**dict.fromkeys(_identifier_keys(normal)), **keys}
    return tuple(keys)[:MAX_KEYS]


def _identifier_keys(site: NormalSite) -> Iterator[MatchKey]:
    for kind, value in site.identifiers:
        # A number below ten thousand behind zeros and a prefix can be guessed like any other.
        digits = _NOT_DIGITS.sub("", value).lstrip("0")
        if len(_NOT_LETTERS.sub("", value)) > 2 or (digits and int(digits) >= _GUESSABLE):
            yield MatchKey(kind, value)


def _composite_keys(site: NormalSite) -> list[MatchKey]:
    if not site.country or not site.name:
        return []
    start = site.country + "|"
    return [MatchKey(key_type, start + "|".join(parts)) for key_type, parts in _parts(site) if "" not in parts]


def _parts(site: NormalSite) -> list[tuple[str, tuple[str, ...]]]:
    """Return key types and parts, the best keys first; a key with an empty part does not exist."""
    words = own_words(site)
    best = words[0] if words else ""
    streets = ranked_street(site.address)
    spelt = [skeleton(word) for word in streets if street_weight_of(word) > _TELLING]
    core = skeleton(streets[0]) if streets else ""
    city, postcode, house, all_letters = main_word(site.city), site.postcode, site.house_number, letters(site.name)
    places = [skeleton(city), *spelt[:1]] if city else spelt[:3]
    return [
        ("street", (postcode, core, house)),
        ("name", (all_letters if is_whole_name(site) else "",)),
        ("name+place", (all_letters, places[0] if places else postcode)),
        *[("word+postcode", (word, postcode)) for word in words[:3]],
        *[("word+place", (word, place)) for place in places for word in words[:2] if place != word],
        ("word+city+number", (best, city, house)),
        ("word+number", (best, largest(site.numbers))),
        ("streets+number", (*sorted(spelt[:2]), house if len(spelt) > 1 else "")),
        ("numbers", (many(site.numbers), core[:2])),
    ]


def own_words(site: NormalSite) -> list[str]:
    """Return the skeletons of a name's telling words; a place's name says nothing beside the place."""
    places = {skeleton(word) for word in (*site.city, *site.address)}
    words = list(dict.fromkeys([skeleton(word) for word in ranked_name(site.name) if weight_of(word) > _TELLING]))
    return [word for word in words if word not in places] or words


def is_whole_name(site: NormalSite) -> bool:
    """Return whether a name of two telling words or more is a key without a place: by its letters, see :func:`letters`.

    Word order and word breaks do not matter; two names with the same letters are rare at this length.
    """
    weights = [weight_of(word) for word in site.name]
    return sum(weight > _TELLING for weight in weights) > 1 and sum(weights) >= _NAME_WEIGHT


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
