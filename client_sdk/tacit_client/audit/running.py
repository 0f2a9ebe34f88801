"""What the commands of `tacit audit` share: where the log comes from, whose keys count, what the exit codes say."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.markup import escape

from tacit_client.audit.copying import add_indexes, add_lists, update, wait_for
from tacit_client.audit.findings import EXIT_FINDING, EXIT_UNCHECKED, FINDING, UNCHECKED, Report
from tacit_client.audit.heads import CHECKPOINTS
from tacit_client.audit.home import COPY, AuditorHome, Pins, read_pins
from tacit_client.audit.show import line_of
from tacit_client.audit.sources import FolderSource, Place
from tacit_client.audit.verifying import Verification
from tacit_client.errors import PartyUnavailable, Refused, VaultError
from tacit_client.list_cells import ListError
from tacit_client.parties import Secretariat
from tacit_client.transport import HttpTransport
from tacit_client.vault import needs_passphrase, write_atomically
from tacit_protocol import messages, signing
from tacit_protocol.board import Board
from tacit_protocol.errors import TacitError
from tacit_protocol.group import load_backend
from tacit_protocol.messages import Message
from tacit_protocol.witnessing import majority

PINS = "pins.json"
POST_SECONDS = 20.0  # for cosignatures; they take a fraction of a second as a rule
console = Console()
problems = Console(stderr=True)


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn errors into messages: what stands in the way of a check leaves with 2, what a party did wrong with 1."""
    try:
        yield
    except (PartyUnavailable, Refused, VaultError) as error:
        problems.print(f"[yellow]?[/] {escape(error.diagnostics())}", highlight=False)
        raise typer.Exit(EXIT_UNCHECKED) from error
    except (ListError, OSError) as error:
        problems.print(f"[yellow]?[/] {escape(str(error))}", highlight=False)
        raise typer.Exit(EXIT_UNCHECKED) from error
    except TacitError as error:
        problems.print(f"[red]✗[/] {escape(error.diagnostics())}", highlight=False)
        raise typer.Exit(EXIT_FINDING) from error


def open_home(folder: Path) -> AuditorHome:
    """Open the auditor's folder; asks for the passphrase where there is one."""
    folder = folder.expanduser()
    passphrase = os.environ.get("TACIT_PASSPHRASE")
    if passphrase is None and needs_passphrase(folder) and sys.stdin.isatty():
        passphrase = typer.prompt("Passphrase", hide_input=True)
    return AuditorHome.open(folder, passphrase)


