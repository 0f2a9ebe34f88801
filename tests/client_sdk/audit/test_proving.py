"""Evidence files: what they prove is told from what they do not, and who is to explain it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from support.audits import Case
from support.boards import EPOCH, STREAM
from tacit_client.cli import app
from tacit_protocol import evidence, merkle, messages
from tacit_protocol.evidence import Complaint, MissingRecord
from tacit_protocol.messages import BoardEntry, Receipt, UploadCommitment
from tacit_protocol.sealed_index import COMMITMENT_BYTES, RECORD_BYTES


def run(case: Case, file: Path, *extra: str) -> Result:
    keys = str(case.folder / "keys.json")
    return CliRunner().invoke(
        app, ["audit", "evidence", str(file), "--folder", str(case.folder), "--trustee-keys", keys, *extra]
    )


def output(result: Result) -> str:
    return " ".join(result.output.split())


def tree_of(entries: list[BoardEntry]) -> merkle.Tree:
    tree = merkle.Tree()
    for entry in entries:
        tree.append(merkle.leaf_hash(messages.encode_leaf(entry)))
    return tree


def fork_of(case: Case, tmp_path: Path, *, lie: bool = True, first: tuple[int, ...] = (1, 2, 3)) -> Path:
    """Return the evidence of a log that was rewritten in its entry 4, or of one that has only grown.

    ``first`` cosigned the first half, all three the second.
    """
    case.write()
    case.note = case.signed(len(case.made.entries), tree_of(case.made.entries).root(), first)
    kept, old = case.note, tree_of(case.made.entries)
    mine = messages.encode_leaf(case.made.entries[4])
    if lie:
        case.made.entries[4] = msgspec.structs.replace(case.made.entries[4], time=case.made.entries[4].time - 1)
    case.made.member()
    case.write()
    theirs = messages.encode_leaf(case.made.entries[4])
    file = evidence.fork(case.made.secretariat_key, kept, old, case.note, tree_of(case.made.entries), (mine, theirs), 4)
    path = tmp_path / "fork.json"
    path.write_bytes(messages.encode(file))
    return path


def test_a_fork_is_proven(case: Case, tmp_path: Path) -> None:
    result = run(case, fork_of(case, tmp_path, first=()))
    assert result.exit_code == 1 and "different entries 4 (secretariat)" in output(result)


def test_trustees_that_cosigned_both_halves_are_named(case: Case, tmp_path: Path) -> None:
    result = run(case, fork_of(case, tmp_path, first=(2, 3)))
    assert result.exit_code == 1 and "(secretariat, trustee 2, trustee 3)" in output(result)


def test_a_log_that_has_only_grown_proves_nothing(case: Case, tmp_path: Path) -> None:
    result = run(case, fork_of(case, tmp_path, lie=False))
    assert result.exit_code == 2 and "proves nothing" in output(result)


def test_a_fork_that_the_log_did_not_sign_proves_nothing(case: Case, tmp_path: Path) -> None:
    path = fork_of(case, tmp_path)
    fields = json.loads(path.read_bytes())
    fields["shown"] = fields["shown"].replace("\n", "\n", 1).replace("tacit.log/", "tacit.log/x", 1)
    path.write_bytes(json.dumps(fields).encode())
    result = run(case, path)
    assert result.exit_code == 2 and "different entries" not in output(result)


def test_evidence_against_another_log_proves_nothing_here(case: Case, tmp_path: Path) -> None:
    path = fork_of(case, tmp_path)
    fields = json.loads((case.folder / "keys.json").read_bytes())
    fields["secretariat"]["signing_key"] = fields["trustees"][0]["signing_key"]
    (case.folder / "keys.json").write_text(json.dumps(fields))
    result = run(case, path)
    assert result.exit_code == 2 and "another secretariat" in output(result)


def test_verify_writes_the_evidence_that_evidence_judges(case: Case, tmp_path: Path) -> None:
    for _ in range(case.made.quota // 8192):
        case.made.grant_any(case.members[0], 8192)
    result, _ = case.command("--evidence", str(tmp_path / "evidence"))
    assert result.exit_code == 1
    (path,) = (tmp_path / "evidence").glob("entry-*.json")
    judged = run(case, path)
    assert judged.exit_code == 1 and "breaks a rule: the quota of member" in output(judged)
    # Without the log before it nobody can tell.
    alone = tmp_path / "alone"
    alone.mkdir()
    keys = str(case.folder / "keys.json")
    result = CliRunner().invoke(app, ["audit", "evidence", str(path), "--folder", str(alone), "--trustee-keys", keys])
    assert result.exit_code == 2


def test_an_entry_that_breaks_no_rule_proves_nothing(case: Case, tmp_path: Path) -> None:
    case.write()
    leaf = messages.encode_leaf(case.made.entries[5])
    file = evidence.bad_entry(
        case.made.secretariat_key, case.note, tree_of(case.made.entries), 5, leaf, "I do not like it"
    )
    path = tmp_path / "entry.json"
    path.write_bytes(messages.encode(file))
    result = run(case, path)
    assert result.exit_code == 2 and "breaks no rule" in output(result)


# --- complaints ---------------------------------------------------------------------------------------------


def complaint_of(case: Case, tmp_path: Path, commitment: bytes) -> Path:
    """Return the first member's complaint that a record is missing from the index of window 1."""
    case.write()
    tree, made = tree_of(case.made.entries), case.made
    upload = case.find("upload")
    count = messages.body_of(made.entries[upload].message, UploadCommitment).count
    receipt = made.sign(made.trustees[3], Receipt(EPOCH, STREAM, 1, upload, count))
    complaint = Complaint(
        made.secretariat_key,
        case.note.encode().decode(),
        receipt,
        evidence.under(tree, case.note, made.entries[upload]),
        evidence.under(tree, case.note, made.entries[case.find("index")]),
        (MissingRecord(commitment, hashlib.sha256(b"what was sent").digest()),),
    )
    from tacit_protocol import signing

    path = tmp_path / "complaint.json"
    path.write_bytes(messages.encode(signing.sign(case.members[0], "complaint", messages.encode(complaint))))
    return path


