"""Generous blocking for the plaintext references: the nearest listed sites of the same country by character trigrams.

Three indexes (name; address with city and postcode; everything) give up to :data:`NEAREST` sites each. The cost
grows with the trigrams that two sites share, not with the number of pairs.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.matching.text import Text, trigrams

NEAREST = 25
_VIEWS: tuple[Callable[[Text], Iterable[str]], ...] = (
    lambda text: text.name,
    lambda text: (*text.address, *text.city, text.postcode),
    lambda text: text.words(),
)
Pairs = list[tuple[int, int]]


def block(plans: Sequence[Text], sites: Sequence[Text], nearest: int = NEAREST) -> Pairs:
    """Return (plan, site) index pairs worth comparing, in order, none twice."""
    found: set[tuple[int, int]] = set()
    for planned, listed in _by_country(plans, sites):
        for view in _VIEWS:
            index = TrigramIndex([trigrams(view(sites[site])) for site in listed])
            for plan in planned:
                found.update((plan, listed[near]) for near, _ in index.nearest(trigrams(view(plans[plan])), nearest))
    return sorted(found)


class TrigramIndex:
    """Cosine similarity of weighted trigram sets, through an inverted index."""

    def __init__(self, documents: Sequence[frozenset[str]]) -> None:
        seen = Counter(gram for document in documents for gram in document)
        self._size = len(documents)
        self._weights: Mapping[str, float] = {gram: math.log(1 + self._size / count) for gram, count in seen.items()}
        postings: dict[str, list[int]] = defaultdict(list)
        for index, document in enumerate(documents):
            for gram in document:
                postings[gram].append(index)
        self._postings = {gram: np.array(rows, dtype=np.int64) for gram, rows in postings.items()}
        self._norms: NDArray[np.float64] = np.array([max(self._norm(document), 1e-9) for document in documents])

    def nearest(self, query: frozenset[str], count: int) -> list[tuple[int, float]]:
        """Return up to ``count`` (document, cosine) that share a trigram with the query, the most similar first."""
        scores = np.zeros(self._size)
        # Sorted: the order of a set of strings changes from run to run, and with it the last bits of a sum.
        for gram in sorted(query & self._postings.keys()):
            scores[self._postings[gram]] += self._weights[gram] ** 2
        scores /= self._norms * max(self._norm(query), 1e-9)
        best = np.argsort(-scores, kind="stable")[:count]
        return [(int(index), float(scores[index])) for index in best if scores[index] > 0]

    def _norm(self, document: frozenset[str]) -> float:
        return math.sqrt(sum(self._weights.get(gram, 0.0) ** 2 for gram in sorted(document)))


def _by_country(plans: Sequence[Text], sites: Sequence[Text]) -> list[tuple[list[int], list[int]]]:
    planned: dict[str, list[int]] = defaultdict(list)
    listed: dict[str, list[int]] = defaultdict(list)
    for index, plan in enumerate(plans):
        planned[plan.country].append(index)
    for index, site in enumerate(sites):
        listed[site.country].append(index)
    return [(planned[country], listed[country]) for country in sorted(planned) if country in listed]
