"""A contributor looks for every record of its own under the logged root, and complains with its receipt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
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
from tacit_client.log_follower import LogFollower
from tacit_client.own_records import OwnRecords
from tacit_client.session import StreamContext
from tacit_client.vault import Vault
from tacit_protocol import evidence, messages
from tacit_protocol.index_file import IndexFile
from tacit_protocol.messages import Handover, IndexRoot, Receipt, UploadCommitment, WindowClose
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
        made, entry = case.made, case.find("upload")
        records = made.files[1][-2 * COUNT * RECORD_BYTES :]
        self.commitments = [records[RECORD_BYTES * i :][:COMMITMENT_BYTES] for i in range(COUNT)]
        receipt = made.sign(made.trustees[3], Receipt(EPOCH, STREAM, 1, entry, COUNT))
        self.upload = StoredUpload(bytes(32), 1, bytes(32), 50, COUNT, b"", entry, receipt)
        self.save()

    def save(self) -> None:
        self.upload.commitments = b"".join(self.commitments)
        self.upload.sent = b"".join(hashlib.sha256(each).digest() for each in self.commitments)
        self.vault.put(f"uploads/{EPOCH}/{STREAM}", msgspec.msgpack.encode(self.upload))
        assert load_upload(self.vault, CONTEXT) == self.upload

    @contextmanager
    def opened(self, root: IndexRoot) -> Iterator[IndexFile]:
        self.downloads += 1
        yield IndexFile(self.case.made.files[root.window])

    def verify(self) -> str | None:
        log: LogFollower = LogServer(self.case.made).follower(self.home)
        board = log.follow()
        return OwnRecords(self.vault, CONTEXT, log, self.case.members[0]).verify(board, self.opened)

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
    code, words = audit(case, contributor.complaint())
    assert code == 1 and "lacks 1 records" in words and "(trustee 3, secretariat)" in words
    assert contributor.verify() is not None  # it is said again until it is settled


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


def test_without_a_receipt_or_an_index_there_is_nothing_to_look_for(case: Case, tmp_path: Path) -> None:
    contributor = Contributor(case, tmp_path)
    contributor.upload.receipt = None
    contributor.save()
    assert contributor.verify() is None
    contributor.vault.drop(f"uploads/{EPOCH}/{STREAM}")
    assert contributor.verify() is None
    assert contributor.downloads == 0
