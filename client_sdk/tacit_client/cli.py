"""`tacit`: the member's command line. Each command previews what it understood before anything is sent."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from tacit_client.answering_cli import answer_audit
from tacit_client.audit.cli import app as audit_app
from tacit_client.statement_cli import statement
from tacit_protocol.errors import TacitError

if TYPE_CHECKING:
    from tacit_client.checking import CheckReport
    from tacit_client.member import Member

FAILED, MISUSED, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="tacit",
    help="Find out which of your planned supplier audits another member has already done, without showing your lists.",
    epilog="First: init, enrol. Then, for every window: contribute and check.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)
console = Console()
problems = Console(stderr=True)

HomeOption = Annotated[
    Path, typer.Option("--home", envvar="TACIT_HOME", help="Folder of this member's vault.", show_default=True)
]
StreamOption = Annotated[str, typer.Option("--stream", help="Recognition list: social-audit, ecovadis, ...")]
EpochOption = Annotated[str | None, typer.Option("--epoch", help="Epoch; by default the one that is open.")]
ColumnsOption = Annotated[
    str | None,
    typer.Option("--columns", help='Which header is which field, such as "name=Lieferant,city=Ort".'),
]
SheetOption = Annotated[str | None, typer.Option("--sheet", help="Sheet of the workbook, where several hold a list.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before sending.")]
BackEndOption = Annotated[str, typer.Option("--back-end", help="Group operations: auto, native or libsodium.")]
DEFAULT_HOME = Path("~/.tacit")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        console.print(f"tacit {version('tacit')}", highlight=False)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Take the options that hold for all commands."""


@app.command()
def init(
    home: HomeOption = DEFAULT_HOME,
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Lock the vault with a passphrase instead of a key file.")
    ] = False,
) -> None:
    """Make a vault with fresh keys on this machine.

    With --passphrase, the passphrase is asked for, or taken from TACIT_PASSPHRASE.
    """
    from tacit_client.member import Member

    with _explained():
        secret = _new_passphrase() if passphrase else None
        member = Member.create(home, secret)
        console.print(f"[green]✓[/] vault made in {escape(str(member.home))}", highlight=False)
        console.print(f"Your pseudonym on the board will be [bold]{member.pseudonym}[/].", highlight=False)
        console.print("[dim]Back this folder up: with it goes what you contributed and the quota you spent.[/]")
        console.print("Next: [bold]tacit enrol invitation.json[/] with the file the secretariat gave you.")


@app.command()
def enrol(
    invitation: Annotated[Path, typer.Argument(help="The invitation file from the secretariat.", show_default=False)],
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Join the round with the secretariat's invitation."""
    with _explained():
        member = _open(home)
        member.enrol(invitation)
        console.print(f"[green]✓[/] enrolled as [bold]{member.pseudonym}[/]", highlight=False)
        # Whoever writes the invitation could name machines of its own, and would then hold the key.
        console.print("Compare the trustees' keys with what each trustee itself tells you:")
        for index, name in member.pinned_trustees.items():
            console.print(f"  trustee {index}: [bold]{name}[/]", highlight=False)
        console.print("Next: [bold]tacit contribute audited.xlsx[/], then [bold]tacit check planned.xlsx[/].")


@app.command()
def contribute(
    audited: Annotated[
        Path, typer.Argument(help="Your list of audited sites: CSV or XLSX, up to 100,000 rows.", show_default=False)
    ],
    home: HomeOption = DEFAULT_HOME,
    stream: StreamOption = "social-audit",
    epoch: EpochOption = None,
    columns: ColumnsOption = None,
    sheet: SheetOption = None,
    yes: YesOption = False,
    back_end: BackEndOption = "auto",
) -> None:
    """Contribute your audited sites: blinded, sealed, and never in the clear outside this machine.

    A second contribution in an epoch replaces the first. Only assessments of the last three years go in.
    """
    from tacit_client.lists import parse_columns, read_audited
    from tacit_client.show import progress_bars, show_contribution, show_preview

    with _explained():
        member = _open(home, back_end)
        preview = read_audited(audited.expanduser(), columns=parse_columns(columns), today=member.today(), sheet=sheet)
        show_preview(console, preview)
        preview.raise_for_errors()
        _confirm(f"Contribute {len(preview.rows):,} sites to {stream}?", yes)
        with _sending(), progress_bars(console) as progress:
            result = member.contribute(
                [record for _, record in preview.rows], stream=stream, epoch=epoch, progress=progress
            )
        rows = [preview.rows[position][0] for position in result.without_keys]
        show_contribution(console, result, rows)
        _warn(member)


@app.command()
def check(
    planned: Annotated[
        Path, typer.Argument(help="Your planned audits: CSV or XLSX, up to 100,000 rows.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the result, .xlsx or .csv.")] = Path(
        "overlaps.xlsx"
    ),
    home: HomeOption = DEFAULT_HOME,
    stream: StreamOption = "social-audit",
    epoch: EpochOption = None,
    columns: ColumnsOption = None,
    sheet: SheetOption = None,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", min=0.5, max=1.0, help="How sure a match must be to count as assessed."),
    ] = None,
    max_age: Annotated[
        int | None, typer.Option("--max-age", min=3, max=36, help="Accept assessments of the last so many months.")
    ] = None,
    accept: Annotated[
        list[str] | None, typer.Option("--accept", help="Accept this scheme only; may be repeated.", show_default="all")
    ] = None,
    yes: YesOption = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing result file.")] = False,
    back_end: BackEndOption = "auto",
    traffic: Annotated[
        Path | None, typer.Option("--traffic", help="Write the bytes sent and received here.", hidden=True)
    ] = None,
) -> None:
    """Check which planned audits another member has already done."""
    from tacit_client.checking import policy_with
    from tacit_client.lists import parse_columns, read_planned, verify_target
    from tacit_client.show import progress_bars, show_preview, show_report

    with _explained():
        policy = policy_with(threshold, max_age, accept or ())
        member = _open(home, back_end)
        verify_target(output, overwrite=overwrite, source=planned)
        preview = read_planned(planned.expanduser(), columns=parse_columns(columns), sheet=sheet)
        show_preview(console, preview)
        preview.raise_for_errors()
        _confirm(f"Check {len(preview.rows):,} planned audits against {stream}?", yes)
        with _sending(), progress_bars(console) as progress:
            report = member.check(
                [record for _, record in preview.rows],
                stream=stream,
                epoch=epoch,
                policy=policy,
                progress=progress,
            )
        _save(report, output, overwrite)
        show_report(console, report, output, [preview.rows[position][0] for position in report.without_keys])
        _warn(member)
        if traffic is not None:
            traffic.write_text(json.dumps(_traffic(member)))


