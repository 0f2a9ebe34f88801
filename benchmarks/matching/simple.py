"""The simple references: exact equality, and a RapidFuzz similarity with a threshold."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from benchmarks.matching.features import NAMES
from benchmarks.matching.outcome import Outcome, best_of, best_threshold
from benchmarks.matching.question import Question
from benchmarks.matching.text import Text

_NAME_WEIGHTS = (0.4, 0.5, 0.6, 0.7)


def exact(question: Question) -> list[Outcome]:
    """Equal name, country and postcode once case, accents and punctuation are gone."""
    listed: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, text in enumerate(question.listed_texts):
        listed[_exact_key(text)].append(index)
    found = [listed.get(_exact_key(text), []) for text in question.planned_texts]
    plans = zip(question.plan_ids, found, strict=True)
    best = {plan: (1.0, sites[0]) for plan, sites in plans if sites}
    counts = {plan: len(sites) for plan, sites in zip(question.plan_ids, found, strict=True)}
    return [Outcome("exact match", "plaintext", 1.0, best, counts, "name, country and postcode equal")]


def rapidfuzz(question: Question) -> list[Outcome]:
    """The mean of two RapidFuzz ratios over the blocked pairs; weight and threshold are tuned on development."""
    tried = []
    for name_weight in _NAME_WEIGHTS:
        scores = _fuzzy_scores(question, name_weight)
        best = best_of((question.plan_ids[p], score, s) for (p, s), score in zip(question.pairs, scores, strict=True))
        threshold, f1 = best_threshold(best, question.labels)
        tried.append((f1, name_weight, threshold, best))
    _, name_weight, threshold, best = max(tried, key=lambda entry: entry[:2])
    note = (
        f"{name_weight:.0%} name, sorted words; {1 - name_weight:.0%} address, city and postcode; from {threshold:.0f}"
    )
    return [Outcome("RapidFuzz threshold", "plaintext", threshold, best, question.counts(question.pairs), note)]


def _fuzzy_scores(question: Question, name_weight: float) -> list[float]:
    """Weigh name against place; the place is the mean of what both sides say, and the name alone where neither does."""
    columns = {name: question.similarities[:, index].astype(float) for index, name in enumerate(NAMES)}
    place = np.stack([columns["address sorted"], columns["city"], 100 * columns["postcode equal"]])
    said = ~np.isnan(place)
    means = np.where(said, place, 0).sum(axis=0) / np.maximum(said.sum(axis=0), 1)
    name = columns["name sorted"]
    scores = np.where(said.any(axis=0), name_weight * name + (1 - name_weight) * means, name)
    return [float(score) for score in scores]


def _exact_key(text: Text) -> tuple[str, ...]:
    return " ".join(text.name), text.country, text.postcode
