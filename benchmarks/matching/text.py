"""Plain-text preparation for the references. It owes nothing to Tacit's normalisation, so a fault there shows."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from anyascii import anyascii

from tacit_matcher.normalise import normalise_country
from tacit_matcher.records import Site


@dataclass(frozen=True, slots=True)
class Text:
    """A site as lower-case ASCII words."""

    country: str
    name: tuple[str, ...]
    address: tuple[str, ...]
    city: tuple[str, ...]
    postcode: str
    numbers: tuple[str, ...]

    def words(self) -> tuple[str, ...]:
        """Return every word of the site."""
        return (*self.name, *self.address, *self.city, *((self.postcode,) if self.postcode else ()))


def words(text: str) -> tuple[str, ...]:
    """Transliterate, lower the case, and cut into words and numbers."""
    return tuple(re.findall(r"[a-z]+|\d+", anyascii(text).lower().replace("'", "")))


def prepare(site: Site) -> Text:
    """Return the words of a site."""
    address = words(site.address)
    return Text(
        normalise_country(site.country) or site.country.strip().upper(),
        words(site.name),
        address,
        words(site.city),
        "".join(words(site.postcode)),
        tuple(word.lstrip("0") or "0" for word in address if word.isdigit()),
    )


def trigrams(tokens: Iterable[str]) -> frozenset[str]:
    """Return the character trigrams of words, with a blank at either end of each."""
    padded = (f" {token} " for token in tokens if token)
    return frozenset(word[i : i + 3] for word in padded for i in range(len(word) - 2))


def alike(one: Iterable[str], two: Iterable[str]) -> float:
    """Return the Dice similarity of the trigrams of two lists of words; 0 where either is empty."""
    a, b = trigrams(one), trigrams(two)
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0


def rarity(texts: Sequence[Text]) -> Mapping[str, float]:
    """Return ln(N / documents with the word) of every word of the listed sites; a word not listed has ln N."""
    seen: Counter[str] = Counter(word for text in texts for word in set(text.words()))
    return {word: math.log(len(texts) / count) for word, count in seen.items()}


def weight(tokens: Iterable[str], rare: Mapping[str, float], unseen: float) -> float:
    """Return the summed rarity of some words."""
    return sum(rare.get(token, unseen) for token in tokens)
