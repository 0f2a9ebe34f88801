"""Evidence files: what they prove is told from what they do not, and who is to explain it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from support.audits import Case
from support.boards import EPOCH, STREAM
from tacit_client.cli import app
from tacit_protocol import evidence, handover, merkle, messages, shuffle, signing
from tacit_protocol.evidence import Complaint
from tacit_protocol.handover_evidence import BadHandover, MissingRecord
from tacit_protocol.messages import BoardEntry, Handover, Receipt, UploadCommitment, WindowClose
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


def test_a_good_entry_after_another_beginning_of_the_log_proves_nothing(case: Case, tmp_path: Path) -> None:
    """Whoever shows evidence with a log of its own could otherwise make any entry break a rule."""
    grant = case.find("grant")
    case.write()
    made, tree = case.made, tree_of(case.made.entries)
    leaf = messages.encode_leaf(made.entries[grant])
    file = evidence.bad_entry(made.secretariat_key, case.note, tree, grant, leaf, "who is that")
    path = tmp_path / "entry.json"
    path.write_bytes(messages.encode(file))
    enrolments = [case.find("enrolment"), case.find("enrolment", 1)]
    first, second = (made.entries[at] for at in enrolments)
    made.entries[first.sequence] = msgspec.structs.replace(first, message=second.message)  # the first never joined
    case.write()
    result = run(case, path)
    assert result.exit_code == 2 and "something else before entry" in output(result)


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


def complaint_of(case: Case, tmp_path: Path, commitment: bytes, **changes: object) -> Path:
    """Return the first member's complaint that a record is missing from the index of window 1.

    ``changes`` are made to what it says of the missing record, or to its salted hashes.
    """
    case.write()
    tree, made = tree_of(case.made.entries), case.made
    upload = case.find("upload")
    count = messages.body_of(made.entries[upload].message, UploadCommitment).count
    by, epoch = changes.pop("receipt", (3, EPOCH))  # type: ignore[misc]
    receipt = made.sign(made.trustees[by], Receipt(epoch, STREAM, 1, upload, count))
    sent, place = made.sent[upload], slice(32 * 3, 32 * 4)
    missing = MissingRecord(3, shuffle.hash_salts(sent.salt, 64)[place], sent.hashes[place], commitment)
    complaint = Complaint(
        made.secretariat_key,
        case.note.encode().decode(),
        receipt,
        evidence.under(tree, case.note, made.entries[upload]),
        evidence.under(tree, case.note, made.entries[case.find("index")]),
        changes.pop("salted", shuffle.salted_hashes(sent.salt, sent.hashes)),  # type: ignore[arg-type]
        (msgspec.structs.replace(missing, **changes),),
    )
    path = tmp_path / "complaint.json"
    path.write_bytes(messages.encode(signing.sign(case.members[0], "complaint", messages.encode(complaint))))
    return path


def test_a_record_that_was_handed_over_and_not_published_is_the_secretariats_to_explain(
    case: Case, tmp_path: Path
) -> None:
    result = run(case, complaint_of(case, tmp_path, bytes(32)))
    words = output(result)
    assert result.exit_code == 1 and "the index of window 1 lacks 1 records" in words
    assert f"either the secretariat left them out, or member {case.name(0)} sealed something else" in words
    assert words.endswith("(secretariat)")


def test_a_record_that_was_not_handed_over_is_the_shufflers_alone(case: Case, tmp_path: Path) -> None:
    made, upload = case.made, case.find("upload")
    kept = made.lists[1]
    lost = made.sent[upload].hashes[32 * 3 : 32 * 4]
    hashes = {kept[i : i + 32] for i in range(0, len(kept), 32)}
    packed = handover.make_list((hashes - {lost}) | {lost[::-1]})
    at = case.find("handover")
    signed = messages.body_of(made.entries[at].message, Handover)
    changed = msgspec.structs.replace(signed, digest=handover.list_digest(EPOCH, STREAM, 1, packed))
    made.entries[at] = BoardEntry(at, made.entries[at].time, made.sign(made.trustees[3], changed))
    made.lists[1] = packed
    present = made.files[1][-RECORD_BYTES:][:COMMITMENT_BYTES]
    for commitment in (bytes(32), present):  # whatever the member says that it sealed
        result = run(case, complaint_of(case, tmp_path, commitment))
        assert result.exit_code == 1 and output(result).endswith("(trustee 3)")
        assert "the hand-over of window 1 lacks 1 records that the shuffler had receipted" in output(result)


FALSE_COMPLAINTS = {
    "a record that was never in the upload": ({"sent_sha256": bytes(32)}, "was not in the upload"),
    "a record of another place": ({"position": 4}, "was not in the upload"),
    "a place beyond the upload": ({"position": 64}, "was not in the upload"),
    "another upload's hashes": ({"salted": bytes(32 * 64)}, "not those of the upload on the log"),
    "too few hashes": ({"salted": bytes(32 * 63)}, "shows 63 records of 64"),
}


@pytest.mark.parametrize("name", FALSE_COMPLAINTS)
def test_a_complaint_that_does_not_come_to_the_commitment_proves_nothing(case: Case, tmp_path: Path, name: str) -> None:
    changes, reason = FALSE_COMPLAINTS[name]
    result = run(case, complaint_of(case, tmp_path, bytes(32), **changes))
    assert result.exit_code == 2 and "proves nothing" in output(result) and reason in output(result)


def test_a_complaint_about_a_record_that_is_there_proves_nothing(case: Case, tmp_path: Path) -> None:
    present = case.made.files[1][-RECORD_BYTES:][:COMMITMENT_BYTES]
    result = run(case, complaint_of(case, tmp_path, present))
    assert result.exit_code == 2 and "handed over and are in the index" in output(result)


def test_a_complaint_without_the_index_file_is_not_judged(case: Case, tmp_path: Path) -> None:
    path = complaint_of(case, tmp_path, bytes(32))
    (case.folder / "indexes" / EPOCH / STREAM / "1.tacit-index").unlink()
    assert run(case, path).exit_code == 2


def test_a_complaint_without_the_list_is_not_judged(case: Case, tmp_path: Path) -> None:
    path = complaint_of(case, tmp_path, bytes(32))
    (case.folder / "indexes" / EPOCH / STREAM / "1.tacit-handover").unlink()
    result = run(case, path)
    assert result.exit_code == 2 and "the list of the hand-over is needed" in output(result)


def test_a_receipt_by_the_shuffler_of_another_epoch_proves_nothing(case: Case, tmp_path: Path) -> None:
    """A member and a trustee that shuffles elsewhere could otherwise blame the shuffler, which never got the upload."""
    made = case.made
    made.add(made.secretariat, msgspec.structs.replace(made.manifest(), epoch="2027-h1", shuffler=2))
    result = run(case, complaint_of(case, tmp_path, bytes(32), receipt=(2, "2027-h1")))
    assert result.exit_code == 2 and "the receipt is for another upload" in output(result)


@pytest.mark.parametrize("kind", ["index", "handover", "upload"])
def test_a_complaint_about_what_the_log_that_was_read_does_not_hold_is_not_judged(
    case: Case, tmp_path: Path, kind: str
) -> None:
    """An older copy of the log, or another history of it."""
    path = complaint_of(case, tmp_path, bytes(32))
    del case.made.entries[case.find(kind) :]
    case.write()
    result = run(case, path)
    assert result.exit_code == 2 and "read the log anew" in output(result)


def test_a_complaint_from_another_history_of_the_log_is_not_judged(case: Case, tmp_path: Path) -> None:
    path = complaint_of(case, tmp_path, bytes(32))
    entry = case.made.entries[case.find("upload")]
    other = msgspec.structs.replace(messages.body_of(entry.message, UploadCommitment), digest=bytes(64))
    case.made.entries[entry.sequence] = BoardEntry(entry.sequence, entry.time, case.made.sign(case.members[0], other))
    case.write()
    result = run(case, path)
    assert result.exit_code == 2 and "something else as entry" in output(result)


def test_a_complaint_in_another_members_name_is_refused(case: Case, tmp_path: Path) -> None:
    path = complaint_of(case, tmp_path, bytes(32))
    fields = json.loads(path.read_bytes())
    fields["signer"] = case.name(1)
    path.write_text(json.dumps(fields))
    result = run(case, path)
    assert result.exit_code == 2 and "signature" in output(result)


# --- bad hand-overs -----------------------------------------------------------------------------------------


def bad_handover(case: Case, tmp_path: Path, name: str) -> Path:
    """Return the evidence of a hand-over of window 2 with a fault."""
    made = case.made
    uploads = [made.upload(member, 2) for member in case.members]
    made.add(made.secretariat, WindowClose(EPOCH, STREAM, 2))
    hashes = [made.sent[entry].hashes[i : i + 32] for entry in uploads for i in range(0, 32 * 64, 32)]
    signer, count, entries, hide = made.trustees[3], 128, tuple(uploads), False
    if name == "a record twice":
        hashes[0] = hashes[1]
    elif name == "one more than it says":
        hashes.append(bytes(32))
    elif name == "one more than was committed to":
        hashes.append(bytes(32))
        count += 1
    elif name == "an entry that is no upload":
        entries = (uploads[0], 1)
    elif name == "an upload twice":
        entries = (uploads[0], uploads[0])
    elif name == "signed by somebody else":
        hashes[0], signer = hashes[1], made.trustees[1]
    elif name == "another list than the signed one":
        hide = True
    packed = handover.make_list(hashes)
    message = Handover(EPOCH, STREAM, 2, entries, count, handover.list_digest(EPOCH, STREAM, 2, packed))
    shown = packed[:32] * 2 + packed[64:] if hide else packed
    case.write()
    path = tmp_path / "handover.json"
    path.write_bytes(messages.encode(BadHandover(made.secretariat_key, made.sign(signer, message), shown)))
    return path


BAD_HANDOVERS = {
    "a record twice": "1 of its records are copies",
    "one more than it says": "it says 128 records, its list has 129",
    "one more than was committed to": "whose uploads it names committed to 128",
    "an entry that is no upload": "names entry 1, which is no upload",
    "an upload twice": "names an upload twice",
}


@pytest.mark.parametrize("name", BAD_HANDOVERS)
def test_a_bad_hand_over_is_the_shufflers(case: Case, tmp_path: Path, name: str) -> None:
    result = run(case, bad_handover(case, tmp_path, name))
    assert result.exit_code == 1 and BAD_HANDOVERS[name] in output(result)
    assert "(trustee 3)" in output(result) and "secretariat)" not in output(result)


@pytest.mark.parametrize("name", ["nothing", "signed by somebody else", "another list than the signed one"])
def test_a_good_hand_over_or_one_that_the_shuffler_did_not_sign_proves_nothing(
    case: Case, tmp_path: Path, name: str
) -> None:
    result = run(case, bad_handover(case, tmp_path, name))
    assert result.exit_code == 2 and "proves nothing" in output(result)


def cosigned_by(case: Case, *cosigners: int) -> None:
    """Let the log stand as it is under a checkpoint that only these trustees cosigned."""
    size, root = len(case.made.entries), tree_of(case.made.entries).root()
    (case.folder / "log" / "checkpoint").write_bytes(case.signed(size, root, cosigners).encode())


def test_a_history_that_the_trustees_did_not_cosign_makes_no_good_hand_over_bad(case: Case, tmp_path: Path) -> None:
    """The secretariat alone can write a log in which the upload that the shuffler took was another one."""
    path = bad_handover(case, tmp_path, "nothing")
    entry = case.made.entries[case.find("upload", 2)]
    other = msgspec.structs.replace(messages.body_of(entry.message, UploadCommitment), count=128)
    case.made.entries[entry.sequence] = BoardEntry(entry.sequence, entry.time, case.made.sign(case.members[0], other))
    case.write()
    for cosigners in ((), (2,)):
        cosigned_by(case, *cosigners)
        result = run(case, path)
        assert result.exit_code == 2 and "nobody is judged by a log" in output(result)
        assert "of 3 trustees cosigned the checkpoint, 2 are needed" in output(result)
    cosigned_by(case, 1, 2)  # more than half lie: then it cannot be told from a shuffler that does
    assert run(case, path).exit_code == 1


def test_a_complaint_is_not_judged_by_a_log_that_the_trustees_did_not_cosign(case: Case, tmp_path: Path) -> None:
    path = complaint_of(case, tmp_path, bytes(32))
    cosigned_by(case, 1)
    result = run(case, path)
    assert result.exit_code == 2 and "nobody is judged by a log" in output(result)
    cosigned_by(case, 1, 3)
    assert run(case, path).exit_code == 1


@pytest.mark.parametrize("content", [b"", b"{}", b"PK\x03\x04", b'{"format":"tacit/1 fork"}'])
def test_other_files_are_no_evidence(case: Case, tmp_path: Path, content: bytes) -> None:
    case.write()
    path = tmp_path / "other"
    path.write_bytes(content)
    result = run(case, path)
    assert result.exit_code == 2 and "Traceback" not in result.output