@dataclass
class Inquiry:
    """One look at the log: from a folder, or from a secretariat into a copy."""

    home: AuditorHome | None
    pins: Pins
    source: FolderSource
    report: Report
    secretariat: Secretariat | None = None
    checks: Verification | None = None
    passing: tempfile.TemporaryDirectory[str] | None = None  # a copy that goes with this object

    @classmethod
    def begin(
        cls,
        home: Path,
        secretariat: str | None,
        folder: Path | None,
        trustee_keys: Path | None,
        *,
        keep: bool = False,
    ) -> Inquiry:
        """Open the folder, or bring the copy up to date.

        Whoever has no auditor's keys gets a passing copy, or with ``keep`` one in ``home``.
        """
        if folder is not None and secretariat is not None:
            raise typer.BadParameter("give --secretariat or --folder, not both")
        if folder is not None:
            source = FolderSource(folder.expanduser())
            return cls(None, pins_of(None, trustee_keys), source, Report(source.name))
        known = (home.expanduser() / "vault.json").exists()
        opened = open_home(home) if known or secretariat is None else None
        pins = pins_of(home, trustee_keys)
        url = secretariat or (pins.secretariat.url if pins.secretariat else None)
        if url is None:
            raise typer.BadParameter("say where the log is: --secretariat URL or --folder FOLDER")
        server = opened.secretariat(url) if opened else _stranger(url)
        passing = None if opened or keep else tempfile.TemporaryDirectory(prefix="tacit-audit-")
        copy = home.expanduser() / COPY if passing is None else Path(passing.name)
        copy.mkdir(parents=True, exist_ok=True, mode=0o700)
        report = Report(url)
        source = update(copy, server, report, pins.secretariat_key)
        return cls(opened, pins, source, report, server, passing=passing)

    def verify(self) -> Report:
        """Verify everything."""
        checks = self._read()
        if self.secretariat is not None:
            add_indexes(self.source, self.secretariat, list(checks.board.indexes.values()))
            add_lists(self.source, self.secretariat, list(checks.board.handovers.values()))
        return checks.conclude()

    def follow(self, code: int = EXIT_FINDING) -> Board:
        """Return the view of the log; leaves with ``code`` when an entry or the checkpoint breaks a rule."""
        if self.pins.secretariat_key is None:
            raise VaultError("no key of the secretariat is pinned: give the file of keys with --keys or --trustee-keys")
        board = self._read().board
        if self.report.of(FINDING):
            for finding in self.report.findings:
                problems.print(line_of(finding), highlight=False)
            raise typer.Exit(code)
        return board

    def follow_witnessed(self) -> Board:
        """Return the view of a log by which somebody may be judged; says what is unsure about it.

        Leaves with 2 where :meth:`follow` finds a fault. Raises :class:`PartyUnavailable` unless more than half of the
        trustees whose keys are pinned cosigned all of it: a secretariat alone could otherwise make a history in which
        what an honest party signed in the real one is wrong.
        """
        board, report = self.follow(EXIT_UNCHECKED), self.report
        for finding in report.of(UNCHECKED):
            problems.print(line_of(finding), highlight=False)
        cosigned = sum(witness.time is not None for witness in report.witnesses)
        whole = not any(finding.check == CHECKPOINTS for finding in report.of(UNCHECKED))
        if not whole or cosigned < majority(len(self.pins.trustee_keys)):
            raise PartyUnavailable(
                "nobody is judged by a log that more than half of the trustees have not cosigned as far as it was "
                "read: get it from the secretariat itself, and pin the trustees' keys with --trustee-keys"
            )
        return board

    def fetch(self, place: Place) -> None:
        """Fetch the index and the list of one window, where they are to be had and the copy lacks them."""
        if self.secretariat is None or self.checks is None:
            return
        board = self.checks.board
        add_indexes(self.source, self.secretariat, [board.indexes[place]] if place in board.indexes else [])
        add_lists(self.source, self.secretariat, [board.handovers[place]] if place in board.handovers else [])

    def post(self, message: Message) -> int:
        """Sign a message as the auditor, put it on the log, and return its entry once the trustees have cosigned it."""
        if self.home is None or self.secretariat is None:
            raise VaultError("only an appointed auditor puts something on the log: run 'tacit audit init' first")
        signed = signing.sign(self.home.signing_key, messages.kind_of(message), messages.encode(message))
        entry = self.secretariat.post(signed)
        if not wait_for(self.secretariat, entry.sequence + 1, POST_SECONDS):
            problems.print(
                f"[yellow]![/] entry {entry.sequence} is with the secretariat, but the trustees have not cosigned it "
                "yet: look again in a moment"
            )
        return entry.sequence

    def keep_evidence(self, folder: Path) -> list[Path]:
        """Write an evidence file for each entry that breaks a rule."""
        made = self.checks.evidence() if self.checks is not None else {}
        if made:
            folder.mkdir(parents=True, exist_ok=True)
        for name, content in made.items():
            write_atomically(folder / name, content)
        return [folder / name for name in made]

    def _read(self) -> Verification:
        keys = self.pins.trustee_keys
        now = int(time.time())
        checks = Verification(load_backend(), self.source, self.report, now, self.pins.secretariat_key, keys)
        checks.read_entries()
        self.checks = checks
        return checks


def write_report(report: Report, path: Path | None) -> None:
    """Write the JSON report, if one was asked for."""
    if path is not None:
        write_atomically(path.expanduser(), report.to_json() + b"\n")


def _stranger(url: str) -> Secretariat:
    # The log is public; the indexes are for members and auditors, so somebody else's check of them stays open.
    return Secretariat(HttpTransport(Ed25519PrivateKey.generate()), url.rstrip("/"))


def pins_of(home: Path | None, trustee_keys: Path | None) -> Pins:
    """Return the keys in a file that was given, or else those that the auditor's folder holds."""
    if trustee_keys is not None:
        return read_pins(trustee_keys.expanduser())
    if home is not None and (home.expanduser() / PINS).exists():
        return read_pins(home.expanduser() / PINS)
    return Pins()
