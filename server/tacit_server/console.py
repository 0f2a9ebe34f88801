"""What the commands of both servers share: tables, errors for people, dates."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tacit_protocol.errors import TacitError

HomeOption = Annotated[Path, typer.Option("--home", help="The party's folder.", show_default=False)]


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn an expected error into its message on standard error and exit status 1."""
    try:
        yield
    except TacitError as error:
        fail(error.diagnostics())
    except OSError as error:
        fail(f"{error.filename or 'the system'}: {error.strerror or error}")


def fail(message: str) -> None:
    """Print a message on standard error and leave with status 1."""
    from rich.console import Console

    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]Error:[/] {_escape(message)}")
    raise typer.Exit(1)


def say(message: str) -> None:
    """Print a line."""
    from rich.console import Console

    Console(highlight=False, soft_wrap=True).print(_escape(message))


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*("–" if cell is None else _escape(str(cell)) for cell in row))
    console = Console(highlight=False)
    # Into a file or a pipe nothing is cut off: the width of a terminal means nothing there.
    console.print(table, width=None if console.is_terminal else 160)


def parse_time(text: str) -> int:
    """Return Unix seconds for an ISO date or date and time; without a zone it is UTC."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date like 2026-07-01 or 2026-07-01T09:00") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return int(moment.timestamp())


def format_time(seconds: int) -> str:
    """Return a time as people read it, in UTC."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)
