"""The similarity features on which the plaintext reference is trained: what a good plaintext matcher would look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler, Levenshtein

from benchmarks.matching.blocking import Pairs
from benchmarks.matching.text import Text, weight

NAMES = (
    "name ratio", "name sorted", "name set", "name partial", "name jaro-winkler", "name joined",
    "name shared rarity", "name least covered", "name most covered", "name rarest shared", "name first word",
    "name last word",
    "address ratio", "address sorted", "address set", "address shared rarity", "address most covered",
    "address missing",
    "numbers jaccard", "first number", "largest number", "numbers missing",
    "postcode equal", "postcode prefix", "city", "everything set", "everything shared rarity",
)  # fmt: skip
MISSING = float("nan")


def features(
    plans: Sequence[Text], sites: Sequence[Text], pairs: Pairs, rare: Mapping[str, float]
) -> NDArray[np.float32]:
    """Return a (pairs, 27) array; a feature that needs what one side does not say is NaN."""
    rows = [_row(plans[plan], sites[site], rare) for plan, site in pairs]
    return np.array(rows, dtype=np.float32).reshape(len(pairs), len(NAMES))


def _row(a: Text, b: Text, rare: Mapping[str, float]) -> tuple[float, ...]:
    return (*_name(a, b, rare), *_address(a, b, rare), *_numbers(a, b), *_place(a, b), *_everything(a, b, rare))


def _name(a: Text, b: Text, rare: Mapping[str, float]) -> tuple[float, ...]:
    one, two = " ".join(a.name), " ".join(b.name)
    shared, least, most = _covered(a.name, b.name, rare)
    rarest = max(a.name, key=lambda word: (rare.get(word, _unseen(rare)), word), default="")
    return (
        fuzz.ratio(one, two),
        fuzz.token_sort_ratio(one, two),
        fuzz.token_set_ratio(one, two),
        fuzz.partial_ratio(one, two),
        JaroWinkler.similarity(one, two),
        Levenshtein.normalized_similarity("".join(sorted(a.name)), "".join(sorted(b.name))),
        shared,
        least,
        most,
        float(rarest in b.name) * rare.get(rarest, _unseen(rare)),
        JaroWinkler.similarity(a.name[0], b.name[0]) if a.name and b.name else MISSING,
        JaroWinkler.similarity(a.name[-1], b.name[-1]) if a.name and b.name else MISSING,
    )


def _address(a: Text, b: Text, rare: Mapping[str, float]) -> tuple[float, ...]:
    missing = (not a.address) + (not b.address)
    if missing:
        return (*[MISSING] * 5, missing)
    one, two = " ".join(a.address), " ".join(b.address)
    shared, _, most = _covered(a.address, b.address, rare)
    return (fuzz.ratio(one, two), fuzz.token_sort_ratio(one, two), fuzz.token_set_ratio(one, two), shared, most, 0)


def _numbers(a: Text, b: Text) -> tuple[float, ...]:
    missing = (not a.numbers) + (not b.numbers)
    if missing:
        return MISSING, MISSING, MISSING, missing
    one, two = set(a.numbers), set(b.numbers)
    largest = max(a.numbers, key=len) == max(b.numbers, key=len)
    return len(one & two) / len(one | two), float(a.numbers[0] == b.numbers[0]), float(largest), 0


def _place(a: Text, b: Text) -> tuple[float, ...]:
    city = fuzz.token_set_ratio(" ".join(a.city), " ".join(b.city)) if a.city and b.city else MISSING
    if not (a.postcode and b.postcode):
        return MISSING, MISSING, city
    prefix = next((i for i, (x, y) in enumerate(zip(a.postcode, b.postcode, strict=False)) if x != y), 5)
    return float(a.postcode == b.postcode), prefix, city


def _everything(a: Text, b: Text, rare: Mapping[str, float]) -> tuple[float, ...]:
    one, two = a.words(), b.words()
    return fuzz.token_set_ratio(" ".join(one), " ".join(two)), _covered(one, two, rare)[0]


def _covered(a: Sequence[str], b: Sequence[str], rare: Mapping[str, float]) -> tuple[float, float, float]:
    """Return the rarity of the shared words, and its share of the rarer and of the commoner side."""
    unseen = _unseen(rare)
    shared = weight(set(a) & set(b), rare, unseen)
    sides = weight(set(a), rare, unseen), weight(set(b), rare, unseen)
    return shared, shared / max(*sides, 1e-9), shared / max(min(sides), 1e-9)


def _unseen(rare: Mapping[str, float]) -> float:
    return 10.0 if rare else 0.0
