"""`tacit audit`: the auditor's commands. Exit code 0: checked and fine; 1: a finding; 2: something was not checked."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from tacit_client.audit.query_cli import DEFAULT_HOME, query_app

app = typer.Typer(
    no_args_is_help=True,
    help="Check the log, the published indexes and what members asked for, believing no server. "
    "Exit code 0: checked and fine; 1: a finding; 2: something could not be checked.",
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.add_typer(query_app, name="query-audit")

HomeOption = Annotated[
    Path, typer.Option("--home", envvar="TACIT_AUDIT_HOME", help="The auditor's folder.", show_default=True)
]
UrlOption = Annotated[str | None, typer.Option("--secretariat", help="The secretariat's address.", metavar="URL")]
FolderOption = Annotated[
    Path | None, typer.Option("--folder", help="A folder with log/ or board.jsonl, and indexes/, in place of a server.")
]
KeysOption = Annotated[
    Path | None,
    typer.Option("--trustee-keys", help="File with the secretariat's and the trustees' keys (an invitation will do)."),
]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Write the report here, for programs.")]


@app.command()
def init(
    home: HomeOption = DEFAULT_HOME,
    keys: Annotated[
        Path | None,
        typer.Option("--keys", help="File with the secretariat's and the trustees' keys, to be pinned."),
    ] = None,
    passphrase: Annotated[bool, typer.Option("--passphrase", help="Lock the keys with a passphrase.")] = False,
) -> None:
    """Make the auditor's keys and the card for the secretariat."""
    from tacit_client import cli
    from tacit_client.audit.home import AuditorHome, read_pins
    from tacit_client.audit.running import PINS, console, exit_codes
    from tacit_client.vault import write_atomically

    with exit_codes():
        pins = read_pins(keys.expanduser()) if keys is not None else None
        made = AuditorHome.create(home.expanduser(), cli._new_passphrase() if passphrase else None)
        if pins is not None:
            from tacit_protocol import messages

            write_atomically(made.folder / PINS, messages.encode(pins))
        console.print(f"[green]✓[/] auditor [bold]{made.pseudonym}[/] in {escape(str(made.folder))}")
        console.print(f"Give {escape(str(made.folder / 'card.json'))} to the secretariat, which appoints you.")
        console.print("Tell the members your pseudonym yourself: they compare it before they open anything to you.")


@app.command()
def verify(
    secretariat: UrlOption = None,
    folder: FolderOption = None,
    trustee_keys: KeysOption = None,
    home: HomeOption = DEFAULT_HOME,
    json: JsonOption = None,
    evidence: Annotated[
        Path | None, typer.Option("--evidence", help="Folder for an evidence file of each entry that breaks a rule.")
    ] = None,
) -> None:
    """Verify the whole log: checkpoint and cosignatures, signatures, keys, quotas, counts, indexes, lists, audits."""
    from tacit_client.audit.running import Inquiry, console, exit_codes, write_report
    from tacit_client.audit.show import show_report

    with exit_codes():
        inquiry = Inquiry.begin(home, secretariat, folder, trustee_keys)
        report = inquiry.verify()
        write_report(report, json)
        show_report(console, report)
        for path in inquiry.keep_evidence(evidence.expanduser()) if evidence is not None else ():
            console.print(f"evidence: {escape(str(path))}", highlight=False)
        raise typer.Exit(report.exit_code)


@app.command()
def monitor(
    secretariat: UrlOption = None,
    trustee_keys: KeysOption = None,
    home: HomeOption = DEFAULT_HOME,
    json: JsonOption = None,
    every: Annotated[
        int | None, typer.Option("--every", min=5, help="Look again after so many seconds; once if absent.")
    ] = None,
) -> None:
    """Follow the log and alarm: one line for each new finding. Keeps its copy in --home; fit for cron.

    With --every it goes on until the first finding or a signal. A finding that was told before does not alarm again.
    """
    from tacit_client.audit.findings import EXIT_FINDING, EXIT_FINE, EXIT_UNCHECKED, FINDING, UNCHECKED
    from tacit_client.audit.monitor import take_turn
    from tacit_client.audit.running import Inquiry, console, exit_codes, write_report
    from tacit_client.audit.show import line_of

    while True:
        code = EXIT_FINE
        with exit_codes():
            inquiry = Inquiry.begin(home, secretariat, None, trustee_keys, keep=True)
            report = inquiry.verify()
            fresh = take_turn(home.expanduser(), report, int(time.time()))
            write_report(report, json)
            for finding in fresh:
                console.print(line_of(finding), highlight=False, soft_wrap=True)
            severities = {finding.severity for finding in fresh}
            code = EXIT_FINDING if FINDING in severities else EXIT_UNCHECKED if UNCHECKED in severities else EXIT_FINE
        if every is None or code == EXIT_FINDING:
            raise typer.Exit(code)
        time.sleep(every)


