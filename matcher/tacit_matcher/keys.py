"""From a site to its match keys: conjunctive strings, each specific enough that an equal one is worth opening."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from tacit_matcher.normalise import COMMON_STREETS, COMMON_WORDS, NormalSite, normalise_site
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
    """A kind of key: its name, what it is in words, its class, the confidence for it alone, how guessable it is."""

    name: str
    label: str
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


def _type(name: str, label: str, key_class: KeyClass, confidence: float, entropy: str) -> tuple[str, KeyType]:
    return name, KeyType(name, label, key_class, confidence, entropy)


KEY_TYPES: Mapping[str, KeyType] = dict(
    (
        _type("os_id", "OS ID", KeyClass.SITE_IDENTIFIER, 0.99, "public register"),
        _type("sedex_site", "Sedex site code", KeyClass.SITE_IDENTIFIER, 0.99, "nine digits or more"),
        _type("gln", "GLN", KeyClass.SITE_IDENTIFIER, 0.98, "13 digits, company prefix public"),
        _type("amfori_id", "amfori ID", KeyClass.SITE_IDENTIFIER, 0.98, "register of members"),
        _type("sedex_company", "Sedex company code", KeyClass.ENTITY_IDENTIFIER, 0.95, "nine digits or more"),
        _type("ecovadis_id", "EcoVadis ID", KeyClass.ENTITY_IDENTIFIER, 0.9, "register of subscribers"),
        _type("lei", "LEI", KeyClass.ENTITY_IDENTIFIER, 0.9, "public register"),
        _type("duns", "DUNS number", KeyClass.ENTITY_IDENTIFIER, 0.9, "nine digits"),
        _type("vat", "VAT number", KeyClass.ENTITY_IDENTIFIER, 0.9, "country and 8 to 12 digits"),
        _type(
            "street",
            "postcode, street and house number",
            KeyClass.STRONG,
            0.9,
            "postcode, street skeleton and house number",
        ),
        _type("numbers", "numbers of the address", KeyClass.WEAKER, 0.8, "at least six digits of the address"),
        _type("name", "name", KeyClass.STRONG, 0.9, "whole name of two words or more"),
        _type("name+postcode", "name word and postcode", KeyClass.STRONG, 0.95, "rarest name word and postcode"),
        _type("last+postcode", "last name word and postcode", KeyClass.STRONG, 0.9, "last name word and postcode"),
        _type(
            "second+postcode", "second name word and postcode", KeyClass.STRONG, 0.9, "second name word and postcode"
        ),
        _type("name+number", "name word and number", KeyClass.WEAKER, 0.85, "rarest name word and largest number"),
        _type("name+city", "name word and city", KeyClass.WEAKER, 0.85, "rarest name word and city"),
        _type(
            "first+city+number",
            "first name word, city and house number",
            KeyClass.WEAKER,
            0.85,
            "first name word, city and house number",
        ),
        _type("name+address", "name word and street", KeyClass.STRONG, 0.9, "rarest name word and rarest address word"),
        _type(
            "address+address",
            "two address words and house number",
            KeyClass.WEAKER,
            0.8,
            "two address words and house number",
        ),
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
    ranked = _most_telling_first(site.name, COMMON_WORDS)
    address = _most_telling_first(site.address, COMMON_STREETS)
    rarest, city = ranked[0], "".join(site.city)
    second = ranked[1] if len(ranked) > 1 else ""
    telling = rarest if rarest not in COMMON_WORDS else ""
    street = address[0] if address and address[0] not in COMMON_STREETS else ""
    largest = max(site.numbers, key=lambda number: (len(number), number), default="")
    digits = "".join(site.numbers)
    parts: dict[str, tuple[str, ...]] = {
        "street": (site.postcode, skeleton(address[0]) if address else "", site.house_number),
        "name+postcode": (skeleton(rarest), site.postcode),
        "last+postcode": (site.name[-1], site.postcode),
        "name": ("".join(sorted(site.name)) if len(site.name) > 1 and sum(map(len, site.name)) >= 10 else "",),
        "name+city": (telling, city),
        "name+address": (telling, street),
        "second+postcode": (second, site.postcode),
        "name+number": (telling, largest if len(largest) > 2 else ""),
        "first+city+number": (site.name[0], city, site.house_number),
        "numbers": ("-".join(site.numbers) if len(digits) >= 6 or len(site.numbers) > 2 else "",),
        "address+address": (street, address[1], site.house_number, site.postcode[:2] or city)
        if len(address) > 1
        else ("",),
    }
    for key_type, values in parts.items():
        if all(values):
            yield MatchKey(key_type, "|".join((site.country, *values)))


def _most_telling_first(tokens: tuple[str, ...], common: frozenset[str]) -> list[str]:
    """Order tokens without a frequency table: common words last, then longer first, then by the alphabet."""
    return sorted(set(tokens), key=lambda token: (token in common, -len(token), token))


def skeleton(token: str) -> str:
    """Return the first letter and the consonants of a token."""
    return token[:1] + re.sub(r"[aeiou]", "", token[1:])
