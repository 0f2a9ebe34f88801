"""Fit the judge's coefficients on the development plans of a labelled folder and write them as reviewed constants.

    python -m benchmarks.matching.train_judge FOLDER

Only plans that :mod:`benchmarks.matching.split` calls development are used. The labels say whether a plan has an overlap,
not with which row, so the fit alternates: the best candidate of every true plan counts as the match, then the weights
are fitted anew (multiple-instance logistic regression, ridge penalty 1).
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.matching.split import part_of
from tacit_matcher.judge import FEATURES, features_of
from tacit_matcher.keys import match_keys
from tacit_matcher.records import Site
from tacit_matcher.sketch import make_sketch

TARGET = Path(__file__).resolve().parents[2] / "matcher" / "tacit_matcher" / "judge_model.py"
ROUNDS, STEPS, RIDGE = 6, 40, 1.0
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """Candidate pairs: features, the plan of each, and which plans truly overlap."""

    features: Matrix
    plans: list[str]
    truth: dict[str, bool]


def collect(folder: Path) -> Pairs:
    """Return every development plan's candidates, found by equal keys as the protocol would find them."""
    records = dict.fromkeys(_site(row) for path in sorted((folder / "members").glob("*.csv")) for row in _rows(path))
    by_key = defaultdict(list)
    for record in records:
        for key in match_keys(_of(record)):
            by_key[key].append(record)
    truth = {row["Plan ID"]: row["assessed"] == "1" for row in _rows(folder / "truth.csv")}
    features, plans = [], []
    sketch_key = bytes(range(32))
    for row in _rows(folder / "planned.csv"):
        plan = row["Plan ID"]
        if part_of(plan) != "development":
            continue
        agreed = defaultdict(list)
        for key in match_keys(_of(_site(row))):
            for record in by_key[key]:
                agreed[record].append(key.key_type)
        for record, types in agreed.items():
            found = features_of(sketch_key, make_sketch(sketch_key, _of(record)), _of(_site(row)), types)
            features.append([1.0, *(found[name] for name in FEATURES)])
            plans.append(plan)
    return Pairs(np.array(features), plans, truth)


def fit(pairs: Pairs) -> Matrix:
    """Return bias and weights."""
    negative = np.array([not pairs.truth[plan] for plan in pairs.plans])
    score = pairs.features[:, 1:].sum(axis=1)
    weights = np.zeros(pairs.features.shape[1])
    for _ in range(ROUNDS):
        best: dict[str, int] = {}
        for i, plan in enumerate(pairs.plans):
            if pairs.truth[plan] and (plan not in best or score[i] > score[best[plan]]):
                best[plan] = i
        positive = np.zeros(len(pairs.plans), dtype=bool)
        positive[list(best.values())] = True
        used = positive | negative
        weights = _logistic(pairs.features[used], positive[used].astype(float))
        score = pairs.features @ weights
    return weights


def _logistic(x: Matrix, y: Matrix) -> Matrix:
    weights, penalty = np.zeros(x.shape[1]), RIDGE * np.eye(x.shape[1])
    penalty[0, 0] = 1e-9  # the bias is free
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-x @ weights))
        gradient = x.T @ (y - p) - penalty @ weights
        weights = weights + np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + penalty, gradient)
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
        *(f'    "{name}": {weight:.3f},' for name, weight in zip(FEATURES, weights[1:], strict=True)),
        "}",
        "",
    ]
    TARGET.write_text("\n".join(lines), encoding="utf-8")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def _site(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in ("Supplier name", "Address", "City", "Postcode", "Country"))


def _of(fields: tuple[str, ...]) -> Site:
    return Site(*fields)


def main() -> None:
    """Fit on the folder given and write the module."""
    pairs = collect(Path(sys.argv[1]))
    write(fit(pairs), pairs)


if __name__ == "__main__":
    main()
