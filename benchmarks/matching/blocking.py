"""Generous blocking for the plaintext references: the nearest listed sites of the same country by character trigrams.

Three sparse indexes (name; address with city and postcode; everything) give up to :data:`NEAREST` sites each. The cost
grows with the trigrams that two sites share, not with the number of pairs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.matching.text import Text

NEAREST = 25
_VIEWS: tuple[Callable[[Text], str], ...] = (
    lambda text: " ".join(text.name),
    lambda text: " ".join((*text.address, *text.city, text.postcode)),
    lambda text: " ".join(text.words()),
)
Pairs = list[tuple[int, int]]


def block(plans: Sequence[Text], sites: Sequence[Text], nearest: int = NEAREST) -> Pairs:
    """Return (plan, site) index pairs worth comparing, in order, none twice."""
    found: set[tuple[int, int]] = set()
    for view in _VIEWS:
        found.update(_view_pairs(plans, sites, view, nearest))
    return sorted(found)


def _view_pairs(plans: Sequence[Text], sites: Sequence[Text], view: Callable[[Text], str], nearest: int) -> Pairs:
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3), sublinear_tf=True, dtype=np.float32)
    listed = csr_matrix(vectors.fit_transform([view(site) for site in sites]))
    planned = csr_matrix(vectors.transform([view(plan) for plan in plans]))
    pairs: Pairs = []
    for plan_rows, site_rows in _by_country(plans, sites):
        product = csr_matrix(planned[plan_rows] @ listed[site_rows].T)
        for row, plan in enumerate(plan_rows):
            start, end = product.indptr[row], product.indptr[row + 1]
            best = np.argsort(-product.data[start:end], kind="stable")[:nearest]
            pairs.extend((plan, site_rows[column]) for column in product.indices[start:end][best])
    return pairs


def _by_country(plans: Sequence[Text], sites: Sequence[Text]) -> list[tuple[list[int], list[int]]]:
    planned: dict[str, list[int]] = defaultdict(list)
    listed: dict[str, list[int]] = defaultdict(list)
    for index, plan in enumerate(plans):
        planned[plan.country].append(index)
    for index, site in enumerate(sites):
        listed[site.country].append(index)
    return [(planned[country], listed[country]) for country in sorted(planned) if country in listed]
