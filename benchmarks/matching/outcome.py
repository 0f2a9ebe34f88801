"""What a scheme says of every plan, in one form for all schemes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.matching.question import Question

BestSites = Mapping[str, tuple[float, int]]


@dataclass(frozen=True)
class Outcome:
    """A scheme's answer: per plan the best score and its site, decided at ``threshold``; sites looked at per plan."""

    scheme: str
    family: str  # "Tacit", "plaintext", "privacy-preserving" or "keys alone"
    threshold: float
    best: BestSites
    candidates: Mapping[str, int] = field(default_factory=dict)
    note: str = ""

    def says(self, plan_id: str) -> bool:
        """Return whether the scheme takes the plan's site for one on the lists."""
        return plan_id in self.best and self.best[plan_id][0] >= self.threshold


class Scheme(Protocol):
    """A scheme learns from the labels in the question, if it learns at all, and answers for every plan."""

    def __call__(self, question: Question) -> list[Outcome]:
        """Return the answers; a scheme measured in several forms returns one of each."""
        ...


def best_of(scored: Iterable[tuple[str, float, int]]) -> dict[str, tuple[float, int]]:
    """Keep the best (score, site) of every plan; equal scores keep the lower site."""
    best: dict[str, tuple[float, int]] = {}
    for plan_id, score, site in scored:
        if plan_id not in best or (score, -site) > (best[plan_id][0], -best[plan_id][1]):
            best[plan_id] = score, site
    return best


def best_threshold(best: BestSites, labels: Mapping[str, bool]) -> tuple[float, float]:
    """Return the threshold with the highest F1 on labelled plans, half-way down to the next score, and that F1."""
    nothing = float("-inf")
    ranked = sorted(((best.get(plan, (nothing, 0))[0], label) for plan, label in labels.items()), reverse=True)
    overlaps, right, found, threshold = sum(labels.values()), 0, 0.0, float("inf")
    for taken, (score, label) in enumerate(ranked, 1):
        following = ranked[taken][0] if taken < len(ranked) else nothing
        right += label
        f1 = 2 * right / (taken + overlaps)
        if nothing < score != following and f1 > found:
            found, threshold = f1, (score + following) / 2 if following > nothing else score
    return threshold, found
