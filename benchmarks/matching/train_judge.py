"""Fit the judge's coefficients on the development plans of a labelled folder and write them as reviewed constants.

    python -m benchmarks.matching.train_judge FOLDER

Only plans that :mod:`benchmarks.matching.split` calls development are used: those of the folder, and listed sites taken
off the lists as in :mod:`benchmarks.matching.generate`, in eight draws, as plans without an overlap. The labels
say whether a plan has an overlap, not with which row, so the fit alternates: the best candidate of every true plan is
taken as the match, then the weights are fitted anew (multiple-instance logistic regression, ridge penalty 1).
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.matching.data import Trial, load
from benchmarks.matching.generate import with_left_out
from tacit_matcher.judge import TERMS, features_of, terms_of
from tacit_matcher.keys import match_keys
from tacit_matcher.sketch import make_sketch

TARGET = Path(__file__).resolve().parents[2] / "matcher" / "tacit_matcher" / "judge_model.py"
DRAWS, ROUNDS, STEPS, RIDGE = 8, 4, 40, 1.0
# A plan without an overlap counts for a tenth: there are eight draws of them, and the probability is meant for lists
# in which about half the plans overlap.
_WITHOUT = 0.04
_HOPELESS = 0.03  # a true plan whose best candidate scores less has no candidate of its own site
_KEY = bytes(range(32))
_FIRST = ("name_least", "name_most", "street_least", "city_agree", "house_agree")
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """Candidate pairs: terms with a leading 1, the plan of each, and whether that plan truly overlaps."""

    terms: Matrix
    plans: Sequence[str]
    truth: NDArray[np.bool_]


def collect(trials: Sequence[Trial]) -> Pairs:
    """Return every development plan's candidates, found by equal keys as the protocol would find them, none twice."""
    rows: dict[tuple[str, str], tuple[list[float], bool]] = {}
    for trial in trials:
        for plan_id, site, terms, assessed in _candidates(trial):
            rows.setdefault((plan_id, site), (terms, assessed))
    terms = np.array([[1.0, *terms] for terms, _ in rows.values()])
    return Pairs(terms, [plan for plan, _ in rows], np.array([assessed for _, assessed in rows.values()]))


def fit(pairs: Pairs) -> Matrix:
    """Return bias and weights."""
    scores = pairs.terms[:, [1 + TERMS.index(name) for name in _FIRST]].sum(axis=1)
    weights = np.zeros(pairs.terms.shape[1])
    for _ in range(ROUNDS):
        positive = _best(pairs, scores) & (scores > _HOPELESS)
        used = positive | ~pairs.truth
        counts = np.where(pairs.truth, 1.0, _WITHOUT)
        weights = _logistic(pairs.terms[used], positive[used].astype(float), counts[used])
        scores = 1 / (1 + np.exp(-pairs.terms @ weights))
    return weights


def _candidates(trial: Trial) -> Iterator[tuple[str, str, list[float], bool]]:
    listed = defaultdict(list)
    for index, site in enumerate(trial.sites):
        for key in match_keys(site):
            listed[key].append(index)
    for plan in trial.part("development").plans:
        agreed = defaultdict(list)
        for key in match_keys(plan.site):
            for index in listed.get(key, ()):
                agreed[index].append(key.key_type)
        for index, types in agreed.items():
            site = trial.sites[index]
            features = features_of(_KEY, make_sketch(_KEY, site), plan.site, types)
            yield plan.plan_id, repr(site), terms_of(features), plan.assessed


def _best(pairs: Pairs, scores: Matrix) -> NDArray[np.bool_]:
    best: dict[str, int] = {}
    for index in np.flatnonzero(pairs.truth):
        plan = pairs.plans[index]
        if plan not in best or scores[index] > scores[best[plan]]:
            best[plan] = int(index)
    chosen = np.zeros(len(scores), dtype=bool)
    chosen[list(best.values())] = True
    return chosen


def _logistic(x: Matrix, y: Matrix, counts: Matrix) -> Matrix:
    weights, penalty = np.zeros(x.shape[1]), RIDGE * np.eye(x.shape[1])
    penalty[0, 0] = 1e-9  # the bias is free
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-x @ weights))
        gradient = x.T @ (counts * (y - p)) - penalty @ weights
        weights = weights + np.linalg.solve((x * (counts * p * (1 - p))[:, None]).T @ x + penalty, gradient)
    return weights


def write(weights: Matrix, pairs: Pairs) -> None:
    """Write the constants module."""
    lines = [
        '"""Coefficients of the judge: written by benchmarks/matching/train_judge.py, reviewed, not edited by hand."""',
        "",
        "from __future__ import annotations",
        "",
        f"# {len(pairs.plans)} candidate pairs of {len(set(pairs.plans))} development plans",
        f"BIAS = {weights[0]:.3f}",
        "WEIGHTS = {",
        *(f'    "{name}": {weight:.3f},' for name, weight in zip(TERMS, weights[1:], strict=True)),
        "}",
        "",
    ]
    TARGET.write_text("\n".join(lines), encoding="utf-8")


def main() -> None:
    """Fit on the folder given and write the module."""
    trial = load(Path(sys.argv[1]))
    pairs = collect([trial, *(with_left_out(trial, seed) for seed in range(1, DRAWS + 1))])
    write(fit(pairs), pairs)


if __name__ == "__main__":
    main()
