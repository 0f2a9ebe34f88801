"""`tacit audit query-audit`: order audits of what members asked for, and judge the answers."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

if TYPE_CHECKING:
    from tacit_client.audit.judging import Judgement
    from tacit_client.audit.running import Inquiry
    from tacit_protocol.audit_ledger import OrderedAudit
    from tacit_protocol.board import Board
    from tacit_protocol.errors import QueryAuditError

DEFAULT_HOME = Path("~/.tacit-audit")
query_app = typer.Typer(no_args_is_help=True, help="Order query audits and judge the answers.")

HomeOption = Annotated[
    Path, typer.Option("--home", envvar="TACIT_AUDIT_HOME", help="The auditor's folder.", show_default=True)
]
UrlOption = Annotated[str | None, typer.Option("--secretariat", help="The secretariat's address.", metavar="URL")]
OrderArgument = Annotated[int, typer.Argument(min=0, help="The entry of the order on the log.")]
PostOption = Annotated[bool, typer.Option("--post", help="Sign the result and put it on the log, for good.")]


@query_app.command()
def order(
    grants: Annotated[list[int] | None, typer.Argument(help="Entries of grants; none: draw by lot.")] = None,
    lots: Annotated[int, typer.Option("--lots", min=1, help="How many batches to draw by lot.")] = 8,
    member: Annotated[str | None, typer.Option("--member", help="Draw among this member's batches only.")] = None,
    epoch: Annotated[str | None, typer.Option("--epoch", help="Draw in this epoch only.")] = None,
    stream: Annotated[str | None, typer.Option("--stream", help="Draw in this stream only.")] = None,
    positions: Annotated[int, typer.Option("--positions", min=1, max=256, help="Elements to open in each batch.")] = 64,
    home: HomeOption = DEFAULT_HOME,
    secretariat: UrlOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before ordering.")] = False,
) -> None:
    """Order query audits: of the grants named, or of some drawn by lot among all that were not audited yet."""
    from tacit_client.audit.ordering import candidates, draw_lots, make_orders
    from tacit_client.audit.running import Inquiry, console, exit_codes
    from tacit_protocol.errors import QueryAuditError

    with exit_codes():
        inquiry = Inquiry.begin(home, secretariat, None, None)
        board = inquiry.follow()
        chosen = grants or draw_lots(candidates(board, member, epoch, stream), lots, secrets.token_bytes)
        if not chosen:
            raise QueryAuditError("there is no batch left to audit here")
        for made in make_orders(board, chosen, positions, secrets.token_bytes):
            batches = ", ".join(map(str, made.grants))
            console.print(f"member [bold]{made.member}[/], batches granted in entries {batches}: {positions} of each")
            if yes or typer.confirm("Order this?", default=True):
                entry = inquiry.post(made)
                console.print(f"[green]✓[/] ordered in entry [bold]{entry}[/]")


@query_app.command()
def judge(
    order: OrderArgument,
    answer: Annotated[Path, typer.Argument(help="The sealed file that the member handed over.")],
    worksheet: Annotated[
        Path | None, typer.Option("--worksheet", help="Write the questions to the member here (.xlsx).")
    ] = None,
    filled: Annotated[Path | None, typer.Option("--filled", help="The worksheet that the member filled in.")] = None,
    listing: Annotated[
        Path | None, typer.Option("--list", help="Write every opening and how it was judged here (.xlsx or .csv).")
    ] = None,
    tolerance: Annotated[
        float, typer.Option("--tolerance", min=0.0, max=1.0, help="Share of keys that may stay unexplained.")
    ] = 0.05,
    post: PostOption = False,
    home: HomeOption = DEFAULT_HOME,
    secretariat: UrlOption = None,
) -> None:
    """Open an answer, verify it against the log and judge what was asked for.

    Ask first (--worksheet), judge what comes back (--filled), then put the result on the log (--post).
    """
    from tacit_client.audit import worksheet as sheet
    from tacit_client.audit.findings import EXIT_FINDING
    from tacit_client.audit.judging import judge as judge_answer
    from tacit_client.audit.running import Inquiry, console, exit_codes
    from tacit_client.audit.show import show_judgement, write_openings
    from tacit_protocol.errors import QueryAuditError
    from tacit_protocol.group import load_backend

    with exit_codes():
        inquiry = Inquiry.begin(home, secretariat, None, None)
        board = inquiry.follow()
        ordered = _ordered(inquiry, board, order)
        explained = sheet.read(filled) if filled is not None else None
        assert inquiry.home is not None  # noqa: S101 (no folder is taken here)
        private, sealed = inquiry.home.agreement_key, answer.read_bytes()
        try:
            judgement = judge_answer(
                load_backend(), board.audits, ordered, private, sealed, explained=explained, tolerance=tolerance
            )
        except QueryAuditError as error:
            _false(inquiry, ordered, board, error, post)
            raise
        show_judgement(console, judgement)
        if listing is not None:
            write_openings(judgement, listing)
        if worksheet is not None:
            sheet.write(worksheet, judgement.questions(), ordered.order.member, order)
            console.print(f"Questions to the member: [bold]{escape(str(worksheet))}[/]")
        _conclude(inquiry, judgement, post)
        if judgement.outcome != "plausible":
            raise typer.Exit(EXIT_FINDING)


@query_app.command()
def refused(order: OrderArgument, home: HomeOption = DEFAULT_HOME, secretariat: UrlOption = None) -> None:
    """Put on the log that a member gave no usable answer in time."""
    from tacit_client.audit.running import Inquiry, console, exit_codes
    from tacit_protocol.messages import QueryAuditResult

    with exit_codes():
        inquiry = Inquiry.begin(home, secretariat, None, None)
        ordered = _ordered(inquiry, inquiry.follow(), order)
        entry = inquiry.post(QueryAuditResult(order, "refused", 0, 0, 0))
        console.print(f"Member [bold]{ordered.order.member}[/] is reported in entry {entry}.")


@query_app.command(name="list")
def list_orders(home: HomeOption = DEFAULT_HOME, secretariat: UrlOption = None) -> None:
    """List the query audits and where they stand."""
    from rich.table import Table

    from tacit_client.audit.explain import when
    from tacit_client.audit.running import Inquiry, console, exit_codes

    with exit_codes():
        audits = Inquiry.begin(home, secretariat, None, None).follow().audits
        table = Table("order", "member", "batches", "positions", "due", "answer", "result")
        for entry, ordered in audits.orders.items():
            result = audits.results.get(entry)
            table.add_row(
                str(entry),
                ordered.order.member,
                ", ".join(map(str, ordered.order.grants)),
                str(ordered.order.positions),
                when(ordered.due),
                "signed" if entry in audits.answers else "none",
                result.outcome if result else "open",
            )
        console.print(table)


def _ordered(inquiry: Inquiry, board: Board, entry: int) -> OrderedAudit:
    from tacit_protocol.errors import QueryAuditError

    ordered = board.audits.orders.get(entry)
    if ordered is None or inquiry.home is None or ordered.auditor != inquiry.home.pseudonym:
        raise QueryAuditError(
            f"entry {entry} of the log is no order of this auditor: see 'tacit audit query-audit list'"
        )
    return ordered


def _conclude(inquiry: Inquiry, judgement: Judgement, post: bool) -> None:
    from tacit_client.audit.running import console

    if post:
        console.print(f"[green]✓[/] the result is on the log, entry [bold]{inquiry.post(judgement.result())}[/]")
    else:
        console.print("[dim]Nothing is on the log yet: add --post when this is the final judgement.[/]")


def _false(inquiry: Inquiry, ordered: OrderedAudit, board: Board, error: QueryAuditError, post: bool) -> None:
    """Put a false answer on the log; a file that is not the one that was signed proves nothing and is not put there."""
    from tacit_protocol.messages import QueryAuditResult

    if post and error.evidence:
        inquiry.post(QueryAuditResult(ordered.entry, "false", 0, 0, 0))
