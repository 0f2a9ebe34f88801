"""The secretariat takes a hand-over in: its list is kept before the board knows of it, a bad one is kept as proof."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from support.audits import Case
from support.boards import EPOCH, STREAM
from tacit_protocol import evidence, handover, handover_evidence, messages, shuffle, signing
from tacit_protocol.board import Board
from tacit_protocol.errors import UploadError
from tacit_protocol.handover_evidence import BadHandover
from tacit_protocol.messages import BoardEntry, Handover, UploadCommitment, WindowClose
from tacit_protocol.signing import Signed
from tacit_server.errors import BusyError, ConflictError, ForbiddenError
from tacit_server.secretariat import handovers
from tacit_server.secretariat.publish import Shelves

PLACE = (EPOCH, STREAM, 2)
COUNT = 64


class Bench:
    """A made board behind the keeper's interface, and the shuffler's pages of window 2."""

    def __init__(self, folder: Path) -> None:
        self.case = Case(folder / "log")
        self.made, self.shelves, self.killed = self.case.made, Shelves(folder), False
        self.home = SimpleNamespace(folder=folder)
        self.records = [[self.made.draw(shuffle.UPLOAD_BYTES) for _ in range(COUNT)] for _ in self.case.members]
        self.uploads = tuple(self._commit(n) for n in range(len(self.case.members)))
        self.made.add(self.made.secretariat, WindowClose(EPOCH, STREAM, 2))
        self.board = self.made.board()

    def _commit(self, number: int) -> int:
        salt = self.made.draw(32)
        digest = shuffle.upload_digest(salt, EPOCH, STREAM, b"".join(shuffle.record_hashes(self.records[number])))
        return self.made.add(self.case.members[number], UploadCommitment(EPOCH, STREAM, 2, COUNT, digest))

    @contextmanager
    def view(self) -> Iterator[Board]:
        yield self.board

    def append(self, message: Signed) -> tuple[BoardEntry, bool]:
        assert self.shelves.handover_list(*PLACE).is_file()  # before the board knows
        if self.killed:
            raise SystemExit("killed")
        if self.board.handovers.get(PLACE) is not None:
            return self.board_entry, False
        self.board_entry = BoardEntry(self.board.size, self.made.time, message)
        self.board.apply(self.board_entry)
        return self.board_entry, True

    @property
    def shuffler(self) -> str:
        return signing.pseudonym(self.made.trustee_keys[3])

    def complete(self, records: list[bytes], **changes: object) -> tuple[BoardEntry, bool]:
        """Bring pages of records and a hand-over whose digest is over their list, but for ``changes``."""
        pages = self.shelves.pages(*PLACE)
        pages.remove()
        for number, start in enumerate(range(0, len(records), 50)):
            handovers.receive_page(
                self, self.shelves, self.shuffler, PLACE, number, b"".join(records[start : start + 50])
            )
        packed = handover.make_list(shuffle.record_hashes(records))
        values = {
            "entries": self.uploads,
            "count": len(records),
            "digest": handover.list_digest(*PLACE, packed),
            **changes,
        }
        message = self.made.sign(self.made.trustees[3], Handover(*PLACE, **values))
        return handovers.complete(self, self.shelves, self.shuffler, PLACE, message)

    @property
    def kept(self) -> list[Path]:
        return sorted((self.home.folder / "evidence").glob("*"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_list_is_kept_and_is_the_signed_one(bench: Bench) -> None:
    records = [record for each in bench.records for record in each][::-1]
    entry, new = bench.complete(records)
    assert new and bench.kept == []
    packed = bench.shelves.handover_list(*PLACE).read_bytes()
    handover.verify_list(messages.body_of(entry.message, Handover), packed)
    assert all(handover.holds(packed, one) for one in shuffle.record_hashes(records))


def test_a_page_replaced_while_the_hand_over_is_completed_does_not_get_in(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the index would lack records of the signed list, and the secretariat would answer for the shuffler."""
    records = [record for each in bench.records for record in each]
    genuine, refused = handovers._list_of_pages, []

    def list_of_pages(*arguments: object) -> bytes:
        packed = genuine(*arguments)
        other = bench.made.draw(shuffle.UPLOAD_BYTES)
        with pytest.raises(BusyError) as caught:
            handovers.receive_page(bench, bench.shelves, bench.shuffler, PLACE, 0, other)
        refused.append(caught.value)
        return packed

    monkeypatch.setattr(handovers, "_list_of_pages", list_of_pages)
    entry, _ = bench.complete(records)
    assert refused
    kept = handover.make_list(shuffle.record_hashes(bench.shelves.pages(*PLACE).pages()))
    assert handover.is_signed(messages.body_of(entry.message, Handover), kept)


