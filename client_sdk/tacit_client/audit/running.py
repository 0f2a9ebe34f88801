"""What the commands of `tacit audit` share: where the log comes from, whose keys count, what the exit codes say."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

from tacit_client.audit.copying import add_indexes, update
from tacit_client.audit.findings import EXIT_FINDING, EXIT_UNCHECKED, Report
from tacit_client.audit.home import AuditorHome, Pins, read_pins
from tacit_client.audit.show import line_of
from tacit_client.audit.sources import FolderSource
from tacit_client.audit.verifying import Verification
from tacit_client.errors import PartyUnavailable, Refused, VaultError
from tacit_client.list_cells import ListError
from tacit_client.parties import Secretariat
from tacit_client.vault import needs_passphrase, write_atomically
from tacit_protocol.board import Board
from tacit_protocol.errors import EncodingError, TacitError
from tacit_protocol.group import load_backend

PINS = "pins.json"
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
    """One look at the log: from a folder, or from a secretariat into the auditor's own copy."""

    home: AuditorHome | None
    pins: Pins
    source: FolderSource
    report: Report
    secretariat: Secretariat | None = None

    @classmethod
    def begin(cls, home: Path, secretariat: str | None, folder: Path | None, trustee_keys: Path | None) -> Inquiry:
        """Open the folder, or bring the auditor's copy up to date."""
        if folder is not None and secretariat is not None:
            raise typer.BadParameter("give --secretariat or --folder, not both")
        if folder is not None:
            source = FolderSource(folder.expanduser())
            return cls(None, _pins(None, trustee_keys), source, Report(source.name))
        opened = open_home(home)
        pins = _pins(opened, trustee_keys)
        url = secretariat or (pins.secretariat.url if pins.secretariat else None)
        if url is None:
            raise typer.BadParameter("say where the log is: --secretariat URL or --folder FOLDER")
        server, report = opened.secretariat(url), Report(url)
        return cls(opened, pins, update(opened.copy, server, report), report, server)

    def verify(self) -> Report:
        """Verify everything."""
        checks = Verification(
            load_backend(),
            self.source,
            self.report,
            int(time.time()),
            self.pins.secretariat_key,
            self.pins.trustee_keys,
        )
        board = checks.read_entries()
        if self.secretariat is not None:
            add_indexes(self.source, self.secretariat, list(board.indexes.values()))
        return checks.conclude()

    def follow(self) -> Board:
        """Return the view of the log; raises at the first entry that breaks a rule: nothing is built on that."""
        if self.report.exit_code == EXIT_FINDING:
            for finding in self.report.findings:
                problems.print(line_of(finding), highlight=False)
            raise typer.Exit(EXIT_FINDING)
        if self.pins.secretariat_key is None:
            raise VaultError("no key of the secretariat is pinned: give the file of keys to 'tacit audit init --keys'")
        board = Board(self.pins.secretariat_key, self.pins.trustee_keys)
        for line in self.source.entries():
            if isinstance(line, EncodingError):
                raise line
            board.apply(line)
        return board


def write_report(report: Report, path: Path | None) -> None:
    """Write the JSON report, if one was asked for."""
    if path is not None:
        write_atomically(path.expanduser(), report.to_json() + b"\n")


def _pins(home: AuditorHome | None, trustee_keys: Path | None) -> Pins:
    if trustee_keys is not None:
        return read_pins(trustee_keys.expanduser())
    if home is not None and (home.folder / PINS).exists():
        return read_pins(home.folder / PINS)
    return Pins()
