"""`tacit answer-audit`: what an auditor asked to see, shown in plain words before anything leaves this machine."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from tacit_client.answering import Answerer, Disclosure
    from tacit_protocol.audit_ledger import OrderedAudit

_SHOWN = 15
_COLUMNS = ("Order", "Batch granted in entry", "Position", "Kind", "Value")


def answer_audit(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File or folder for the sealed answer to the auditor.")
    ] = Path(),
    auditor: Annotated[
        str | None,
        typer.Option("--auditor", help="The auditor's pseudonym, as the auditor itself told you; asked for once."),
    ] = None,
    listing: Annotated[
        Path | None, typer.Option("--list", help="Write all that is disclosed to this .xlsx or .csv, for yourself.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Only show what would be disclosed; send nothing.")] = False,
    again: Annotated[
        int | None, typer.Option("--again", help="Write the answer to this order once more, if the file was lost.")
    ] = None,
    home: Annotated[
        Path, typer.Option("--home", envvar="TACIT_HOME", help="Folder of this member's vault.", show_default=True)
    ] = Path("~/.tacit"),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before sending.")] = False,
) -> None:
    """Answer an auditor that wants to see some of what you asked for.

    The auditor chose batches, the log chose the positions. You open those to the auditor alone; the secretariat, the
    trustees and other members learn nothing. Who does not answer in time is reported by its pseudonym.
    """
    from tacit_client import cli

    with cli._explained():
        member = cli._open(home)
        answerer = member.query_audits()
        if again is not None:
            path = answerer.write_again(again, output)
            cli.console.print(f"Written again: [bold]{escape(str(path))}[/]")
            return
        board = member.board()
        dropped = answerer.purge(board, int(time.time()))
        if dropped:
            cli.console.print(f"[dim]{dropped} batches were removed from the vault: their audit period is over.[/]")
        waiting = answerer.waiting(board)
        if not waiting:
            cli.console.print("[green]✓[/] no auditor waits for an answer of yours")
        for ordered in waiting:
            disclosure = answerer.prepare(board, ordered)
            _tell(disclosure)
            if listing is not None:
                _write_list(disclosure, listing)
            if show or not _agreed(answerer, ordered, auditor, yes):
                cli.console.print("Nothing was sent.")
                continue
            path = answerer.answer(board, disclosure, output)
            cli.console.print(f"[green]✓[/] answered; give this file to the auditor: [bold]{escape(str(path))}[/]")


def _tell(disclosure: Disclosure) -> None:
    from tacit_client.answering import day
    from tacit_client.cli import console

    ordered = disclosure.ordered
    order, kinds = ordered.order, Counter(key.label for _, _, key in disclosure.opened)
    console.print(
        f"[bold]Order {ordered.entry}[/] of auditor [bold]{ordered.auditor}[/]: open {len(disclosure.opened):,} "
        f"elements of {len(order.grants)} batches in {order.epoch}/{order.stream}, by {day(ordered.due)}."
    )
    console.print(
        "The auditor will see the values below. Nobody else will: the answer is encrypted to the auditor's key. "
        f"The other {disclosure.elements:,} elements of these batches stay closed, also to the auditor. "
        "It does not see whether a value stands for a contribution or a plan, nor any result."
    )
    table = Table("kind", "how many", box=None, padding=(0, 2), header_style="dim")
    for label, count in kinds.most_common():
        table.add_row(escape(label), str(count))
    console.print(table)
    rows = [key for _, _, key in disclosure.opened if key.kind != "padding"]
    for key in rows[:_SHOWN]:
        console.print(f"  {escape(key.label)}: {escape(key.value)}", highlight=False)
    if len(rows) > _SHOWN:
        console.print(f"[dim]  ... and {len(rows) - _SHOWN:,} more: see them all with --list FILE.xlsx[/]")


def _agreed(answerer: Answerer, ordered: OrderedAudit, auditor: str | None, yes: bool) -> bool:
    """Make sure that the auditor is the right one, once; then that the member wants to answer, each time."""
    if not answerer.is_confirmed(ordered.auditor):
        if auditor is None and sys.stdin.isatty():
            auditor = (
                typer.prompt("Type the pseudonym that your auditor told you (not the secretariat)").strip().lower()
            )
        if auditor is not None and auditor == ordered.auditor:
            answerer.confirm(ordered.auditor)
        else:
            from tacit_protocol.errors import QueryAuditError

            raise QueryAuditError(
                f"{ordered.auditor} is not confirmed as your auditor: ask the auditor for its pseudonym by another way "
                "than the secretariat, and give it with --auditor",
                party="secretariat",
            )
    if yes:
        return True
    return sys.stdin.isatty() and typer.confirm("Disclose this to the auditor?", default=False)


def _write_list(disclosure: Disclosure, path: Path) -> None:
    from tacit_client.list_writer import write_results

    order = disclosure.ordered.entry
    rows = [
        dict(zip(_COLUMNS, (order, grant, position, key.label, key.value), strict=True))
        for grant, position, key in disclosure.opened
    ]
    write_results(path, rows, _COLUMNS, about={"For": f"auditor {disclosure.ordered.auditor}"}, overwrite=True)
