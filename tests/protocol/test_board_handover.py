"""Hand-overs as everybody who follows judges them: counts, turns, nobody left out, a crowd of each kind."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from support.vectors import draw_from
from tacit_protocol import messages, signing
from tacit_protocol.board import Board, BoardError
from tacit_protocol.errors import TacitError, UploadError
from tacit_protocol.handover import list_digest
from tacit_protocol.messages import BoardEntry, Enrolment, Handover, IndexRoot, Manifest, Message, Trustee, WindowClose
from tacit_protocol.messages import UploadCommitment as Upload

E, S, LEAST = "2026-h2", "social-audit", 2


class Table:
    """A board with one epoch, its secretariat, shuffler and members."""

    def __init__(self) -> None:
        draw = draw_from("hand-overs")
        keys = [Ed25519PrivateKey.from_private_bytes(draw(32)) for _ in range(8)]
        self.secretariat, self.shuffler, self.members = keys[0], keys[1], keys[2:]
        own = signing.public_bytes(self.secretariat)
        self.board = Board(own)
        trustee = Trustee(1, signing.public_bytes(self.shuffler), bytes(32), "https://t.example")
        self.say(self.secretariat, Manifest(E, (S,), 1, (trustee,), 1, 8192, LEAST, own, bytes(32), 0, 10))
        for key in self.members:
            self.say(key, Enrolment(signing.public_bytes(key), bytes(32)))

    def say(self, key: Ed25519PrivateKey, message: Message) -> int:
        signed = signing.sign(key, messages.kind_of(message), messages.encode(message))
        self.board.apply(BoardEntry(self.board.size, 0, signed))
        return self.board.size - 1

    def upload(self, member: int, count: int = 64) -> int:
        window = self.board.open_window(E, S)
        return self.say(self.members[member], Upload(E, S, window, count, bytes(64)))

    def close(self) -> int:
        window = self.board.open_window(E, S)
        self.say(self.secretariat, WindowClose(E, S, window))
        return window

    def hand_over(self, window: int, *entries: int, count: int | None = None) -> None:
        records = 64 * len(entries) if count is None else count
        digest = bytes(64) if records else list_digest(E, S, window, b"")
        self.say(self.shuffler, Handover(E, S, window, entries, records, digest))

    def round(self, *entries: int) -> None:
        self.hand_over(self.close(), *entries)


@pytest.fixture
def table() -> Table:
    """Two members contributed and were handed over in window 1: entries 7 and 8."""
    table = Table()
    table.round(table.upload(0), table.upload(1))
    return table


def test_a_crowd_of_each_kind_is_accepted(table: Table) -> None:
    entries = [table.upload(i) for i in (0, 1, 2, 3)]
    table.round(*entries)
    assert table.board.handovers[E, S, 2].entries == tuple(entries)


def test_newcomers_may_come_alone_with_the_earlier_uploads(table: Table) -> None:
    earlier = table.board.handovers[E, S, 1].entries
    table.round(*earlier, table.upload(2), table.upload(3))


@pytest.mark.parametrize(
    ("replacing", "new"),
    [((0,), (2, 3)), ((0, 1), (2,)), ((0,), ()), ((), (2,)), ((0,), (2,)), ((), ())],
    ids=["one replaces among many new", "one is new among many that replace", "one replaces", "one is new",
         "one of each", "nothing is fresh"],
)  # fmt: skip
def test_too_small_a_crowd_of_either_kind_is_refused(
    table: Table, replacing: tuple[int, ...], new: tuple[int, ...]
) -> None:
    entries = dict(zip((0, 1), table.board.handovers[E, S, 1].entries, strict=True))
    entries.update({member: table.upload(member) for member in (*replacing, *new)})
    with pytest.raises(UploadError, match="contributors, 2 are the least") as caught:
        table.round(*entries.values())
    assert caught.value.party == "trustee 1"


def left_out(table: Table, window: int, *entries: int) -> list[bool]:
    return [table.board.leaves_out(table.board.handovers[E, S, window], entry) for entry in entries]


def test_who_waits_for_a_crowd_of_its_kind_is_not_left_out(table: Table) -> None:
    replaced, new = table.upload(0), table.upload(2)
    earlier = table.board.handovers[E, S, 1].entries
    newer = [table.upload(3), table.upload(4)]
    table.round(*earlier, *newer, new)  # one alone replaces, so it waits
    assert left_out(table, 2, replaced, new, *newer, *earlier) == [False] * 6
    assert left_out(table, 1, *earlier, replaced) == [False] * 3


def test_who_is_passed_over_while_others_of_its_kind_are_taken_is_left_out(table: Table) -> None:
    new = [table.upload(i) for i in (2, 3, 4)]
    earlier = table.board.handovers[E, S, 1].entries
    table.round(*earlier, *new[:2])
    assert left_out(table, 2, *new) == [False, False, True]
    replaced = [table.upload(i) for i in (0, 1, 2)]
    table.round(*replaced[:2], *new[:2])
    assert left_out(table, 3, *replaced) == [False, False, True]
    assert left_out(table, 3, *new, *earlier) == [False] * 5  # the third newcomer may wait here: no other was taken


def test_an_upload_that_its_member_replaced_is_not_left_out(table: Table) -> None:
    first, second, other = table.upload(2), table.upload(2), table.upload(3)
    earlier = table.board.handovers[E, S, 1].entries
    table.round(*earlier, second, other)
    assert left_out(table, 2, first, second) == [False, False]


def test_an_empty_hand_over_leaves_nobody_out(table: Table) -> None:
    alone = table.upload(2)
    table.hand_over(table.close(), count=0)
    assert left_out(table, 2, alone) == [False]


def test_an_empty_hand_over_lets_everybody_wait(table: Table) -> None:
    alone = table.upload(2)
    table.hand_over(table.close(), count=0)
    entries = table.board.handovers[E, S, 1].entries
    table.round(*entries, alone, table.upload(3))


def test_an_empty_hand_over_under_the_digest_of_something_is_refused(table: Table) -> None:
    """Nobody has a list for it: on the log it would look as if the secretariat hid one."""
    window = table.close()
    for digest in (bytes(64), list_digest(E, S, window, bytes(32)), list_digest(E, S, window + 1, b"")):
        with pytest.raises(UploadError, match="not of an empty list") as caught:
            table.say(table.shuffler, Handover(E, S, window, (), 0, digest))
        assert caught.value.party == "trustee 1"
    table.hand_over(window, count=0)


def test_leaving_out_a_member_of_an_earlier_hand_over_is_refused(table: Table) -> None:
    first, _ = table.board.handovers[E, S, 1].entries
    with pytest.raises(UploadError, match="leaves out 1 members"):
        table.round(first, table.upload(2), table.upload(3))


def test_another_count_than_committed_is_refused(table: Table) -> None:
    entries = [table.upload(i) for i in (0, 1)]
    with pytest.raises(UploadError, match="committed to 128"):
        table.hand_over(table.close(), *entries, count=192)


def test_one_member_twice_or_an_entry_that_is_no_upload_is_refused(table: Table) -> None:
    entries = [table.upload(i) for i in (0, 0, 1)]
    window = table.close()
    with pytest.raises(UploadError, match="out of turn"):
        table.hand_over(window, *entries)
    with pytest.raises(UploadError, match="no upload"):
        table.hand_over(window, 0, 1)


def test_a_window_is_handed_over_once_and_in_turn(table: Table) -> None:
    entries = [table.upload(i) for i in (0, 1)]
    for window in (1, 3):
        with pytest.raises(BoardError, match="not the next"):
            table.hand_over(window, *entries)
    with pytest.raises(BoardError, match="still open"):
        table.hand_over(2, *entries)


@pytest.mark.parametrize(("records", "entries"), [(129, 14 * 129), (128, 14 * 128 - 14), (127, 14 * 129)], ids=str)
def test_an_index_with_impossible_counts_is_refused(table: Table, records: int, entries: int) -> None:
    with pytest.raises(TacitError, match="other counts") as caught:
        table.say(table.secretariat, IndexRoot(E, S, 1, bytes(32), 0, records, entries))
    assert caught.value.party == "secretariat"


@pytest.mark.parametrize(("records", "entries"), [(128, 14 * 128), (127, 14 * 127), (127, 14 * 128)], ids=str)
def test_an_index_may_have_fewer_records_and_the_entries_of_copies(table: Table, records: int, entries: int) -> None:
    table.say(table.secretariat, IndexRoot(E, S, 1, bytes(32), 0, records, entries))
    assert table.board.latest_index(E, S) is not None
