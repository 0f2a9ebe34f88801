"""`tacit statement`: read and sign what an epoch asks of its members."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def statement(
    home: Annotated[
        Path, typer.Option("--home", envvar="TACIT_HOME", help="Folder of this member's vault.", show_default=True)
    ] = Path("~/.tacit"),
    stream: Annotated[str, typer.Option("--stream", help="Recognition list: social-audit, ecovadis, ...")] = (
        "social-audit"
    ),
    epoch: Annotated[str | None, typer.Option("--epoch", help="Epoch; by default the one that is open.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Sign without asking.")] = False,
) -> None:
    """Show the statement of an epoch and sign it. Everybody can see on the log that you did."""
    from tacit_client import cli

    with cli._explained():
        member = cli._open(home)
        text = member.statement(stream=stream, epoch=epoch)
        if not text:
            cli.console.print("There is nothing to sign.")
            return
        cli.console.print(text, highlight=False, markup=False)
        if not yes and not sys.stdin.isatty():
            cli.problems.print("Not signed: run the command with --yes once you have read it.")
            raise typer.Exit(cli.FAILED)
        cli._confirm("Sign this statement?", yes)
        member.sign_statement(stream=stream, epoch=epoch)
        cli.console.print(f"[green]✓[/] signed as [bold]{member.pseudonym}[/]")
