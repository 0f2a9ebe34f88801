"""What the demonstration shows at its end: a readable table, and the same figures as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.demo.round import Phase, Round
from benchmarks.demo.search import Patterns, find_hits
from benchmarks.demo.truth import Comparison


def size(count: float) -> str:
    """Return bytes for people."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.2f} GB"


def show_phases(console: Console, phases: dict[str, Phase]) -> None:
    """Print seconds and bytes of each phase."""
    table = Table("phase", "seconds", "members sent", "members received", title="What each phase cost")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, phase in phases.items():
        table.add_row(name, f"{phase.seconds:.1f}", size(sum(phase.sent.values())), size(sum(phase.received.values())))
    table.add_section()
    table.add_row("all", f"{sum(phase.seconds for phase in phases.values()):.1f}", "", "")
    console.print(table)


def show_comparison(console: Console, comparison: Comparison) -> None:
    """Print the line that compares with the truth."""
    console.print(
        f"Compared with the truth: "
        f"[bold]{comparison.found} found, {comparison.missed} missed, {comparison.wrong} wrong[/]"
        f" of {comparison.overlaps} overlaps among {comparison.plans} planned audits "
        f"(precision {comparison.precision:.3f}, recall {comparison.recall:.3f}; "
        f"'possible, please look': {comparison.possible_right} right, {comparison.possible_wrong} wrong)"
    )


def words_of_servers(round_: Round, patterns: Patterns) -> dict[str, set[bytes]]:
    """Return what the search finds at each party before any member has read a list.

    A supplier may be called "Nature", and a database has a column "signature". What stood there before any list was
    read cannot have come from one.
    """
    return {server.name: find_hits(server.home, patterns)[0] for server in round_.parties.servers()}


def holdings(round_: Round, patterns: Patterns, own_words: dict[str, set[bytes]]) -> list[dict[str, object]]:
    """Search every party's files; the same search over one member's own list shows that it can find something."""
    what = {
        "secretariat": "members' pseudonyms, the board, sealed uploads, the published index",
        "trustee": "one key share, blinded batches by digest, who evaluated how many",
        "shuffler": "one key share, and sealed uploads it cannot open",
    }
    rows: list[dict[str, object]] = []
    for server in round_.parties.servers():
        role = "secretariat" if server.name == "secretariat" else "trustee"
        is_shuffler = (
            role == "trustee" and (server.home / "uploads").exists() and any((server.home / "uploads").iterdir())
        )
        hits, searched = find_hits(server.home, patterns)
        note = what["shuffler" if is_shuffler else role]
        found = len(hits - own_words[server.name])
        rows.append({"party": server.name, "holds": note, "bytes": searched, "identifiers_found": found})
    return rows


def show_holdings(
    console: Console, rows: list[dict[str, object]], patterns: Patterns, control: int, own_words: dict[str, set[bytes]]
) -> None:
    """Print what each party held at the end."""
    table = Table("party", "what it held", "searched", "identifiers found", title="What each party held at the end")
    for row in rows:
        found = row["identifiers_found"]
        colour = "green" if found == 0 else "red"
        searched = row["bytes"]
        assert isinstance(searched, int)
        table.add_row(str(row["party"]), str(row["holds"]), size(searched), f"[{colour}]{found}[/]")
    console.print(table)
    console.print(
        f"[dim]{len(patterns.identifiers):,} names, addresses and identifiers were looked for, as written, in lower "
        f"case, in UTF-16 and as SHA-256; {patterns.left_out} shorter than 6 bytes left out. "
        f"The same search over one member's own list finds {control:,}.[/]"
    )
    words = set().union(*own_words.values())
    if words:
        console.print(
            f"[dim]{len(words)} of them are words of the servers' own files (such as a column's name) that stood there "
            "before any list was read, and are not counted.[/]"
        )


def write_summary(path: Path, facts: dict[str, object]) -> None:
    """Write the figures as JSON."""
    path.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
