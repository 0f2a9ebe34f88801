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
# The confidence of a composite key is the share of development plans with such a key in common that truly overlap,
# where one plan in ten does (MATCHING.md). That of an identifier is our estimate: the labelled lists have none.
KEY_TYPES: Mapping[str, KeyType] = {
    kind.name: kind
    for kind in (
        KeyType("os_id", "OS ID", _SITE, 0.99, "all are in a public register"),
        KeyType("sedex_site", "Sedex site code", _SITE, 0.99, "nine digits or so, known to subscribers"),
        KeyType("gln", "GLN", _SITE, 0.98, "13 digits; a company's prefix leaves a thousand or more"),
        KeyType("amfori_id", "amfori ID", _SITE, 0.98, "known to subscribers"),
        KeyType("sedex_company", "Sedex company code", _ENTITY, 0.95, "nine digits or so, known to subscribers"),
        KeyType("ecovadis_id", "EcoVadis ID", _ENTITY, 0.9, "known to subscribers"),
        KeyType("lei", "LEI", _ENTITY, 0.9, "all are in a public register"),
        KeyType("duns", "DUNS number", _ENTITY, 0.9, "nine digits"),
        KeyType("vat", "VAT number", _ENTITY, 0.9, "eight digits or more, most in a public register"),
        KeyType("street", "postcode, street and house number", _STRONG, 0.86, "every address of a postcode"),
        KeyType("name", "whole name", _STRONG, 0.62, "two telling words or more"),
        KeyType("name+place", "whole name and place", _STRONG, 0.9, "a whole name, and a town or street"),
        KeyType("word+postcode", "name word and postcode", _STRONG, 0.76, "a telling word, and a postcode"),
        KeyType("word+place", "name word and place", _WEAKER, 0.56, "a telling word, and a town or street"),
        KeyType("word+city+number", "name word, city and house number", _STRONG, 0.95, "a telling word, town, number"),
        KeyType(
            "word+number", "name word and large number of the address", _WEAKER, 0.92, "a telling word and a number"
        ),
        KeyType("streets+number", "two address words and house number", _WEAKER, 0.54, "two words and a number"),
        KeyType("numbers", "numbers of the address", _WEAKER, 0.75, "three numbers or six digits, and two letters"),
    )
}
