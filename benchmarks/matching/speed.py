"""Rows a second of normalisation and key derivation, beside transliteration alone of the same rows in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from anyascii import anyascii

from tacit_matcher import normalise
from tacit_matcher.keys import match_keys
from tacit_matcher.records import Site
from tacit_matcher.sketch import make_sketch

ROWS = 100_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Speed:
    """CPU seconds for :data:`ROWS` rows on one core."""

    keys: float
    sketch: float
    transliteration: float


def measure(sites: Sequence[Site]) -> Speed:
    """Measure on distinct sites; nothing is in a cache when it starts."""
    forget()
    keys = _seconds(match_keys, sites)
    key = bytes(range(32))
    sketch = _seconds(lambda site: make_sketch(key, site), [normalise.normalise_site(site) for site in sites])
    transliteration = _seconds(
        lambda site: [anyascii(text).lower() for text in (site.name, site.address, site.city, site.postcode)], sites
    )
    return Speed(keys, sketch, transliteration)


def forget() -> None:
    """Empty the caches of the matcher."""
    from tacit_matcher import countries, text

    for cached in (
        normalise.weight_of,
        normalise.street_weight_of,
        countries.normalise_country,
        text.fold,
        text.skeleton,
    ):
        cached.cache_clear()


def _seconds(work: Callable[[T], object], sites: Sequence[T]) -> float:
    start = time.process_time()
    for site in sites:
        work(site)
    return (time.process_time() - start) * ROWS / len(sites)