def test_killed_between_list_and_board_it_is_completed_by_the_next_try(bench: Bench) -> None:
    records = [record for each in bench.records for record in each]
    bench.killed = True
    with pytest.raises(SystemExit):
        bench.complete(records)
    assert bench.board.handovers.get(PLACE) is None
    bench.killed = False
    entry, new = bench.complete(records)
    assert new and messages.body_of(entry.message, Handover) == bench.board.handovers[PLACE]


def test_a_list_that_cannot_be_kept_keeps_the_hand_over_off_the_board(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(handovers, "write_atomically", full)
    with pytest.raises(OSError, match="no space"):
        bench.complete([record for each in bench.records for record in each])
    assert bench.board.handovers.get(PLACE) is None


def test_once_on_the_board_a_list_is_not_changed_any_more(bench: Bench) -> None:
    records = [record for each in bench.records for record in each]
    bench.complete(records)
    packed = bench.shelves.handover_list(*PLACE).read_bytes()
    other = bench.made.sign(bench.made.trustees[3], Handover(*PLACE, bench.uploads, 2 * COUNT, bytes(64)))
    with pytest.raises(ConflictError, match="already"):
        handovers.complete(bench, bench.shelves, bench.shuffler, PLACE, other)
    assert bench.shelves.handover_list(*PLACE).read_bytes() == packed


FAULTS = {
    "a copy in place of another record": (lambda records: [records[1], *records[1:]], {}, "copies of others"),
    "a copy more": (lambda records: [*records, records[0]], {}, "copies of others"),
    "a record more": (lambda records: [*records, bytes(1048)], {}, "committed to 128"),
    "a record more than it says": (lambda records: [*records, bytes(1048)], {"count": 128}, "its list has 129"),
    "an entry that is no upload": (lambda records: records, {"entries": (1, 2)}, "which is no upload"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_hand_over_is_refused_and_kept_as_evidence(bench: Bench, name: str) -> None:
    change, changes, reason = FAULTS[name]
    records = change([record for each in bench.records for record in each])
    for _ in range(2):  # the shuffler tries again and again: one file
        with pytest.raises(UploadError, match=reason) as caught:
            bench.complete(records, **changes)
        assert caught.value.party == "trustee 3"
    assert bench.board.handovers.get(PLACE) is None
    assert not bench.shelves.handover_list(*PLACE).exists()
    (path,) = bench.kept
    found = evidence.decode(path.read_bytes())
    assert isinstance(found, BadHandover)
    assert reason in handover_evidence.verify_bad_handover(found, bench.board)


def test_pages_that_are_not_the_signed_ones_are_refused_and_prove_nothing(bench: Bench) -> None:
    """Whoever brings the pages could have changed them: the signature is over others."""
    records = [record for each in bench.records for record in each]
    for changes, reason in (
        ({"digest": bytes(64)}, "not the ones its digest is over"),
        ({"digest": bytes(64), "count": 128}, "not the ones its digest is over"),
    ):
        with pytest.raises(UploadError, match=reason):
            bench.complete(records, **changes)
    with pytest.raises(UploadError, match="says 128 records, its pages hold 127"):
        bench.complete(records[1:], digest=bytes(64), count=128)
    assert bench.kept == [] and bench.board.handovers.get(PLACE) is None


def test_evidence_holds_no_record(bench: Bench) -> None:
    records = [record for each in bench.records for record in each]
    with pytest.raises(UploadError):
        bench.complete([records[1], *records[1:]])
    (path,) = bench.kept
    fields = json.loads(path.read_bytes())
    assert set(fields) == {"log_key", "handover", "hashes", "format"}
    assert path.stat().st_size < 128 * 32 * 4 // 3 + 2000


def test_only_the_shuffler_brings_it(bench: Bench) -> None:
    message = bench.made.sign(bench.made.trustees[1], Handover(*PLACE, bench.uploads, 2 * COUNT, bytes(64)))
    name = signing.pseudonym(bench.made.trustee_keys[1])
    with pytest.raises(ForbiddenError):
        handovers.complete(bench, bench.shelves, name, PLACE, message)
    assert bench.kept == []
