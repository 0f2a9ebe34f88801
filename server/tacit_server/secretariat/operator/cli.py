"""`tacit-server secretariat …`"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tacit_server import console
from tacit_server.console import HomeOption, clear_errors

if TYPE_CHECKING:
    from tacit_server.secretariat.keeper import Keeper

app = typer.Typer(
    no_args_is_help=True, help="The secretariat: the board, members, epochs, windows, the published index."
)
Epoch = Annotated[str, typer.Option(help="The epoch's name, for example 2026-h2.", show_default=False)]
Stream = Annotated[str, typer.Option(help="The stream, for example social-audit.", show_default=False)]
Step = Literal["ceremony-1", "ceremony-2", "ceremony-3", "ceremony-3-answer", "ceremony-4"]
_YEAR_HALF = 184 * 86400


@app.command()
def init(
    home: HomeOption,
    url: Annotated[str, typer.Option(help="The address under which others reach this server.", show_default=False)],
) -> None:
    """Make the secretariat's keys and database, and print its card for the trustees.

    The keys are encrypted with TACIT_SERVER_SECRET, or with a secret that is put into the folder (mode 0600).
    """
    from tacit_protocol import messages
    from tacit_server.home import create_home
    from tacit_server.secretariat.store import Store
    from tacit_server.settings import load_settings

    with clear_errors():
        made = create_home(home, load_settings(), url=url)
        Store(made.database).close()
    typer.echo(messages.encode(made.card()).decode())


@app.command()
def add_trustee(
    home: HomeOption, card: Annotated[Path, typer.Argument(help="The trustee's card.json.", show_default=False)]
) -> None:
    """Register a trustee; epochs opened from now on include it."""
    from tacit_server.home import TrusteeCard, read_json
    from tacit_server.secretariat.operator import operations

    with clear_errors():
        trustee = read_json(card, TrusteeCard, "'tacit-server trustee init' writes a trustee's card")
        operations.add_trustee(_keeper(home), trustee)
    console.say(f"Trustee {trustee.index} at {trustee.url} is registered.")


@app.command()
def retire_trustee(
    home: HomeOption,
    index: Annotated[int, typer.Option(min=1, max=255, help="The trustee's number.", show_default=False)],
) -> None:
    """Leave a trustee out from now on: it is no witness any more, and the next epoch does without it."""
    from tacit_server.secretariat.operator import operations

    with clear_errors():
        operations.retire_trustee(_keeper(home), index)
    console.say(f"Trustee {index} is retired. Open epochs that name it go on with the others.")


@app.command()
def invite(
    home: HomeOption,
    output: Annotated[Path, typer.Option("--output", "-o", help="A file; with --count a folder.", show_default=False)],
    count: Annotated[int | None, typer.Option(min=1, max=10_000, help="How many, each into its own file.")] = None,
) -> None:
    """Write invitation files. Each admits one member, once, and expires."""
    from tacit_protocol import messages
    from tacit_server.files import write_atomically
    from tacit_server.secretariat.operator import operations
    from tacit_server.settings import load_settings

    with clear_errors():
        into_folder = count is not None or output.is_dir()
        keeper = _keeper(home)
        made = operations.invite(keeper, count or 1, load_settings().invitation_seconds)
        start = _first_free(output) if into_folder else 0
        for number, invitation in enumerate(made, start):
            path = output / f"invitation-{number:03d}.json" if into_folder else output
            write_atomically(path, messages.encode(invitation) + b"\n")
    console.say(f"{len(made)} invitation{'s' if len(made) > 1 else ''} in {output}: give each to one member only.")


@app.command()
def open_epoch(
    home: HomeOption,
    epoch: Epoch,
    stream: Annotated[list[str], typer.Option(help="A stream; may be repeated.", show_default=False)],
    threshold: Annotated[int, typer.Option(min=1, help="How many trustees an evaluation takes.")] = 2,
    shuffler: Annotated[int, typer.Option(min=1, help="The trustee that shuffles.")] = 3,
    quota: Annotated[int, typer.Option(min=0, help="Evaluations per member and stream.")] = 131072,
    minimum_contributors: Annotated[
        int, typer.Option(min=1, help="A window with fewer new contributors is not handed over.")
    ] = 3,
    restricted: Annotated[
        list[str] | None, typer.Option(help="A stream that members are let into by name; may be repeated.")
    ] = None,
    statement: Annotated[
        Path | None, typer.Option(help="A text file that every member signs before it gets evaluations.")
    ] = None,
    opens: Annotated[str | None, typer.Option(help="Date or time, UTC; now if absent.")] = None,
    closes: Annotated[str | None, typer.Option(help="Date or time, UTC; half a year later if absent.")] = None,
) -> None:
    """Open an epoch: the signed manifest goes onto the board and the trustees begin the key ceremony."""
    from tacit_server.secretariat.operator import operations

    with clear_errors():
        begin = int(time.time()) if opens is None else console.parse_time(opens)
        end = begin + _YEAR_HALF if closes is None else console.parse_time(closes)
        plan = operations.EpochPlan(
            epoch, stream, threshold, shuffler, quota, minimum_contributors, begin, end,
            restricted or (), statement.read_text(encoding="utf-8") if statement else "",
        )  # fmt: skip
        operations.open_epoch(_keeper(home), plan)
    console.say(
        f"Epoch {epoch} ({', '.join(stream)}) is open from {console.format_time(begin)} to {console.format_time(end)}."
    )


@app.command()
def set_eligibility(
    home: HomeOption,
    epoch: Epoch,
    stream: Stream,
    member: Annotated[list[str], typer.Option(help="A member's pseudonym; may be repeated.", show_default=False)],
    withdraw: Annotated[bool, typer.Option(help="Take them out again, for what is still to come.")] = False,
) -> None:
    """Let members into a restricted stream. Everybody sees it on the log."""
    from tacit_server.secretariat.operator import operations

    with clear_errors():
        operations.set_eligibility(_keeper(home), epoch, stream, member, not withdraw)
    console.say(f"{len(member)} members are {'no longer' if withdraw else 'now'} eligible for {epoch}/{stream}.")


@app.command()
def close_window(home: HomeOption, epoch: Epoch, stream: Stream) -> None:
    """Close the open window; the shuffler hands over and the index is published."""
    from tacit_server.secretariat.operator import operations

    with clear_errors():
        close = operations.close_window(_keeper(home), epoch, stream)
    console.say(f"Window {close.window} of {epoch}/{stream} is closed; window {close.window + 1} is open.")


@app.command()
def cut_ceremony(
    home: HomeOption,
    epoch: Epoch,
    stream: Stream,
    step: Annotated[Step | None, typer.Option(help="The step to end; the one that waits if absent.")] = None,
    restart: Annotated[bool, typer.Option(help="Give the attempt up: the trustees begin another.")] = False,
) -> None:
    """End the wait for silent trustees in a step of the key ceremony. Everybody sees it on the board."""
    from tacit_protocol.board import RESTART
    from tacit_server.secretariat.operator import operations

    with clear_errors():
        cut = operations.cut_ceremony(_keeper(home), epoch, stream, RESTART if restart else step)
    console.say(f"Attempt {cut.attempt} of the ceremony of {epoch}/{stream}: {cut.step}.")


@app.command()
def appoint_auditor(
    home: HomeOption,
    card: Annotated[Path, typer.Argument(help="The auditor's card from 'tacit audit init'.", show_default=False)],
    until: Annotated[str | None, typer.Option(help="Date or time, UTC, when the term ends; a year if absent.")] = None,
) -> None:
    """Appoint an auditor: it may then order query audits. Members see it on the board.

    Tell the members its pseudonym by another way as well: they compare it before they open anything to it.
    """
    from tacit_protocol.signing import pseudonym
    from tacit_server.home import read_json
    from tacit_server.secretariat.operator import operations

    with clear_errors():
        auditor = read_json(card, operations.AuditorCard, "'tacit audit init' writes an auditor's card")
        end = int(time.time()) + 2 * _YEAR_HALF if until is None else console.parse_time(until)
        operations.appoint_auditor(_keeper(home), auditor, end)
    console.say(f"Auditor {pseudonym(auditor.signing_key)} is appointed until {console.format_time(end)}.")


@app.command()
def status(home: HomeOption) -> None:
    """Show epochs, streams, ceremonies, windows and counts."""
    from tacit_server.secretariat.operator import operations

    with clear_errors():
        keeper = _keeper(home)
        stages = operations.stages(keeper)
        with keeper.view() as board, keeper.store.reading() as session:
            members, size = len(board.ledger.signing_keys), board.size
            invitations = keeper.store.open_invitations(session, keeper.now())
        trustees = ", ".join(str(card.index) for card in keeper.trustees()) or "none"
    console.say(
        f"Secretariat {keeper.home.party.url}: {size} entries on the board, {members} members, "
        f"{invitations} open invitations, trustees {trustees}."
    )
    console.show_table(
        "Streams",
        [
            "epoch",
            "stream",
            "ceremony",
            "open window",
            "waits for hand-over",
            "last index",
            "contributors",
            "evaluations",
        ],
        [
            [s.epoch, s.stream, s.ceremony, s.window, s.waiting_handover, s.index, s.contributors, s.evaluations]
            for s in stages
        ],
    )


@app.command()
def run(
    home: HomeOption,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 8700,
) -> None:
    """Serve until a signal comes."""
    from tacit_server import serving
    from tacit_server.home import open_home
    from tacit_server.observing import configure_logging
    from tacit_server.secretariat.app import create_app
    from tacit_server.settings import load_settings

    with clear_errors():
        settings = load_settings()
        configure_logging(settings.log_level)
        server = create_app(open_home(home, settings, "secretariat"), settings)
    serving.run(server, host, port, settings)


def _keeper(home: Path) -> Keeper:
    from tacit_protocol.group import load_backend
    from tacit_server.home import open_home
    from tacit_server.secretariat.keeper import Keeper
    from tacit_server.secretariat.store import Store
    from tacit_server.settings import load_settings

    opened = open_home(home, load_settings(), "secretariat")
    return Keeper(opened, Store(opened.database), load_backend())


def _first_free(folder: Path) -> int:
    taken = [int(path.stem.rpartition("-")[2]) for path in folder.glob("invitation-[0-9]*.json")]
    return max(taken, default=0) + 1
