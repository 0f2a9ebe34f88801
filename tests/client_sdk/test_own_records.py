"""A contributor looks for every record of its own under the logged root, and complains with its receipt."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from support.audits import Case
from support.boards import EPOCH, STREAM
from support.logs import LogServer
from tacit_client.cli import app
from tacit_client.contribution import StoredUpload, load_upload
from tacit_client.errors import Refused
from tacit_client.log_follower import LogFollower
from tacit_client.own_records import OwnRecords
from tacit_client.session import StreamContext
from tacit_client.vault import Vault
from tacit_protocol import evidence, handover, messages, signing
from tacit_protocol.evidence import Complaint
from tacit_protocol.handover_evidence import MissingRecord
from tacit_protocol.index_file import IndexFile
from tacit_protocol.messages import BoardEntry, Handover, IndexRoot, Receipt, UploadCommitment, WindowClose
from tacit_protocol.sealed_index import COMMITMENT_BYTES, RECORD_BYTES
from tacit_protocol.signing import Signed

CONTEXT = StreamContext(EPOCH, STREAM, 2, bytes(32), {})
COUNT = 64


class Contributor:
    """The first member of a case, on its machine, with its upload in window 1."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case, self.home = case, folder / "member"
        self.vault = Vault.create(self.home)
        self.downloads = 0
        self.refused: Refused | None = None
        made, entry = case.made, case.find("upload")
        records = made.files[1][-2 * COUNT * RECORD_BYTES :]
        self.commitments = [records[RECORD_BYTES * i :][:COMMITMENT_BYTES] for i in range(COUNT)]
        receipt = made.sign(made.trustees[3], Receipt(EPOCH, STREAM, 1, entry, COUNT))
        sent = made.sent[entry]
        self.upload = StoredUpload(bytes(32), 1, sent.salt, 50, COUNT, b"", entry, receipt, sent=sent.hashes)
        self.save()

    def save(self) -> None:
        self.upload.commitments = b"".join(self.commitments)
        self.vault.put(f"uploads/{EPOCH}/{STREAM}", msgspec.msgpack.encode(self.upload))
        assert load_upload(self.vault, CONTEXT) == self.upload

    @contextmanager
    def opened(self, root: IndexRoot) -> Iterator[IndexFile]:
        self.downloads += 1
        yield IndexFile(self.case.made.files[root.window])

    def verify(self) -> str | None:
        log: LogFollower = LogServer(self.case.made).follower(self.home)
        board = log.follow()
        return OwnRecords(self.vault, CONTEXT, log, self.case.members[0]).verify(board, self.opened, self.listed)

    def listed(self, handed_over: Handover) -> bytes:
        if self.refused is not None:
            raise self.refused
        return self.case.made.lists[handed_over.window]

    def complaint(self) -> Path:
        (path,) = (self.home / "evidence").iterdir()
        return path


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "log")


@pytest.fixture
def contributor(case: Case, tmp_path: Path) -> Contributor:
    return Contributor(case, tmp_path)


def audit(case: Case, file: Path) -> tuple[int, str]:
    case.write()
    keys = str(case.folder / "keys.json")
    arguments = ["audit", "evidence", str(file), "--folder", str(case.folder), "--trustee-keys", keys]
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, " ".join(result.output.split())


def test_when_all_are_there_the_index_is_looked_through_once(contributor: Contributor) -> None:
    assert contributor.verify() is None
    assert contributor.verify() is None
    assert contributor.downloads == 1
    assert not (contributor.home / "evidence").exists()


@pytest.mark.parametrize("place", [0, 49, 63], ids=["the first", "the last real one", "a dummy"])
def test_a_dropped_record_is_complained_of_and_the_auditor_agrees(
    case: Case, contributor: Contributor, place: int
) -> None:
    lost = contributor.commitments[place] = hashlib.sha256(b"dropped").digest()
    contributor.save()
    warning = contributor.verify()
    assert warning is not None and "1 of the 64 records" in warning and "to the auditor" in warning
    signed = messages.decode(contributor.complaint().read_bytes(), Signed)
    complaint = evidence.verify_complaint(signed, case.made.board())
    assert [record.commitment for record in complaint.missing] == [lost]
    assert "the secretariat did not publish 1 of them" in warning
    code, words = audit(case, contributor.complaint())
    assert code == 1 and "the index of window 1 lacks 1 records" in words and words.endswith("(secretariat)")
    assert contributor.verify() is not None  # it is said again until it is settled


def test_what_the_shuffler_dropped_is_told_from_what_the_secretariat_left_out(
    case: Case, contributor: Contributor
) -> None:
    made = case.made
    hand_over_instead(case, lambda packed: replaced(packed, contributor.upload.sent[32 * 5 : 32 * 6], bytes(32)))
    for place in (5, 9):
        contributor.commitments[place] = hashlib.sha256(b"not published %d" % place).digest()
    contributor.save()
    warning = contributor.verify()
    assert warning is not None and "2 of the 64 records" in warning
    assert "trustee 3 did not hand over 1 of them; the secretariat did not publish 1 of them" in warning
    signed = messages.decode(contributor.complaint().read_bytes(), Signed)
    complaint = evidence.verify_complaint(signed, made.board())
    assert [record.position for record in complaint.missing] == [5, 9]
    code, words = audit(case, contributor.complaint())
    assert code == 1 and "the hand-over of window 1 lacks 1 records" in words
    assert "the index of window 1 lacks 1 records" in words and words.endswith("(trustee 3, secretariat)")


