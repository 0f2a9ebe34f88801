"""A trial as the schemes see it: every plan, but the labels of the development plans only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmarks.matching.blocking import Pairs, block
from benchmarks.matching.data import Trial
from benchmarks.matching.features import features
from benchmarks.matching.text import Text, prepare, rarity
from tacit_matcher.records import Site


@dataclass(frozen=True)
class Question:
    """Listed sites, planned sites, and the labels from which a scheme may learn; text and pairs are worked out once."""

    sites: tuple[Site, ...]
    plan_ids: tuple[str, ...]
    planned: tuple[Site, ...]
    labels: Mapping[str, bool]

    @classmethod
    def of(cls, trial: Trial) -> Question:
        """Take the labels off all plans but those of the development part."""
        labels = {plan.plan_id: plan.assessed for plan in trial.part("development").plans}
        ids = tuple(plan.plan_id for plan in trial.plans)
        return cls(trial.sites, ids, tuple(plan.site for plan in trial.plans), labels)

    @cached_property
    def listed_texts(self) -> list[Text]:
        """Return the words of every listed site."""
        return [prepare(site) for site in self.sites]

    @cached_property
    def planned_texts(self) -> list[Text]:
        """Return the words of every planned site."""
        return [prepare(site) for site in self.planned]

    @cached_property
    def rare(self) -> Mapping[str, float]:
        """Return the rarity of the words on the lists."""
        return rarity(self.listed_texts)

    @cached_property
    def pairs(self) -> Pairs:
        """Return the (plan, site) pairs that the plaintext references compare."""
        return block(self.planned_texts, self.listed_texts)

    @cached_property
    def similarities(self) -> NDArray[np.float32]:
        """Return the similarity features of :attr:`pairs`, in their order."""
        return self.similarities_of(self.pairs)

    def similarities_of(self, pairs: Pairs) -> NDArray[np.float32]:
        """Return the similarity features of any pairs."""
        return features(self.planned_texts, self.listed_texts, pairs, self.rare)

    def counts(self, pairs: Pairs) -> dict[str, int]:
        """Return how many sites were looked at for each plan."""
        found = dict.fromkeys(self.plan_ids, 0)
        for plan, _ in pairs:
            found[self.plan_ids[plan]] += 1
        return found
