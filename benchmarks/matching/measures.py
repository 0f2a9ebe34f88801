"""Precision, recall and F1 of an outcome, what it looked at, and how sure its probabilities were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.matching.data import Plan
from benchmarks.matching.outcome import Outcome
from benchmarks.rates import Rates

LISTED = 23_000  # the size of list that the exposure is stated for
BINS = ((0.0, 0.2), (0.2, 0.35), (0.35, 0.5), (0.5, 0.7), (0.7, 0.85), (0.85, 0.95), (0.95, 1.01))


@dataclass(frozen=True, slots=True)
class Score(Rates):
    """Counts over labelled plans; ``reached`` overlaps have a candidate at all, ``candidates`` are over all plans."""

    plans: int
    overlaps: int
    found: int
    wrong: int
    reached: int
    candidates: int
    listed: int

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall."""
        claimed = self.found + self.wrong + self.overlaps
        return 2 * self.found / claimed if claimed else 0.0

    @property
    def exposure(self) -> float:
        """Return the wrong answers for 1,000 plans that are on no list, against :data:`LISTED` listed sites."""
        others = self.plans - self.overlaps
        return 1000 * self.wrong / others * LISTED / self.listed if others and self.listed else 0.0

    @property
    def per_plan(self) -> float:
        """Return the listed sites looked at for each plan."""
        return self.candidates / self.plans if self.plans else 0.0

    @property
    def reach(self) -> float:
        """Return the share of overlaps that have a candidate at all."""
        return self.reached / self.overlaps if self.overlaps else 0.0


def score(outcome: Outcome, plans: Sequence[Plan], listed: int) -> Score:
    """Count as benchmarks/demo/truth.py does: a plan that is on a list and called assessed is found."""
    overlaps = [plan for plan in plans if plan.assessed]
    return Score(
        len(plans),
        len(overlaps),
        sum(outcome.says(plan.plan_id) for plan in overlaps),
        sum(outcome.says(plan.plan_id) for plan in plans if not plan.assessed),
        sum(outcome.candidates.get(plan.plan_id, 0) > 0 for plan in overlaps),
        sum(outcome.candidates.get(plan.plan_id, 0) for plan in plans),
        listed,
    )


def pooled(scores: Iterable[Score]) -> Score:
    """Add up the counts of several trials."""
    rows = [(s.plans, s.overlaps, s.found, s.wrong, s.reached, s.candidates, s.listed) for s in scores]
    totals = [sum(column) for column in zip(*rows, strict=True)]
    return Score(*totals[:-1], listed=totals[-1] // len(rows))


def reliability(outcome: Outcome, plans: Iterable[Plan]) -> list[tuple[float, float, int, float, float]]:
    """Return for each bin of stated probability its bounds, the plans in it, the mean stated and the true share."""
    rows = []
    stated = [(outcome.best[p.plan_id][0], p.assessed) for p in plans if p.plan_id in outcome.best]
    for low, high in BINS:
        inside = [(probability, truth) for probability, truth in stated if low <= probability < high]
        if inside:
            mean = sum(probability for probability, _ in inside) / len(inside)
            rows.append((low, min(high, 1.0), len(inside), mean, sum(truth for _, truth in inside) / len(inside)))
    return rows