def test_a_complaint_shows_no_hash_of_a_record_that_is_not_missing(case: Case, contributor: Contributor) -> None:
    contributor.commitments[7] = hashlib.sha256(b"dropped").digest()
    contributor.save()
    contributor.verify()
    complaint = evidence.verify_complaint(
        messages.decode(contributor.complaint().read_bytes(), Signed), case.made.board()
    )
    shown = messages.encode(complaint)
    sent = [contributor.upload.sent[i : i + 32] for i in range(0, 32 * COUNT, 32)]
    for form in (lambda one: one, base64.b64encode, lambda one: one.hex().encode()):
        found = [i for i, one in enumerate(sent) if form(one) in shown or form(one) in complaint.salted]
        assert set(found) <= {7}
    assert complaint.missing[0].sent_sha256 == sent[7]


@pytest.mark.parametrize("shown", [b"", bytes(32), None], ids=["nothing", "another list", "not found"])
def test_a_list_that_is_not_the_signed_one_is_the_secretariats_to_explain(
    case: Case, contributor: Contributor, shown: bytes | None
) -> None:
    contributor.commitments[7] = hashlib.sha256(b"dropped").digest()
    contributor.save()
    if shown is None:
        contributor.refused = Refused("secretariat refuses: no list", party="secretariat", evidence={"status": 404})
        del case.made.lists[1]
    else:
        case.made.lists[1] = shown
    warning = contributor.verify()
    assert warning is not None and ("not the one that the shuffler signed" in warning or "does not show" in warning)
    code, words = audit(case, contributor.complaint())
    if shown is None:
        assert code == 2 and "the list of the hand-over is needed" in words  # a folder without it proves nothing
    else:
        assert code == 1 and "not the one that the shuffler signed" in words and words.endswith("(secretariat)")


def test_a_list_that_cannot_be_asked_for_is_asked_for_again(contributor: Contributor) -> None:
    contributor.commitments[7] = hashlib.sha256(b"dropped").digest()
    contributor.save()
    contributor.refused = Refused("secretariat refuses: who are you", party="secretariat", evidence={"status": 401})
    warning = contributor.verify()
    assert warning is not None and "Who lost them is not known yet" in warning and "who are you" in warning
    assert not (contributor.home / "evidence").exists()
    contributor.refused = None
    again = contributor.verify()
    assert again is not None and "to the auditor" in again
    assert (contributor.home / "evidence").exists()


def replaced(packed: bytes, old: bytes, new: bytes) -> bytes:
    hashes = [packed[i : i + 32] for i in range(0, len(packed), 32)]
    assert old in hashes
    return handover.make_list(new if one == old else one for one in hashes)


def hand_over_instead(case: Case, change: Callable[[bytes], bytes]) -> None:
    """Let the shuffler have signed another list for window 1, and the secretariat have let it pass."""
    made = case.made
    at = case.find("handover")
    signed = messages.body_of(made.entries[at].message, Handover)
    made.lists[1] = change(made.lists[1])
    digest = handover.list_digest(EPOCH, STREAM, 1, made.lists[1])
    message = made.sign(made.trustees[3], msgspec.structs.replace(signed, digest=digest))
    made.entries[at] = BoardEntry(at, made.entries[at].time, message)


def test_an_upload_left_out_of_the_hand_over_is_the_shufflers_to_explain(tmp_path: Path) -> None:
    case = Case(tmp_path / "log")
    made, member = case.made, case.members[0]
    entry = made.add(member, UploadCommitment(EPOCH, STREAM, 2, COUNT, bytes(64)))
    others = [made.add(m, UploadCommitment(EPOCH, STREAM, 2, COUNT, bytes(64))) for m in (case.members[1],)]
    first = case.find("upload")
    made.add(made.secretariat, WindowClose(EPOCH, STREAM, 2))
    made.add(made.trustees[3], Handover(EPOCH, STREAM, 2, (first, *others), 2 * COUNT, bytes(64)))
    contributor = Contributor(case, tmp_path)
    receipt = made.sign(made.trustees[3], Receipt(EPOCH, STREAM, 2, entry, COUNT))
    contributor.upload = msgspec.structs.replace(contributor.upload, window=2, entry=entry, receipt=receipt)
    contributor.save()
    warning = contributor.verify()
    assert warning is not None and "all 64 records" in warning
    code, words = audit(case, contributor.complaint())
    assert code == 1 and "leaves out an upload" in words and "(trustee 3)" in words
    signed = messages.decode(contributor.complaint().read_bytes(), Signed)
    complaint = messages.decode(signed.body, Complaint)
    record = MissingRecord(0, bytes(32), bytes(32), bytes(32))
    changed = messages.encode(msgspec.structs.replace(complaint, missing=(record,)))
    contributor.complaint().write_bytes(messages.encode(signing.sign(member, "complaint", changed)))
    code, words = audit(case, contributor.complaint())
    assert code == 2 and "single records of it are named" in words


def test_without_a_receipt_or_an_index_there_is_nothing_to_look_for(case: Case, tmp_path: Path) -> None:
    contributor = Contributor(case, tmp_path)
    contributor.upload.receipt = None
    contributor.save()
    assert contributor.verify() is None
    contributor.vault.drop(f"uploads/{EPOCH}/{STREAM}")
    assert contributor.verify() is None
    assert contributor.downloads == 0
