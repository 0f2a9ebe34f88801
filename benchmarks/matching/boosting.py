"""The strongest plaintext reference: gradient boosting on similarity features, trained on development plans only.

The labels say whether a plan is on some list, not which row it is. Training therefore goes in rounds: the row that
looks most like an overlapping plan is taken for the right one, a model is trained, and the model chooses again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.matching.blocking import Pairs
from benchmarks.matching.features import NAMES
from benchmarks.matching.outcome import Outcome, best_of, best_threshold
from benchmarks.matching.question import Question

_ROUNDS = 3
_FOLDS = 5
_SEED = 7
_AMBIGUOUS = 0.3
Floats = NDArray[np.float64]


def boosting(question: Question, tacit_pairs: Pairs) -> list[Outcome]:
    """Answer from the generously blocked pairs, and from the pairs alone that Tacit's keys propose.

    Development plans are answered by models that have not seen them (five folds), all others by one trained on all of
    development.
    """
    everything = sorted({*question.pairs, *tacit_pairs})
    similarities = question.similarities_of(everything)
    plans = np.array([plan for plan, _ in everything])
    proposed = set(tacit_pairs)
    scores = _scores(question, similarities, plans)
    outcomes = []
    for scheme, pairs in (
        ("gradient boosting", set(question.pairs)),
        ("gradient boosting on Tacit's candidates", proposed),
    ):
        chosen = [
            (question.plan_ids[p], float(s), i) for (p, i), s in zip(everything, scores, strict=True) if (p, i) in pairs
        ]
        best = best_of(chosen)
        threshold, _ = best_threshold(best, question.labels)
        note = f"{len(NAMES)} similarities, from {threshold:.2f}"
        outcomes.append(Outcome(scheme, "plaintext", threshold, best, question.counts(sorted(pairs)), note))
    return outcomes


def _scores(question: Question, similarities: NDArray[np.float32], plans: NDArray[np.int64]) -> Floats:
    labelled = {index: question.labels[plan] for index, plan in enumerate(question.plan_ids) if plan in question.labels}
    scores = _fit(similarities, plans, labelled).predict_proba(similarities)[:, 1].astype(np.float64)
    order = np.random.default_rng(_SEED).permutation(sorted(labelled))
    for fold in range(_FOLDS):
        left_out = {int(index) for index in order[fold::_FOLDS]}
        rest = {index: label for index, label in labelled.items() if index not in left_out}
        rows = np.isin(plans, sorted(left_out))
        if rows.any():
            scores[rows] = _fit(similarities, plans, rest).predict_proba(similarities[rows])[:, 1]
    return scores


def _fit(
    similarities: NDArray[np.float32], plans: NDArray[np.int64], labelled: Mapping[int, bool]
) -> HistGradientBoostingClassifier:
    rows = np.flatnonzero(np.isin(plans, sorted(labelled)))
    overlapping = np.array([labelled[int(plan)] for plan in plans[rows]])
    scores = _first_guess(similarities[rows])
    model = _model()
    for _ in range(_ROUNDS):
        right = overlapping & _is_best(scores, plans[rows])
        # A second row of an overlapping plan may be the same site under another number: neither right nor wrong.
        usable = right | ~overlapping | (scores < _AMBIGUOUS)
        model = _model().fit(similarities[rows][usable], right[usable])
        scores = model.predict_proba(similarities[rows])[:, 1]
    return model


def _model() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=200,
        learning_rate=0.06,
        max_leaf_nodes=15,
        min_samples_leaf=10,
        l2_regularization=1.0,
        random_state=_SEED,
    )


def _first_guess(similarities: NDArray[np.float32]) -> Floats:
    wanted = [NAMES.index(name) for name in ("name least covered", "address most covered", "city", "everything set")]
    scale = np.array([1.0, 1.0, 0.01, 0.01])
    return np.asarray(np.nan_to_num(similarities[:, wanted] * scale).sum(axis=1) / 4, dtype=np.float64)


def _is_best(scores: Floats, plans: Sequence[int] | NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return for each row whether it has the highest score of its plan; the first of equals."""
    order = np.lexsort((np.arange(len(scores)), -scores, np.asarray(plans)))
    ordered = np.asarray(plans)[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(order) else np.zeros(0, dtype=bool)
    best = np.zeros(len(scores), dtype=bool)
    best[order[first]] = True
    return best
