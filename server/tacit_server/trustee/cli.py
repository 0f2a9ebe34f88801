"""`tacit-server trustee …`"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from tacit_server import console
from tacit_server.console import HomeOption, clear_errors

app = typer.Typer(no_args_is_help=True, help="A trustee: key ceremony, evaluation with its share, shuffling.")


class BackEnd(str, Enum):
    """Which implementation of the group operations to use."""

    auto = "auto"
    native = "native"
    libsodium = "libsodium"


@app.command()
def init(
    home: HomeOption,
    index: Annotated[int, typer.Option(min=1, max=255, help="This trustee's number.", show_default=False)],
    url: Annotated[str, typer.Option(help="The address under which others reach this server.", show_default=False)],
    secretariat: Annotated[
        Path, typer.Option(help="The secretariat's card.json; its key is pinned.", show_default=False)
    ],
) -> None:
    """Make this trustee's keys and database, and print its card for the secretariat.

    The keys are encrypted with TACIT_SERVER_SECRET, or with a secret that is put into the folder (mode 0600).
    """
    from tacit_protocol import messages
    from tacit_server.home import SecretariatCard, create_home, read_json
    from tacit_server.settings import load_settings
    from tacit_server.trustee.store import Store

    with clear_errors():
        card = read_json(secretariat, SecretariatCard, "'tacit-server secretariat init' writes the secretariat's card")
        made = create_home(home, load_settings(), url=url, index=index, secretariat=card)
        Store(made.database).close()
    typer.echo(messages.encode(made.card()).decode())


@app.command()
def status(home: HomeOption) -> None:
    """Show what this trustee has seen of the board, its ceremonies and shares."""
    from tacit_protocol import signing
    from tacit_protocol.errors import TacitError
    from tacit_protocol.group import load_backend
    from tacit_server.home import open_home
    from tacit_server.settings import load_settings
    from tacit_server.trustee.app import TrusteeOptions, assemble

    with clear_errors():
        parts = assemble(open_home(home, load_settings(), "trustee"), load_settings(), TrusteeOptions())
        board = parts.follower.board
        console.say(
            f"Trustee {parts.index} at {parts.home.party.url}: {board.size} entries of the board followed, "
            f"back end {load_backend().name}."
        )
        console.say(f"Members compare its key's name with 'tacit enrol': {signing.pseudonym(parts.home.public_key)}")
        if parts.follower.broken is not None:
            console.say(parts.follower.broken.message)
        rows = []
        for manifest in board.ledger.manifests.values():
            for stream in manifest.streams:
                try:
                    keys = board.stream_keys(parts.group, manifest.epoch, stream)
                    public = keys.public_shares.get(parts.index)
                    held = public is not None and parts.keystore.share((manifest.epoch, stream), public) is not None
                    ceremony, share = "complete", "held" if held else "none"
                except TacitError as error:
                    ceremony, share = error.message, None
                uploads = len(parts.store.uploads((manifest.epoch, stream)))
                role = "shuffles" if manifest.shuffler == parts.index else None
                rows.append([manifest.epoch, stream, ceremony, share, role, uploads])
        console.show_table("Streams", ["epoch", "stream", "ceremony", "share", "role", "complete uploads"], rows)


@app.command()
def run(
    home: HomeOption,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 8701,
    poll: Annotated[float, typer.Option(min=0.05, max=3600, help="Seconds between two looks at the board.")] = 0.5,
    back_end: Annotated[BackEnd, typer.Option(help="The group operations.")] = BackEnd.auto,
    threads: Annotated[int | None, typer.Option(min=1, help="Cores for evaluations; all if absent.")] = None,
) -> None:
    """Serve until a signal comes."""
    from tacit_server import serving
    from tacit_server.home import open_home
    from tacit_server.observing import configure_logging
    from tacit_server.settings import load_settings
    from tacit_server.trustee.app import TrusteeOptions, create_app

    with clear_errors():
        settings = load_settings()
        configure_logging(settings.log_level)
        options = TrusteeOptions(poll, back_end.value, threads)
        try:
            server = create_app(open_home(home, settings, "trustee"), settings, options)
        except ImportError:
            console.fail(f"the back end {back_end.value} is not installed: choose auto or libsodium")
    serving.run(server, host, port, settings)