@app.command()
def explain(
    entry: Annotated[int, typer.Argument(min=0, help="The entry's number.")],
    secretariat: UrlOption = None,
    folder: FolderOption = None,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Say in plain words what an entry of the log means."""
    from tacit_client.audit.explain import explain as words
    from tacit_client.audit.running import Inquiry, console, exit_codes
    from tacit_client.errors import PartyUnavailable
    from tacit_protocol.messages import BoardEntry

    with exit_codes():
        inquiry = Inquiry.begin(home, secretariat, folder, None)
        for line in inquiry.source.entries():
            if isinstance(line, BoardEntry) and line.sequence == entry:
                for sentence in words(line):
                    console.print(escape(sentence), highlight=False)
                return
        raise PartyUnavailable(f"the log has no entry {entry}")


@app.command()
def evidence(
    file: Annotated[
        Path,
        typer.Argument(
            help="A fork, a bad entry or hand-over, a complaint, a wrong answer, two messages of a trustee: "
            "as somebody's program saved it."
        ),
    ],
    secretariat: UrlOption = None,
    folder: FolderOption = None,
    trustee_keys: KeysOption = None,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Judge an evidence file. Exit code 1: it proves what it says; 2: nothing, or not without a cosigned log."""
    from tacit_client.audit import proving
    from tacit_client.audit.findings import EXIT_FINDING, EXIT_UNCHECKED
    from tacit_client.audit.running import Inquiry, console, exit_codes, pins_of, problems
    from tacit_client.errors import PartyUnavailable, VaultError
    from tacit_protocol import evidence as files
    from tacit_protocol.errors import TacitError
    from tacit_protocol.evidence import BadEntry, ForkEvidence
    from tacit_protocol.handover_evidence import BadHandover
    from tacit_protocol.signing import Signed
    from tacit_protocol.trustee_evidence import Equivocation, WrongAnswer

    with exit_codes():
        parties: tuple[str, ...] = ("secretariat",)
        try:
            found = proving.read(file.read_bytes(), file.name)
            pins = pins_of(home, trustee_keys)
            pinned = pins.trustee_keys
            if not isinstance(found, Signed):
                proving.check_log(found, pins.secretariat_key)
            if isinstance(found, ForkEvidence):
                text = files.verify_fork(found)
                parties += proving.cosigned_both(found, pinned)
            elif isinstance(found, Equivocation):
                text, parties = proving.prove_equivocation(found, pinned)
            else:
                inquiry = Inquiry.begin(home, secretariat, folder, trustee_keys)
                if isinstance(found, BadEntry):
                    text = proving.prove_bad_entry(found, inquiry.source, found.log_key)
                elif isinstance(found, WrongAnswer):
                    proving.check_pinned(found, pinned)
                    text, parties = proving.prove_wrong_answer(found, inquiry.follow_witnessed())
                elif isinstance(found, BadHandover):
                    text, parties = proving.prove_bad_handover(found, inquiry.follow_witnessed())
                else:
                    # What the log itself breaks is not what the file says.
                    board, place = inquiry.follow_witnessed(), proving.place_of(found)
                    inquiry.fetch(place)
                    text, parties = proving.prove_complaint(found, board, inquiry.source)
        except (PartyUnavailable, VaultError):
            raise
        except TacitError as error:
            problems.print(f"[yellow]?[/] this proves nothing: {escape(error.message)}", highlight=False)
            raise typer.Exit(EXIT_UNCHECKED) from error
        console.print(f"[red]✗[/] {escape(text)} [bold]({', '.join(parties)})[/]", highlight=False)
        name = None if isinstance(found, Signed) else proving.log_key(found)
        if name is not None:
            console.print(f"The log is that of [bold]{name}[/]: make sure that this is your secretariat's key.")
        raise typer.Exit(EXIT_FINDING)
