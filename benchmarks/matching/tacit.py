"""Tacit's scheme without its cryptography: equal keys make candidates, the sketch under a record's own key is judged.

The blinded round gives exactly the same candidates, since equal keys and nothing else open a record.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from benchmarks.matching.blocking import Pairs
from benchmarks.matching.outcome import Outcome, best_of
from benchmarks.matching.question import Question
from tacit_matcher.judge import ASSESSED_FROM, judge
from tacit_matcher.keys import KEY_TYPES, KeyClass, match_keys
from tacit_matcher.normalise import normalise_site
from tacit_matcher.payload import Scope
from tacit_matcher.records import Site
from tacit_matcher.sketch import make_sketch

_COMPOSITE = {name for name, kind in KEY_TYPES.items() if kind.key_class in (KeyClass.STRONG, KeyClass.WEAKER)}


@dataclass(frozen=True)
class Tacit:
    """Tacit's answer to a question; the parts that several outcomes need are worked out once."""

    question: Question
    seed: bytes = b"tacit matching benchmark"
    _sketches: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)

    @cached_property
    def agreed(self) -> dict[tuple[int, int], tuple[str, ...]]:
        """Return for every (plan, site) that share a key the types of all keys that they share."""
        sites: dict[bytes, list[int]] = defaultdict(list)
        for index, site in enumerate(self.question.sites):
            for key in match_keys(site):
                sites[key.encode()].append(index)
        agreed: dict[tuple[int, int], list[str]] = defaultdict(list)
        for plan, site in enumerate(self.question.planned):
            for key in match_keys(site):
                for index in sites.get(key.encode(), ()):
                    agreed[plan, index].append(key.key_type)
        return {pair: tuple(types) for pair, types in sorted(agreed.items())}

    @property
    def pairs(self) -> Pairs:
        """Return the candidates."""
        return list(self.agreed)

    def judged(self) -> Outcome:
        """Return what a member sees: the best probability among the records that opened."""
        scored = (
            (self.question.plan_ids[plan], self.probability(plan, site, types), site)
            for (plan, site), types in self.agreed.items()
        )
        best, counts = best_of(scored), self.question.counts(self.pairs)
        return Outcome("Tacit", "Tacit", ASSESSED_FROM, best, counts, f"verdict from {ASSESSED_FROM}, as shipped")

    def unjudged(self) -> Outcome:
        """Return what equal composite keys alone would say."""
        pairs = [pair for pair, types in self.agreed.items() if _COMPOSITE.intersection(types)]
        best = best_of((self.question.plan_ids[plan], 1.0, site) for plan, site in pairs)
        name = f"any of {len(_COMPOSITE)} composite keys, no judgement"
        return Outcome(name, "keys alone", 1.0, best, self.question.counts(pairs), "every candidate counts")

    def probability(self, plan: int, site: int, types: Sequence[str]) -> float:
        """Judge a candidate through its sketch, as the member who opened the record does."""
        key, sketch = self._sketch(site)
        return judge(key, sketch, self.question.planned[plan], types, Scope.SITE).probability

    def _sketch(self, site: int) -> tuple[bytes, bytes]:
        """Return a key of the record's own and the sketch under it, from a seed, so that a run can be repeated."""
        if site not in self._sketches:
            key = hashlib.sha256(self.seed + site.to_bytes(4, "big")).digest()
            self._sketches[site] = key, make_sketch(key, self.question.sites[site])
        return self._sketches[site]


def strict_key(question: Question) -> list[Outcome]:
    """One strict key: Tacit's normalised name, with country and postcode."""
    listed: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, site in enumerate(question.sites):
        listed[_strict(site)].append(index)
    pairs = [(plan, i) for plan, site in enumerate(question.planned) for i in listed.get(_strict(site), ())]
    best = best_of((question.plan_ids[plan], 1.0, site) for plan, site in pairs)
    note = "normalised name, country, postcode"
    return [Outcome("one strict key", "keys alone", 1.0, best, question.counts(pairs), note)]


def key_counts(sites: Iterable[Site]) -> list[int]:
    """Return how many composite keys each site has."""
    return [sum(key.key_type in _COMPOSITE for key in match_keys(site)) for site in sites]


def _strict(site: Site) -> tuple[str, ...]:
    normal = normalise_site(site)
    return normal.country, normal.postcode, *sorted(normal.name)