def test_a_complaint_stands_and_both_must_explain(case: Case, tmp_path: Path) -> None:
    result = run(case, complaint_of(case, tmp_path, bytes(32)))
    assert result.exit_code == 1
    assert "lacks 1 records" in output(result) and "(trustee 3, secretariat)" in output(result)


def test_a_complaint_about_a_record_that_is_there_proves_nothing(case: Case, tmp_path: Path) -> None:
    present = case.made.files[1][-RECORD_BYTES:][:COMMITMENT_BYTES]
    result = run(case, complaint_of(case, tmp_path, present))
    assert result.exit_code == 2 and "are in the index" in output(result)


def test_a_complaint_without_the_index_file_is_not_judged(case: Case, tmp_path: Path) -> None:
    path = complaint_of(case, tmp_path, bytes(32))
    (case.folder / "indexes" / EPOCH / STREAM / "1.tacit-index").unlink()
    assert run(case, path).exit_code == 2


def test_a_complaint_in_another_members_name_is_refused(case: Case, tmp_path: Path) -> None:
    path = complaint_of(case, tmp_path, bytes(32))
    fields = json.loads(path.read_bytes())
    fields["signer"] = case.name(1)
    path.write_text(json.dumps(fields))
    result = run(case, path)
    assert result.exit_code == 2 and "signature" in output(result)


@pytest.mark.parametrize("content", [b"", b"{}", b"PK\x03\x04", b'{"format":"tacit/1 fork"}'])
def test_other_files_are_no_evidence(case: Case, tmp_path: Path, content: bytes) -> None:
    case.write()
    path = tmp_path / "other"
    path.write_bytes(content)
    result = run(case, path)
    assert result.exit_code == 2 and "Traceback" not in result.output
