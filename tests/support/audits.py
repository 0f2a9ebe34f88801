"""A made board in a folder, as an auditor gets it, and what `tacit audit verify` says of it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import msgspec
from typer.testing import CliRunner, Result

from support.boards import EPOCH, STREAM, MadeBoard
from tacit_client.audit.findings import Report
from tacit_client.audit.sources import FolderSource
from tacit_client.audit.verifying import Verification
from tacit_client.cli import app
from tacit_protocol import checkpoint as notes
from tacit_protocol import merkle, messages, signing, tiles
from tacit_protocol.checkpoint import Checkpoint, Note
from tacit_protocol.messages import BoardEntry


@contextmanager
def time_at(now: int) -> Iterator[None]:
    """Let the auditor's clock show the board's time."""
    with mock.patch.object(time, "time", lambda: float(now)):
        yield


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
        self.write_log([messages.encode_leaf(entry) for entry in self.made.entries])
        for window, data in self.made.files.items():
            (indexes / f"{window}.tacit-index").write_bytes(data)
        for window, packed in self.made.lists.items():
            (indexes / f"{window}.tacit-handover").write_bytes(packed)
        pins = {
            "secretariat": {"url": "https://secretariat.example", "signing_key": self.made.secretariat_key},
            "trustees": [{"index": i, "signing_key": key} for i, key in self.made.trustee_keys.items()],
        }
        (self.folder / "keys.json").write_bytes(msgspec.json.encode(pins))
        return self.folder

    def write_log(self, leaves: list[bytes]) -> None:
        """Write the log's own files, with a checkpoint that the secretariat signed and all trustees cosigned."""
        tree, log = merkle.Tree(), self.folder / "log"
        shutil.rmtree(log, ignore_errors=True)
        for leaf in leaves:
            tree.append(merkle.leaf_hash(leaf))
        for name in tiles.grown(0, tree.size):
            path = log / name.path()
            path.parent.mkdir(parents=True, exist_ok=True)
            part = leaves[name.index * tiles.WIDTH :][: name.width]
            path.write_bytes(tiles.encode_bundle(part) if name.level is None else tiles.tile(tree, name))
        self.note = self.signed(tree.size, tree.root())
        (log / "checkpoint").write_bytes(self.note.encode())

    def signed(self, size: int, root: bytes, cosigners: tuple[int, ...] = (1, 2, 3), time: int | None = None) -> Note:
        """Return a checkpoint signed by the secretariat and cosigned by trustees."""
        head = Checkpoint(notes.log_origin(self.made.secretariat_key), size, root)
        note = notes.sign_checkpoint(self.made.secretariat, head)
        return note.with_signatures(
            [
                notes.cosign(key, notes.witness_name(self.made.trustee_keys[i]), note.text, time or self.made.time)
                for i, key in self.made.trustees.items()
                if i in cosigners
            ]
        )

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
        with time_at(self.made.time):
            result = CliRunner().invoke(app, [*arguments, "--json", str(report), *extra])
        return result, json.loads(report.read_bytes())
