"""What `tacit` shows on a terminal: previews, problems, results. Names appear on the member's own screen only."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from tacit_client.errors import printable
from tacit_client.progress import Progress

if TYPE_CHECKING:
    from tacit_client.checking import CheckReport, ReportRow
    from tacit_client.contribution import Contribution
    from tacit_client.lists import ListPreview
    from tacit_client.member import StreamStatus

SHOWN_ROWS = 15
EXAMPLE_CHARACTERS = 36


@contextmanager
def progress_bars(console: Console) -> Iterator[Progress]:
    """Show one bar for each stage that reports; nothing where the output is no terminal."""
    columns = (TextColumn("{task.description:<20}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console, transient=True, disable=not sys.stdout.isatty()) as bars:
        tasks: dict[str, int] = {}

        def progress(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)  # type: ignore[arg-type]

        yield progress


def show_preview(console: Console, preview: ListPreview[object]) -> None:
    """Print what was understood of a list, with the first row as an example, and which rows have problems."""
    console.print(f"[bold]{_shown(preview.file)}[/]: {_shown(preview.understood)}", highlight=False)
    table = Table("field", "column of your list", box=None, padding=(0, 2, 0, 0), header_style="dim")
    first = preview.rows[0] if preview.rows else None
    if first is not None:
        table.add_column(f"row {first[0]}, as an example", style="dim")
    for name, header in preview.mapping.items():
        example = [_shown(_example(first[1], name))] if first is not None else []
        table.add_row(name.replace("_", " "), _shown(header), *example)
    console.print(table)
    if preview.unrecognised:
        console.print(f"[dim]Not used: {_shown(', '.join(preview.unrecognised))}[/]", highlight=False)
    facts = [f"[bold]{_count(len(preview.rows), 'row')}[/] to use"]
    if preview.too_old:
        facts.append(f"{len(preview.too_old):,} left out because older than three years")
    if preview.duplicates:
        facts.append(f"{len(preview.duplicates):,} left out because they repeat an earlier row")
    console.print(", ".join(facts), highlight=False)
    show_problems(console, preview)


def show_problems(console: Console, preview: ListPreview[object]) -> None:
    """Print the rows with problems, the first of them one by one; errors come before warnings."""
    if not preview.problems:
        return
    ordered = sorted(preview.problems, key=lambda problem: problem.severity)  # "error" < "warning"
    table = Table("row", "column", "what is wrong", "what to do")
    for problem in ordered[:SHOWN_ROWS]:
        colour = "red" if problem.severity == "error" else "yellow"
        table.add_row(
            str(problem.row), _shown(problem.column), f"[{colour}]{_shown(problem.why)}[/]", _shown(problem.what_to_do)
        )
    console.print(table)
    if len(ordered) > SHOWN_ROWS:
        console.print(f"[dim]... and {len(ordered) - SHOWN_ROWS:,} more[/]", highlight=False)
    errors = sum(problem.severity == "error" for problem in ordered)
    warnings = len(ordered) - errors
    console.print(f"{_count(errors, 'error')}, {_count(warnings, 'warning')}", highlight=False)


def show_contribution(console: Console, result: Contribution, poor_rows: Sequence[int]) -> None:
    """Print what a contribution came to."""
    if result.already_there:
        console.print(
            f"[green]✓[/] this list is already in window {result.window} of {result.epoch}/{result.stream}: "
            "nothing was sent again",
            highlight=False,
        )
    else:
        console.print(
            f"[green]✓[/] {_count(result.records, 'site')} contributed to {result.epoch}/{result.stream}, "
            f"window {result.window}; others can find them once the secretariat has closed the window",
            highlight=False,
        )
    _show_poor(console, poor_rows, "was left out", "were left out")


def show_report(console: Console, report: CheckReport, output: Path, poor_rows: Sequence[int] = ()) -> None:
    """Print the counts and the first matches of a check."""
    counts = Counter(row.status for row in report.rows)
    matched = sorted((row for row in report.rows if row.status != "not found"), key=lambda row: row.status)
    if matched:
        console.print(_matches(matched[:SHOWN_ROWS]))
        if len(matched) > SHOWN_ROWS:
            console.print(f"[dim]... and {len(matched) - SHOWN_ROWS:,} more in {_shown(output.name)}[/]")
    for status, meaning in (
        ("assessed", "fits your rules: ask the supplier for that report"),
        ("possible", "please look: the same site, or only the same company"),
        ("not found", "nobody contributed it, or it is written too differently"),
    ):
        console.print(f"[bold]{counts[status]:>7,}[/] {status:<10} [dim]{meaning}[/]", highlight=False)
    console.print(
        f"of {_count(len(report.rows), 'planned audit')}, against window {report.window} of "
        f"{report.epoch}/{report.stream} with {_count(report.index_records, 'record')}",
        highlight=False,
    )
    _show_poor(console, poor_rows, "cannot be found", "cannot be found")
    console.print(f"[green]✓[/] written to [bold]{_shown(str(output))}[/]", highlight=False)


def show_status(console: Console, pseudonym: str, streams: Sequence[StreamStatus]) -> None:
    """Print how every stream of every epoch stands for this member."""
    console.print(f"Member [bold]{pseudonym}[/]", highlight=False)
    if not streams:
        console.print("The secretariat has opened no epoch yet.")
        return
    table = Table()
    for heading in ("stream, epoch", "yours", "published", "quota used"):
        table.add_column(heading, no_wrap=True)
    for stream in streams:
        yours = f"in window {stream.contributed_window}" if stream.contributed_window else "not yet"
        index = f"window {stream.index_window}\n{_count(stream.index_records, 'record')}" if stream.index_window else ""
        table.add_row(
            f"{stream.stream}\n[dim]{stream.epoch}, to {stream.closes.isoformat()}[/]",
            f"{yours}\n[dim]open: window {stream.window}[/]" if stream.ready else "[dim]key being made[/]",
            index or "nothing yet",
            f"{stream.used:,}\n[dim]of {stream.quota:,}[/]",
        )
    console.print(table)


def _matches(rows: Sequence[ReportRow]) -> Table:
    table = Table(expand=True)
    table.add_column("planned", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("found", max_width=34)
    table.add_column("report", max_width=24)
    for row in rows:
        scheme = " ".join(part for part in (row.scheme, row.scheme_version) if part)
        colour = "green" if row.status == "assessed" else "yellow"
        scope = "" if row.scope == "site" else " (company)"
        best = row.matched_by.split("; ")[0]
        table.add_row(
            f"{_shown(row.plan_id)}\n[dim]{_shown(row.plan.site.name)}[/]",
            f"[{colour}]{row.status}[/] {row.assessed_in}{scope}\n[dim]{_shown(best)}, {_sure(row.probability)}[/]",
            f"{_shown(scheme)}\n[dim]{_shown(row.held_at)}[/]",
        )
    return table


def _sure(probability: float) -> str:
    # A rounded "100 %" would promise what no comparison of names can.
    return "over 99 % sure" if probability > 0.99 else f"{100 * probability:.0f} % sure"


def _show_poor(console: Console, rows: Sequence[int], one: str, many: str) -> None:
    if not rows:
        return
    numbers = ", ".join(str(row) for row in rows[:SHOWN_ROWS]) + (", ..." if len(rows) > SHOWN_ROWS else "")
    console.print(
        f"[yellow]![/] {_count(len(rows), 'row')} {one if len(rows) == 1 else many}, having too little to be found by "
        f"(row{'s' if len(rows) > 1 else ''} {numbers}): add country and city, or an identifier",
        highlight=False,
    )


def _example(record: object, name: str) -> str:
    """Return what stands in a field of a record, shortened."""
    site = getattr(record, "site", None)
    if name in getattr(site, "identifiers", {}):
        value: object = site.identifiers[name]  # type: ignore[union-attr]
    else:
        value = getattr(record, name, getattr(site, name, ""))
    text = "" if value is None else str(value)
    return text if len(text) <= EXAMPLE_CHARACTERS else text[: EXAMPLE_CHARACTERS - 1] + "…"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _shown(text: str) -> str:
    """Return foreign text so that neither markup nor escape sequences in it have an effect."""
    return escape(printable(text))
