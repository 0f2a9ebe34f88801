"""What `tacit audit` prints."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tacit_client.audit.findings import FINDING, NOTE, UNCHECKED, Finding, Report
from tacit_client.audit.judging import Judgement
from tacit_client.list_writer import write_results

SHOWN_ROWS = 15
OPENING_COLUMNS = ("Batch granted in entry", "Position", "Kind of key", "Key", "Judged", "Because")
_MARKS = {FINDING: "[red]✗ finding[/]", UNCHECKED: "[yellow]? not checked[/]", NOTE: "[dim]· note[/]"}


def show_report(console: Console, report: Report) -> None:
    """Print counts, streams, findings and the verdict."""
    console.print(f"[bold]{escape(report.source)}[/]: {report.size:,} entries, head {report.head[:16]}")
    table = Table("check", "looked at", "failed", box=None, padding=(0, 2), header_style="dim")
    for check in report.checks.values():
        table.add_row(check.name, f"{check.checked:,}", f"[red]{check.failed}[/]" if check.failed else "0")
    console.print(table)
    if report.witnesses:
        ages = (
            f"trustee {w.trustee} {'has not' if w.age is None else f'{w.age // 60} minutes ago'}"
            for w in report.witnesses
        )
        console.print(f"Cosigned: {', '.join(ages)}")
    streams = Table("epoch", "stream", "public key", "members", "evaluations", "quota each", "uploads", "index")
    for s in report.streams:
        index = f"window {s.index_window}: {s.index_records:,}" if s.index_window else "none"
        key = s.public_key[:16] or "none"
        streams.add_row(
            s.epoch, s.stream, key, str(s.members_granted), f"{s.evaluations:,}", f"{s.quota:,}", str(s.uploads), index
        )
    if report.streams:
        console.print(streams)
    for finding in report.findings:
        console.print(line_of(finding), highlight=False)
    found, unchecked = len(report.of(FINDING)), len(report.of(UNCHECKED))
    if found:
        console.print(f"[bold red]{found} findings[/]")
    elif unchecked:
        console.print("[bold yellow]Nothing was found, but not everything could be checked.[/]")
    else:
        console.print("[bold green]✓ Everything was checked and is in order.[/]")


def line_of(finding: Finding) -> str:
    """Return a finding as one line, in rich's markup."""
    where = "" if finding.entry is None else f"entry {finding.entry}: "
    blame = f" [bold]({', '.join(escape(p) for p in finding.parties)})[/]" if finding.parties else ""
    return f"{_MARKS[finding.severity]} {escape(where + finding.text)}{blame}"


def show_judgement(console: Console, judgement: Judgement) -> None:
    """Print what an answer to a query audit comes to. Supplier names appear on the auditor's own screen only."""
    order = judgement.ordered.order
    console.print(
        f"[bold]Query audit of entry {judgement.ordered.entry}[/], member {order.member}: {len(judgement.openings)} "
        f"openings of {judgement.asked:,} elements, all of them as granted on the log"
    )
    kinds = Table("kind of key", "openings", box=None, padding=(0, 2), header_style="dim")
    for label, count in judgement.counts.most_common():
        kinds.add_row(escape(label), str(count))
    console.print(kinds)
    if judgement.repeated:
        console.print(f"[dim]{judgement.repeated} openings repeat an input of another one (canaries)[/]")
    for sign in judgement.signs:
        console.print(f"[yellow]! {sign.name}[/]: {escape(sign.text)}")
    doubtful = [o for o in judgement.openings if o.why]
    if doubtful:
        table = Table("batch", "position", "kind", "value", "not plausible because")
        for o in doubtful[:SHOWN_ROWS]:
            table.add_row(str(o.grant), str(o.position), escape(o.key.label), escape(o.key.value), escape(o.why))
        console.print(table)
        if len(doubtful) > SHOWN_ROWS:
            console.print(f"[dim]... and {len(doubtful) - SHOWN_ROWS:,} more: see all with --list FILE.xlsx[/]")
    console.print(
        f"{judgement.plausible} plausible, {judgement.implausible} not plausible, "
        f"{judgement.padding} declared padding: [bold]{judgement.outcome}[/]"
    )
    if not judgement.implausible:
        console.print(
            f"[dim]Were more than {judgement.unseen_share:.1%} of these elements not plausible, a sample of this size "
            "would have shown one with 95 % probability.[/]"
        )


def write_openings(judgement: Judgement, path: Path) -> None:
    """Write every opening and how it was judged, as .xlsx or .csv; the file names suppliers."""
    rows = []
    for o in judgement.openings:
        judged = "padding" if o.key.kind == "padding" else "not plausible" if o.why else "plausible"
        cells = (o.grant, o.position, o.key.label, o.key.value, judged, o.why)
        rows.append(dict(zip(OPENING_COLUMNS, cells, strict=True)))
    about = {
        "Member": judgement.ordered.order.member,
        "Order": f"entry {judgement.ordered.entry} of the log",
        "Outcome": judgement.outcome,
        "Confidential": "This file names suppliers. It is between the member and the auditor.",
        **{sign.name: sign.text for sign in judgement.signs},
    }
    write_results(path, rows, OPENING_COLUMNS, about=about, overwrite=True)
