"""The harness's tables, once as data: printed to the terminal and written as markdown from the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.matching.classes import ClassCount
from benchmarks.matching.measures import LISTED, Score
from benchmarks.matching.outcome import Outcome
from benchmarks.matching.poorer import CHANGES


@dataclass(frozen=True)
class Table:
    """A title, headers, rows of text, and a note below."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def show(self, console: Console) -> None:
        """Print the table."""
        shown = RichTable(*self.headers, title=self.title, caption=self.note or None)
        for column in shown.columns[1:]:
            column.justify = "right"
        for row in self.rows:
            shown.add_row(*row)
        console.print(shown)

    def markdown(self) -> str:
        """Return the table as markdown."""
        lines = [f"### {self.title}", "", "| " + " | ".join(self.headers) + " |"]
        lines.append("|---|" + "---:|" * (len(self.headers) - 1))
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join([*lines, "", *([self.note, ""] if self.note else [])])


def schemes(title: str, scored: Mapping[str, Mapping[str, Score]], outcomes: Mapping[str, Outcome]) -> Table:
    """Return precision, recall and F1 of each scheme, development and held-out side by side."""
    headers = ("scheme", "kind", "dev P", "R", "F1", "held-out P", "R", "F1", "reach", "looked at", "exposure")
    rows = []
    for scheme, parts in scored.items():
        dev, held, both = parts["development"], parts["held-out"], parts["all"]
        figures = [f"{value:.3f}" for part in (dev, held) for value in (part.precision, part.recall, part.f1)]
        rows.append(
            (
                scheme,
                outcomes[scheme].family,
                *figures,
                f"{both.reach:.3f}",
                _count(both.per_plan),
                f"{both.exposure:.1f}",
            )
        )
    note = (
        "reach: overlaps with any candidate; looked at: listed sites compared for each plan (Tacit: records opened); "
        f"exposure: wrong among 1,000 plans on no list, against {LISTED:,} listed sites. Thresholds of the references "
        "are tuned on development; Tacit's is the one shipped."
    )
    return Table(title, headers, rows, note)


def parts(title: str, scored: Mapping[str, Mapping[str, Score]]) -> Table:
    """Return Tacit's counts on each part."""
    rows = [
        (
            part,
            *map(str, (s.plans, s.overlaps, s.found, s.overlaps - s.found, s.wrong)),
            *(f"{value:.3f}" for value in (s.precision, s.recall, s.f1, s.reach)),
            f"{s.per_plan:.2f}",
        )
        for part, s in scored["Tacit"].items()
    ]
    headers = ("Tacit", "plans", "overlaps", "found", "missed", "wrong", "P", "R", "F1", "reach", "candidates per plan")
    return Table(title, headers, rows)


def groups(title: str, counts: Mapping[str, Mapping[str, ClassCount]], note: str = "") -> Table:
    """Return found of overlaps and wrong of others, per group and scheme."""
    names = list(counts)
    headers = [
        "",
        "overlaps",
        *(f"found by {name}" for name in names),
        "others",
        *(f"wrong by {name}" for name in names),
    ]
    rows = []
    for group in counts[names[0]]:
        cells = [counts[name][group] for name in names]
        rows.append(
            [
                group,
                str(cells[0].overlaps),
                *(str(c.found) for c in cells),
                str(cells[0].others),
                *(str(c.wrong) for c in cells),
            ]
        )
    return Table(title, headers, rows, note)


def calibration(title: str, bins: Mapping[str, Sequence[tuple[float, float, int, float, float]]]) -> Table:
    """Return stated and true shares for each bin of probability."""
    rows = [
        (part, f"{low:.2f} to {high:.2f}", str(count), f"{stated:.2f}", f"{true:.2f}")
        for part, lines in bins.items()
        for low, high, count, stated, true in lines
    ]
    return Table(title, ("part", "stated probability", "plans", "mean stated", "share that is true"), rows)


def poorer(title: str, found: Mapping[str, tuple[int, int]]) -> Table:
    """Return what each kind of poor row costs."""
    rows = [
        (name, str(found[name][0]), str(found[name][1]), f"{1 - found[name][0] / max(1, found[name][1]):.0%}")
        for name in CHANGES
    ]
    return Table(
        title, ("the planned row has", "found", "of", "matches lost"), rows, "Overlaps that are found as they are."
    )


def _count(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"
