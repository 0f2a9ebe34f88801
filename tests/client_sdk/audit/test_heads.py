"""The checkpoint, its cosignatures and the log's files: whatever is changed, missing or old shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.audits import Case
from tacit_client.audit.findings import FINDING, UNCHECKED, Report
from tacit_client.audit.sources import FolderSource
from tacit_client.audit.verifying import Verification
from tacit_protocol import checkpoint as notes
from tacit_protocol import tiles
from tacit_protocol.checkpoint import Note, NoteSignature
from tacit_protocol.tiles import TileName

HOUR = 3600


class Shown:
    """A case whose files a test changes after they were written."""

    def __init__(self, case: Case) -> None:
        self.case, self.log = case, case.write() / "log"
        self.size = len(case.made.entries)
        self.root = case.made.board().tree.root()

    def show(self, note: Note) -> None:
        (self.log / "checkpoint").write_bytes(note.encode())

    def verify(self, now: int | None = None) -> Report:
        made, report = self.case.made, Report("shown")
        source = FolderSource(self.case.folder)
        keys = (made.secretariat_key, made.trustee_keys)
        checks = Verification(made.group, source, report, now or made.time, *keys)
        checks.read_entries()
        return checks.conclude()


@pytest.fixture
def shown(case: Case) -> Shown:
    return Shown(case)


def texts(report: Report, severity: str) -> str:
    return " ".join(finding.text for finding in report.of(severity))


def test_everything_in_order(shown: Shown) -> None:
    report = shown.verify(now=shown.case.made.time + 2 * HOUR)
    assert report.exit_code == 0 and report.head == shown.root.hex()
    assert [(w.trustee, w.age) for w in report.witnesses] == [(i, 2 * HOUR) for i in (1, 2, 3)]
    assert report.checks["files of the log"].checked >= 1


@pytest.mark.parametrize(("cosigners", "code"), [((1, 2, 3), 0), ((1, 3), 0), ((2,), 2), ((), 2)])
def test_more_than_half_of_the_trustees_must_have_cosigned(shown: Shown, cosigners: tuple[int, ...], code: int) -> None:
    shown.show(shown.case.signed(shown.size, shown.root, cosigners))
    report = shown.verify()
    assert report.exit_code == code
    assert [w.trustee for w in report.witnesses if w.age is None] == [i for i in (1, 2, 3) if i not in cosigners]
    assert ("of 3 trustees cosigned" in texts(report, UNCHECKED)) == (code == 2)


def test_old_cosignatures_are_told(shown: Shown) -> None:
    report = shown.verify(now=shown.case.made.time + 25 * HOUR)
    assert report.exit_code == 2 and "25 hours old" in texts(report, UNCHECKED)


def test_a_checkpoint_of_another_key_is_a_finding(shown: Shown) -> None:
    made = shown.case.made
    made.secretariat, honest = made.signing_key(), made.secretariat
    forged = shown.case.signed(shown.size, shown.root)
    made.secretariat = honest
    shown.show(forged)
    report = shown.verify()
    assert report.exit_code == 1 and "another log" in texts(report, FINDING)


@pytest.mark.parametrize("change", ["another root", "a larger size"])
def test_a_checkpoint_of_other_entries_is_a_finding(shown: Shown, change: str) -> None:
    size, root = (shown.size, bytes(32)) if change == "another root" else (shown.size - 1, shown.root)
    shown.show(shown.case.signed(size, root))
    report = shown.verify()
    assert report.exit_code == 1
    assert {f.parties for f in report.of(FINDING)} == {("secretariat",)}


def test_a_forged_cosignature_is_a_finding_but_not_its_trustees(shown: Shown) -> None:
    name = notes.witness_name(shown.case.made.trustee_keys[2])
    line = next(s for s in shown.case.note.signatures if s.name == name)
    changed = NoteSignature(name, line.key_id, line.signature[:-1] + bytes([line.signature[-1] ^ 1]))
    shown.show(Note(shown.case.note.text, tuple(changed if s == line else s for s in shown.case.note.signatures)))
    report = shown.verify()
    (finding,) = report.of(FINDING)
    assert "trustee 2" in finding.text and finding.parties == ("secretariat",)


def test_a_changed_tile_is_a_finding(shown: Shown) -> None:
    path = shown.log / TileName(0, 0, shown.size).path()
    path.write_bytes(bytes(32) + path.read_bytes()[32:])
    (finding,) = shown.verify().of(FINDING)
    assert "does not hold the hashes" in finding.text


def test_a_missing_tile_is_a_finding(shown: Shown) -> None:
    (shown.log / TileName(0, 0, shown.size).path()).unlink()
    (finding,) = shown.verify().of(FINDING)
    assert "does not show its file tile/0/000.p/" in finding.text


def test_a_missing_bundle_is_a_finding(shown: Shown) -> None:
    (shown.log / TileName(None, 0, shown.size).path()).unlink()
    assert "tile/entries/000.p/" in texts(shown.verify(), FINDING)


def test_a_changed_entry_in_a_bundle_is_a_finding(shown: Shown) -> None:
    path = shown.log / TileName(None, 0, shown.size).path()
    leaves = tiles.decode_bundle(path.read_bytes(), shown.size)
    leaves[3] = leaves[3].replace(b"tacit/1 entry", b"tacit/9 entry")
    path.write_bytes(tiles.encode_bundle(leaves))
    report = shown.verify()
    assert "another version" in texts(report, FINDING) and "is not of the" in texts(report, FINDING)
    assert report.size == shown.size


def test_a_checkpoint_that_is_none_is_a_finding(shown: Shown) -> None:
    (shown.log / "checkpoint").write_bytes(shown.case.note.encode() + b"x")
    assert shown.case.folder.is_dir()
    from typer.testing import CliRunner

    from tacit_client.cli import app

    keys: Path = shown.case.folder / "keys.json"
    arguments = ["audit", "verify", "--folder", str(shown.case.folder), "--trustee-keys", str(keys)]
    assert CliRunner().invoke(app, arguments).exit_code == 1


def test_a_log_of_more_than_one_tile(case: Case) -> None:
    for _ in range(300):
        case.made.member()
    report = case.verify()
    assert report.exit_code == 0 and report.size > 300
    assert report.checks["files of the log"].checked == 3  # two of level 0, one of level 1
