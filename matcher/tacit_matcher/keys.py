"""From a site to its match keys: conjunctive strings, each specific enough that an equal one is worth opening."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from tacit_matcher.normalise import NormalSite, normalise_site
from tacit_matcher.records import Site

SCHEME_VERSION = "1"
MAX_KEYS = 14


class KeyClass(Enum):
    """What an equal key says."""

    SITE_IDENTIFIER = "site identifier"
    ENTITY_IDENTIFIER = "entity identifier"
    STRONG = "strong composite"
    WEAKER = "weaker composite"


@dataclass(frozen=True, slots=True)
class KeyType:
    """A kind of key: its name, class, the confidence measured for it alone, and how guessable it is."""

    name: str
    key_class: KeyClass
    confidence: float
    entropy: str


@dataclass(frozen=True, slots=True)
class MatchKey:
    """One key of one site."""

    key_type: str
    value: str

    def encode(self) -> bytes:
        """Return len-prefixed("tacit/1", key type with version, canonical value): the PRF's input."""
        parts = (b"tacit/1", f"{self.key_type}/{SCHEME_VERSION}".encode(), self.value.encode())
        return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def _type(name: str, key_class: KeyClass, confidence: float, entropy: str) -> tuple[str, KeyType]:
    return name, KeyType(name, key_class, confidence, entropy)


KEY_TYPES: Mapping[str, KeyType] = dict(
    (
        _type("os_id", KeyClass.SITE_IDENTIFIER, 0.99, "public register"),
        _type("sedex_site", KeyClass.SITE_IDENTIFIER, 0.99, "nine digits or more"),
        _type("gln", KeyClass.SITE_IDENTIFIER, 0.98, "13 digits, company prefix public"),
        _type("amfori_id", KeyClass.SITE_IDENTIFIER, 0.98, "register of members"),
        _type("sedex_company", KeyClass.ENTITY_IDENTIFIER, 0.95, "nine digits or more"),
        _type("ecovadis_id", KeyClass.ENTITY_IDENTIFIER, 0.9, "register of subscribers"),
        _type("lei", KeyClass.ENTITY_IDENTIFIER, 0.9, "public register"),
        _type("duns", KeyClass.ENTITY_IDENTIFIER, 0.9, "nine digits"),
        _type("vat", KeyClass.ENTITY_IDENTIFIER, 0.9, "country and 8 to 12 digits"),
        _type("street", KeyClass.STRONG, 0.9, "postcode, street skeleton and house number"),
        _type("numbers", KeyClass.WEAKER, 0.8, "at least six digits of the address"),
        _type("name", KeyClass.STRONG, 0.9, "whole name of two words or more"),
        _type("name+postcode", KeyClass.STRONG, 0.95, "rarest name word and postcode"),
        _type("last+postcode", KeyClass.STRONG, 0.9, "last name word and postcode"),
        _type("second+postcode", KeyClass.STRONG, 0.9, "second name word and postcode"),
        _type("name+number", KeyClass.WEAKER, 0.85, "rarest name word and largest number"),
        _type("name+city", KeyClass.WEAKER, 0.85, "rarest name word and city"),
        _type("first+city+number", KeyClass.WEAKER, 0.85, "first name word, city and house number"),
        _type("name+address", KeyClass.STRONG, 0.9, "rarest name word and rarest address word"),
        _type("address+address", KeyClass.WEAKER, 0.8, "two address words and house number"),
    )
)


def match_keys(site: Site) -> tuple[MatchKey, ...]:
    """Return the keys of a site, identifiers first, at most :data:`MAX_KEYS`, none twice."""
    normal = normalise_site(site)
    keys = dict.fromkeys([*_identifier_keys(normal), *_composite_keys(normal)])
    return tuple(keys)[:MAX_KEYS]


def _identifier_keys(site: NormalSite) -> Iterator[MatchKey]:
    for kind, value in site.identifiers:
        if kind in KEY_TYPES:
            yield MatchKey(kind, value)


def _composite_keys(site: NormalSite) -> Iterator[MatchKey]:
    if not site.country or not site.name:
        return
    ranked = sorted(set(site.name), key=lambda token: (-len(token), token))
    address = sorted(set(site.address), key=lambda token: (-len(token), token))
    rarest, city = ranked[0], "".join(site.city)
    second = ranked[1] if len(ranked) > 1 else ""
    largest = max(site.numbers, key=lambda number: (len(number), number), default="")
    digits = "".join(site.numbers)
    parts: dict[str, tuple[str, ...]] = {
        "street": (site.postcode, skeleton(address[0]) if address else "", site.house_number),
        "name+postcode": (skeleton(rarest), site.postcode),
        "last+postcode": (site.name[-1], site.postcode),
        "name": ("".join(sorted(site.name)) if len(site.name) > 1 and sum(map(len, site.name)) >= 10 else "",),
        "name+city": (rarest, city),
        "name+address": (rarest, address[0] if address else ""),
        "second+postcode": (second, site.postcode),
        "name+number": (rarest, largest),
        "first+city+number": (site.name[0], city, site.house_number),
        "numbers": ("-".join(site.numbers) if len(digits) >= 6 or len(site.numbers) > 2 else "",),
        "address+address": (address[0], address[1], site.house_number) if len(address) > 1 else ("",),
    }
    for key_type, values in parts.items():
        if all(values):
            yield MatchKey(key_type, "|".join((site.country, *values)))


def skeleton(token: str) -> str:
    """Return the first letter and the consonants of a token."""
    return token[:1] + re.sub(r"[aeiou]", "", token[1:])
