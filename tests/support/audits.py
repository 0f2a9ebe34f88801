"""A made board in a folder, as an auditor gets it, and what `tacit audit verify` says of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
from typer.testing import CliRunner, Result

from support.boards import EPOCH, STREAM, MadeBoard
from tacit_client.audit.findings import Report
from tacit_client.audit.sources import FolderSource
from tacit_client.audit.verifying import Verification
from tacit_client.cli import app
from tacit_protocol import messages, signing
from tacit_protocol.messages import BoardEntry


class Case:
    """``made`` may be changed by a test before :meth:`verify` writes it down and has it verified."""

    def __init__(self, folder: Path, prepare: Callable[[MadeBoard], None] | None = None) -> None:
        self.folder = folder
        self.made = MadeBoard("auditor").open() if prepare is None else MadeBoard("auditor")
        if prepare is not None:
            prepare(self.made)
        self.members = [self.made.member(), self.made.member()]
        for member in self.members:
            self.made.grant_any(member)
        self.made.window(*self.members)

    def name(self, number: int) -> str:
        return signing.pseudonym(signing.public_bytes(self.members[number]))

    def resequence(self) -> None:
        """Number the entries anew after one was put in or taken out, as a secretariat that cheats would."""
        self.made.entries = [msgspec.structs.replace(e, sequence=i) for i, e in enumerate(self.made.entries)]

    def find(self, kind: str, nth: int = 0) -> int:
        return [e.sequence for e in self.made.entries if e.message.kind == kind][nth]

    def change(self, number: int, **changes: object) -> None:
        """Change fields of an entry's message without signing it anew."""
        entry = self.made.entries[number]
        message = msgspec.structs.replace(entry.message, **changes)
        self.made.entries[number] = BoardEntry(entry.sequence, entry.time, message)

    def write(self) -> Path:
        indexes = self.folder / "indexes" / EPOCH / STREAM
        indexes.mkdir(parents=True, exist_ok=True)
        lines = b"".join(messages.encode(entry) + b"\n" for entry in self.made.entries)
        (self.folder / "board.jsonl").write_bytes(lines)
        for window, data in self.made.files.items():
            (indexes / f"{window}.tacit-index").write_bytes(data)
        pins = {
            "secretariat": {"url": "https://secretariat.example", "signing_key": self.made.secretariat_key},
            "trustees": [{"index": i, "signing_key": key} for i, key in self.made.trustee_keys.items()],
        }
        (self.folder / "keys.json").write_bytes(msgspec.json.encode(pins))
        return self.folder

    def verify(self, now: int | None = None) -> Report:
        source = FolderSource(self.write())
        report = Report(source.name)
        checks = Verification(
            self.made.group, source, report, now or self.made.time, self.made.secretariat_key, self.made.trustee_keys
        )
        checks.read_entries()
        return checks.conclude()

    def command(self, *extra: str) -> tuple[Result, dict]:
        """Run the command itself on the folder; returns its result and its JSON report."""
        folder = self.write()
        report = folder / "report.json"
        arguments = ["audit", "verify", "--folder", str(folder), "--trustee-keys", str(folder / "keys.json")]
        result = CliRunner().invoke(app, [*arguments, "--json", str(report), *extra])
        return result, json.loads(report.read_bytes())