@app.command()
def lint(
    path: Annotated[Path, typer.Argument(metavar="LIST", help="Audited sites or planned audits, CSV or XLSX.")],
    columns: ColumnsOption = None,
) -> None:
    """Tell which rows of a list will match poorly, why, and how many matches that costs. Nothing is sent."""
    from tacit_client.lint import lint as look
    from tacit_client.lint import show_lint
    from tacit_client.lists import parse_columns, read_planned
    from tacit_client.show import show_preview

    with _explained():
        preview = read_planned(path, columns=parse_columns(columns))
        show_preview(console, preview)
        show_lint(console, look(preview), preview.file)


@app.command()
def status(home: HomeOption = DEFAULT_HOME) -> None:
    """Show epochs, windows, what you contributed and what is left of your quota."""
    from tacit_client.show import show_status

    with _explained():
        member = _open(home)
        show_status(console, member.pseudonym, member.status())
        _warn(member)


# Behind the commands of every day, in the order in which --help lists them.
app.command()(statement)
app.command()(answer_audit)
app.add_typer(audit_app, name="audit")


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # names come in scripts that not every terminal can show
    try:
        app()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            # Requests that are under way would be waited for. Everything that counts was written before they went out.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(INTERRUPTED)
        raise


@contextmanager
def _explained() -> Iterator[None]:
    """Turn an error into a message for people and exit code 1; an interrupt into 130."""
    from tacit_client.lists import ListError

    try:
        yield
    except TacitError as error:
        _say(error.diagnostics())
        raise typer.Exit(FAILED) from error
    except ListError as error:
        _say(str(error))
        problems.print("[dim]Nothing was sent.[/]")
        raise typer.Exit(FAILED) from error
    except OSError as error:
        _say(f"{error.filename or 'a file'}: {error.strerror or type(error).__name__}")
        raise typer.Exit(FAILED) from error
    except KeyboardInterrupt:
        problems.print("\nInterrupted. Nothing was sent.")
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def _sending() -> Iterator[None]:
    """Say after an interrupt what becomes of the part that was already done."""
    try:
        yield
    except KeyboardInterrupt:
        problems.print("\nInterrupted. Run the same command again: it goes on where it stopped, at no further quota.")
        raise typer.Exit(INTERRUPTED) from None


def _save(report: CheckReport, output: Path, overwrite: bool) -> None:
    from tacit_client.lists import ListError

    try:
        report.save(output, overwrite=overwrite)
    except ListError as error:
        _say(str(error))
        problems.print("The check itself is done: run it again with another -o. That spends no quota.")
        raise typer.Exit(FAILED) from error


def _open(home: Path, back_end: str = "auto") -> Member:
    from tacit_client.member import Member
    from tacit_client.vault import needs_passphrase

    passphrase = os.environ.get("TACIT_PASSPHRASE")
    if passphrase is None and needs_passphrase(home.expanduser()) and sys.stdin.isatty():
        passphrase = typer.prompt("Passphrase", hide_input=True)
    return Member.open(home, passphrase, back_end=back_end)


def _new_passphrase() -> str:
    given = os.environ.get("TACIT_PASSPHRASE")
    return given if given is not None else str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True))


def _confirm(question: str, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        _say("nobody is there to confirm: add --yes to send without being asked")
        raise typer.Exit(MISUSED)
    if not typer.confirm(question, default=True):
        console.print("Nothing was sent.")
        raise typer.Exit(0)


def _say(message: str) -> None:
    problems.print(f"[red]✗[/] {escape(message)}", highlight=False)


def _warn(member: Member) -> None:
    for warning in dict.fromkeys(member.warnings):
        problems.print(f"[yellow]![/] {escape(warning)}", highlight=False)


def _traffic(member: Member) -> dict[str, dict[str, int]]:
    from tacit_client.transport import HttpTransport

    transport = member.transport
    if not isinstance(transport, HttpTransport):
        return {"sent": {}, "received": {}}
    return {"sent": transport.sent, "received": transport.received}


if __name__ == "__main__":
    main()
