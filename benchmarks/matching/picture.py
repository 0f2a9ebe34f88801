"""The harness's picture: precision against recall for every scheme, and how well the stated probability holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from benchmarks.matching.data import Plan
from benchmarks.matching.measures import Score, reliability
from benchmarks.matching.outcome import Outcome

mpl.use("Agg")
_COLOURS = {"Tacit": "#0b6e4f", "plaintext": "#8a8a8a", "privacy-preserving": "#c44536", "keys alone": "#e0a030"}


def draw(
    path: Path,
    scored: Mapping[str, Mapping[str, Mapping[str, Score]]],
    outcomes: Mapping[str, Mapping[str, Outcome]],
    plans: Mapping[str, Sequence[Plan]],
) -> None:
    """Write a PNG with one row of two plots for each trial: held-out plans only."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(len(scored), 2, figsize=(11, 5 * len(scored)), squeeze=False)
    for row, trial in enumerate(scored):
        _quality(axes[row][0], trial, scored[trial], outcomes[trial], plans[trial])
        _calibration(axes[row][1], trial, outcomes[trial]["Tacit"], plans[trial])
    figure.tight_layout()
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def _quality(
    axis: Any,
    trial: str,
    scored: Mapping[str, Mapping[str, Score]],
    outcomes: Mapping[str, Outcome],
    plans: Sequence[Plan],
) -> None:
    _equal_f1(axis)
    recall, precision = _curve(outcomes["Tacit"], plans)
    axis.plot(recall, precision, color=_COLOURS["Tacit"], linewidth=1.5)
    # Numbers in the points and names in a legend: in the crowded corner names would cover each other.
    ordered = sorted(scored.items(), key=lambda item: -item[1]["held-out"].f1)
    for number, (scheme, parts) in enumerate(ordered, start=1):
        point, colour = parts["held-out"], _COLOURS[outcomes[scheme].family]
        axis.scatter(
            point.recall, point.precision, color=colour, s=110, zorder=3, label=f"{number}  {scheme} ({point.f1:.2f})"
        )
        axis.annotate(
            str(number), (point.recall, point.precision), fontsize=7, color="white", ha="center", va="center", zorder=4
        )
    axis.legend(loc="lower left", fontsize=7, title="F1 in brackets", title_fontsize=7)
    axis.set(xlabel="recall", ylabel="precision", xlim=(0.3, 1.0), ylim=(0.35, 1.02), title=f"{trial}, held-out")
    axis.title.set_fontsize(10)


def _equal_f1(axis: Any) -> None:
    recall = np.linspace(0.3, 1, 200)
    for f1 in (0.6, 0.7, 0.8, 0.9):
        precision = f1 * recall / (2 * recall - f1)
        seen = (precision > 0) & (precision <= 1)
        axis.plot(recall[seen], precision[seen], color="#dddddd", linewidth=0.8, zorder=0)
        axis.annotate(f"F1 {f1}", (recall[seen][0], precision[seen][0]), fontsize=6, color="#999999")


def _curve(outcome: Outcome, plans: Sequence[Plan]) -> tuple[list[float], list[float]]:
    ranked = sorted(((outcome.best.get(p.plan_id, (0.0, 0))[0], p.assessed) for p in plans), reverse=True)
    overlaps, right, recall, precision = sum(p.assessed for p in plans), 0, [], []
    for taken, (probability, truth) in enumerate(ranked, 1):
        right += truth
        if probability > 0 and (taken == len(ranked) or ranked[taken][0] != probability):
            recall.append(right / max(overlaps, 1))
            precision.append(right / taken)
    return recall, precision


def _calibration(axis: Any, trial: str, outcome: Outcome, plans: Sequence[Plan]) -> None:
    bins = reliability(outcome, plans)
    axis.plot([0, 1], [0, 1], color="#dddddd")
    axis.plot([b[3] for b in bins], [b[4] for b in bins], marker="o", color=_COLOURS["Tacit"])
    for _, _, count, stated, true in bins:
        axis.annotate(str(count), (stated, true), xytext=(4, -10), textcoords="offset points", fontsize=7)
    axis.set(xlabel="probability that Tacit states", ylabel="share that is true (plans beside it)", xlim=(0, 1.02),
             ylim=(0, 1.05), title=f"{trial}: calibration, held-out")  # fmt: skip
    axis.title.set_fontsize(10)
