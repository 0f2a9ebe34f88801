"""The kinds of match key: what each says, how sure it is alone, and how hard it is to guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


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


_SITE, _ENTITY, _STRONG, _WEAKER = KeyClass
KEY_TYPES: Mapping[str, KeyType] = {
    kind.name: kind
    for kind in (
        KeyType("os_id", "OS ID", _SITE, 0.99, "public register"),
        KeyType("sedex_site", "Sedex site code", _SITE, 0.99, "nine digits or more"),
        KeyType("gln", "GLN", _SITE, 0.98, "13 digits, company prefix public"),
        KeyType("amfori_id", "amfori ID", _SITE, 0.98, "register of members"),
        KeyType("sedex_company", "Sedex company code", _ENTITY, 0.95, "nine digits or more"),
        KeyType("ecovadis_id", "EcoVadis ID", _ENTITY, 0.9, "register of subscribers"),
        KeyType("lei", "LEI", _ENTITY, 0.9, "public register"),
        KeyType("duns", "DUNS number", _ENTITY, 0.9, "nine digits"),
        KeyType("vat", "VAT number", _ENTITY, 0.9, "country and 8 to 12 digits"),
        KeyType("street", "postcode, street and house number", _STRONG, 0.9, ""),
        KeyType("name", "whole name", _STRONG, 0.9, ""),
        KeyType("name+place", "whole name and place", _STRONG, 0.9, ""),
        KeyType("word+postcode", "name word and postcode", _STRONG, 0.9, ""),
        KeyType("word+place", "name word and place", _WEAKER, 0.9, ""),
        KeyType("word+city+number", "name word, city and house number", _STRONG, 0.9, ""),
        KeyType("word+number", "name word and large number of the address", _WEAKER, 0.9, ""),
        KeyType("streets+number", "two address words and house number", _WEAKER, 0.9, ""),
        KeyType("numbers", "numbers of the address", _WEAKER, 0.9, ""),
    )
}
