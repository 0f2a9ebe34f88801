"""What a scheme says of every plan, in one form for all schemes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.matching.data import Trial

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
    """A scheme learns from the development part, if it learns at all, and then answers for every plan."""

    def run(self, trial: Trial, development: Trial) -> list[Outcome]:
        """Return the answers for ``trial``; labels may be read from ``development`` only."""
        ...


def best_of(scored: Iterable[tuple[str, float, int]]) -> dict[str, tuple[float, int]]:
    """Keep the best (score, site) of every plan; equal scores keep the lower site."""
    best: dict[str, tuple[float, int]] = {}
    for plan_id, score, site in scored:
        if plan_id not in best or (score, -site) > (best[plan_id][0], -best[plan_id][1]):
            best[plan_id] = score, site
    return best


def best_threshold(best: BestSites, development: Trial) -> tuple[float, float]:
    """Return the threshold with the highest F1 on the development plans, half-way to the next lower score, and that F1."""
    overlaps = sum(plan.assessed for plan in development.plans)
    ranked = sorted(((best.get(plan.plan_id, (float("-inf"), 0))[0], plan.assessed) for plan in development.plans), reverse=True)
    scores = [score for score, _ in ranked]
    right, found, threshold = 0, 0.0, float("inf")
    for place, (score, assessed) in enumerate(ranked, 1):
        right += assessed
        following = scores[place] if place < len(scores) else float("-inf")
        f1 = 2 * right / (place + overlaps)
        if following < score and f1 > found:
            found, threshold = f1, (score + following) / 2 if following > float("-inf") else score
    return threshold, found
