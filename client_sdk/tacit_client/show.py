"""What the command line prints: previews, progress, reports. Supplier names appear on the member's own screen only."""

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

from tacit_client.progress import Progress

if TYPE_CHECKING:
    from tacit_client.checking import CheckReport
    from tacit_client.contribution import Contribution
    from tacit_client.lists import ListPreview
    from tacit_client.member import StreamStatus

SHOWN_ROWS = 15


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
    """Print what was understood of a list, and which rows have problems."""
    console.print(f"[bold]{escape(preview.file)}[/]: {escape(preview.understood)}")
    table = Table("field", "column of your list", box=None, padding=(0, 2), header_style="dim")
    for name, header in preview.mapping.items():
        table.add_row(name.replace("_", " "), escape(header))
    console.print(table)
    if preview.unrecognised:
        console.print(f"[dim]Not used: {escape(', '.join(preview.unrecognised))}[/]")
    console.print(f"{len(preview.rows):,} rows to use", end="")
    if preview.too_old:
        console.print(f", {len(preview.too_old):,} left out because they are older than three years", end="")
    if preview.duplicates:
        console.print(f", {len(preview.duplicates):,} repeat an earlier row", end="")
    console.print()
    show_problems(console, preview)


def show_problems(console: Console, preview: ListPreview[object]) -> None:
    """Print the rows with problems, the first of them one by one."""
    if not preview.problems:
        return
    table = Table("row", "column", "what is wrong", "what to do")
    for problem in preview.problems[:SHOWN_ROWS]:
        colour = "red" if problem.severity == "error" else "yellow"
        table.add_row(
            str(problem.row), escape(problem.column), f"[{colour}]{escape(problem.why)}[/]", escape(problem.what_to_do)
        )
    console.print(table)
    more = len(preview.problems) - SHOWN_ROWS
    if more > 0:
        console.print(f"[dim]... and {more:,} more[/]")


def show_contribution(console: Console, result: Contribution, poor_rows: Sequence[int]) -> None:
    """Print what a contribution came to."""
    if result.already_there:
        console.print(
            f"[green]✓[/] this list is already in window {result.window} of {result.epoch}/{result.stream}: "
            "nothing was sent again"
        )
    else:
        console.print(
            f"[green]✓[/] {result.records:,} sites contributed to {result.epoch}/{result.stream}, "
            f"window {result.window}; they can be found once the secretariat has closed the window"
        )
    if poor_rows:
        rows = ", ".join(str(row) for row in poor_rows[:SHOWN_ROWS])
        console.print(
            f"[yellow]![/] {len(poor_rows):,} rows have too little on them to be found by anybody and were left out "
            f"(rows {rows}{', ...' if len(poor_rows) > SHOWN_ROWS else ''}): add a city, postcode or identifier"
        )


def show_report(console: Console, report: CheckReport, output: Path) -> None:
    """Print the counts and the first matches of a check."""
    counts = Counter(row.status for row in report.rows)
    table = Table("planned", "status", "assessed in", "scheme", "report held at", "sure")
    matched = [row for row in report.rows if row.status != "not found"]
    for row in matched[:SHOWN_ROWS]:
        scheme = " ".join(part for part in (row.scheme, row.scheme_version) if part)
        colour = "green" if row.status == "assessed" else "yellow"
        table.add_row(
            escape(row.plan_id),
            f"[{colour}]{row.status}[/]",
            row.assessed_in,
            escape(scheme),
            escape(row.held_at),
            f"{row.probability:.0%}",
        )
    if matched:
        console.print(table)
        if len(matched) > SHOWN_ROWS:
            console.print(f"[dim]... and {len(matched) - SHOWN_ROWS:,} more in {escape(output.name)}[/]")
    console.print(
        f"[bold]{counts['assessed']:,} of {len(report.rows):,} planned audits were already done[/] by another member, "
        f"{counts['possible']:,} are possible (please look), {counts['not found']:,} not found. "
        f"Index: window {report.window} of {report.epoch}/{report.stream}, {report.index_records:,} records."
    )
    console.print(f"Written to [bold]{escape(str(output))}[/]")


def show_status(console: Console, pseudonym: str, streams: Sequence[StreamStatus]) -> None:
    """Print how every open stream stands for this member."""
    console.print(f"Member [bold]{pseudonym}[/]")
    table = Table("epoch", "stream", "key", "window", "contributed", "index", "quota used", "closes")
    for stream in streams:
        table.add_row(
            stream.epoch,
            stream.stream,
            "ready" if stream.ready else "being made",
            str(stream.window),
            f"window {stream.contributed_window}" if stream.contributed_window else "not yet",
            f"window {stream.index_window}, {stream.index_records:,} records" if stream.index_window else "none yet",
            f"{stream.used:,} of {stream.quota:,}",
            stream.closes.isoformat(),
        )
    console.print(table if streams else "No epoch is open.")
