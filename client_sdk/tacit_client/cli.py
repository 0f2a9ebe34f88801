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

from tacit_protocol.errors import TacitError

if TYPE_CHECKING:
    from tacit_client.member import Member

app = typer.Typer(
    name="tacit",
    help="Find out which of your planned supplier audits another member has already done, without showing your lists.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
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
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before sending.")]
BackEndOption = Annotated[str, typer.Option("--back-end", help="Group operations: auto, native or libsodium.")]
DEFAULT_HOME = Path("~/.tacit")


@app.command()
def init(
    home: HomeOption = DEFAULT_HOME,
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Lock the vault with a passphrase instead of a key file.")
    ] = False,
) -> None:
    """Make a vault with fresh keys on this machine."""
    from tacit_client.member import Member

    with _explained():
        secret = _new_passphrase() if passphrase else None
        member = Member.create(home, secret)
        console.print(f"[green]✓[/] vault made in {escape(str(member.home))}")
        console.print(f"Your pseudonym on the board will be [bold]{member.pseudonym}[/].")
        console.print("[dim]Back this folder up: with it goes what you contributed and the quota you spent.[/]")
        console.print("Next: [bold]tacit enrol INVITATION.json[/] with the file the secretariat gave you.")


@app.command()
def enrol(
    invitation: Annotated[Path, typer.Argument(help="The invitation file from the secretariat.")],
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Join the round with the secretariat's invitation."""
    with _explained():
        member = _open(home)
        member.enrol(invitation)
        console.print(f"[green]✓[/] enrolled as [bold]{member.pseudonym}[/]")
        console.print("Next: [bold]tacit contribute audited.xlsx[/], then [bold]tacit check planned.xlsx[/].")


@app.command()
def contribute(
    audited: Annotated[Path, typer.Argument(help="Your list of audited sites, CSV or XLSX.")],
    home: HomeOption = DEFAULT_HOME,
    stream: StreamOption = "social-audit",
    epoch: EpochOption = None,
    columns: ColumnsOption = None,
    yes: YesOption = False,
    back_end: BackEndOption = "auto",
) -> None:
    """Contribute your audited sites: blinded, sealed, and never in the clear outside this machine."""
    from tacit_client.lists import parse_columns, read_audited
    from tacit_client.show import progress_bars, show_contribution, show_preview

    with _explained():
        member = _open(home, back_end)
        preview = read_audited(audited, columns=parse_columns(columns), today=member.today())
        show_preview(console, preview)
        preview.raise_for_errors()
        _confirm(f"Contribute {len(preview.rows):,} sites to {stream}?", yes)
        with progress_bars(console) as progress:
            result = member.contribute(
                [record for _, record in preview.rows], stream=stream, epoch=epoch, progress=progress
            )
        rows = [preview.rows[position][0] for position in result.without_keys]
        show_contribution(console, result, rows)
        _warn(member)


@app.command()
def check(
    planned: Annotated[Path, typer.Argument(help="Your planned audits, CSV or XLSX.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the result, .xlsx or .csv.")] = Path(
        "overlaps.xlsx"
    ),
    home: HomeOption = DEFAULT_HOME,
    stream: StreamOption = "social-audit",
    epoch: EpochOption = None,
    columns: ColumnsOption = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0.5, max=1.0, help="How sure a match must be to count.")
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
    from tacit_client.lists import parse_columns, read_planned
    from tacit_client.show import progress_bars, show_preview, show_report

    with _explained():
        member = _open(home, back_end)
        preview = read_planned(planned, columns=parse_columns(columns))
        show_preview(console, preview)
        preview.raise_for_errors()
        _confirm(f"Check {len(preview.rows):,} planned audits against {stream}?", yes)
        with progress_bars(console) as progress:
            report = member.check(
                [record for _, record in preview.rows],
                stream=stream,
                epoch=epoch,
                policy=policy_with(threshold),
                progress=progress,
            )
        report.save(output, overwrite=overwrite)
        show_report(console, report, output)
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


def main() -> None:
    """Run the command line."""
    app()


@contextmanager
def _explained() -> Iterator[None]:
    """Turn an error into a message for people and exit code 1; an interrupt into 130."""
    from tacit_client.lists import ListError

    try:
        yield
    except TacitError as error:
        problems.print(f"[red]✗[/] {escape(error.diagnostics())}", highlight=False)
        raise typer.Exit(1) from error
    except ListError as error:
        problems.print(f"[red]✗[/] {escape(str(error))}", highlight=False)
        problems.print("[dim]Nothing was sent.[/]")
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        problems.print("\nInterrupted. Run the same command again: it goes on where it stopped, at no further quota.")
        raise typer.Exit(130) from None


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
    if yes or not sys.stdin.isatty():
        return
    if not typer.confirm(question, default=True):
        console.print("Nothing was sent.")
        raise typer.Exit(0)


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
