"""Hand-overs: once made ready they stay the same, go on where they were, and leave nothing behind."""

from __future__ import annotations

import secrets

import pytest

from server.running import SECRET, World
from tacit_protocol import messages, shuffle
from tacit_protocol.errors import UploadError
from tacit_protocol.handover import list_digest, make_list, verify_list
from tacit_protocol.messages import Handover, UploadCommitment
from tacit_protocol.shuffle import UPLOAD_BYTES
from tacit_server.settings import ServerSettings
from tacit_server.trustee.shuffler import Shuffler
from tacit_server.trustee.store import Store
from tacit_server.trustee.upstream import RefusedError, UnreachableError

PLACE = ("e", "s")


class FakeUpstream:
    """A secretariat that fails when told to."""

    def __init__(self) -> None:
        self.pages: dict[int, bytes] = {}
        self.sent: list[int] = []
        self.posted, self.completed = [], []
        self.fail_page, self.fail_complete = None, None

    def put_page(self, epoch, stream, window, number, page):
        if number == self.fail_page:
            raise UnreachableError("away")
        self.sent.append(number)
        self.pages[number] = page

    def complete(self, epoch, stream, window, signed):
        if self.fail_complete is not None:
            raise self.fail_complete
        self.completed.append(signed)

    def post(self, signed):
        self.posted.append(signed)


@pytest.fixture
def shuffler(tmp_path) -> Shuffler:
    world = World(tmp_path, trustee_count=1, settings=ServerSettings(secret=SECRET))
    home = world.home(1)
    return Shuffler(home, Store(home.database), FakeUpstream())


def hashes(*pages: bytes) -> bytes:
    return b"".join(shuffle.record_hashes(pages))


def upload(shuffler: Shuffler, member: str, entry: int, window: int = 1, count: int = 64) -> set[bytes]:
    page = secrets.token_bytes(UPLOAD_BYTES * count)
    salt = secrets.token_bytes(32)
    commitment = UploadCommitment("e", "s", window, count, shuffle.upload_digest(salt, "e", "s", hashes(page)))
    for number, start in enumerate(range(0, len(page), shuffle.PAGE_RECORDS * UPLOAD_BYTES)):
        piece = page[start : start + shuffle.PAGE_RECORDS * UPLOAD_BYTES]
        shuffler.receive_page(member, commitment, entry, number, piece)
    shuffler.verify(member, commitment, entry, salt)
    shuffler.accept(member, commitment, entry)
    return {page[i : i + UPLOAD_BYTES] for i in range(0, len(page), UPLOAD_BYTES)}


def commit(shuffler: Shuffler, member: str, entry: int, page: bytes) -> None:
    """Upload one page of given records, up to the receipt."""
    salt = secrets.token_bytes(32)
    count = len(page) // UPLOAD_BYTES
    commitment = UploadCommitment("e", "s", 1, count, shuffle.upload_digest(salt, "e", "s", hashes(page)))
    shuffler.receive_page(member, commitment, entry, 0, page)
    shuffler.verify(member, commitment, entry, salt)
    shuffler.accept(member, commitment, entry)


def test_nobody_can_make_the_shuffler_hand_a_record_over_twice(shuffler):
    """It would be held against the shuffler: so copies get no receipt, within an upload or between two members'."""
    page = secrets.token_bytes(64 * UPLOAD_BYTES)
    commit(shuffler, "one", 10, page)
    other = secrets.token_bytes(62 * UPLOAD_BYTES)
    with pytest.raises(UploadError, match="2 records of this upload are in another member's") as caught:
        commit(shuffler, "two", 11, page[: 2 * UPLOAD_BYTES] + other)
    assert caught.value.party == "two" and shuffler.receipt(11) is None
    with pytest.raises(UploadError, match="sent a record twice") as caught:
        commit(shuffler, "two", 12, other + other[: 2 * UPLOAD_BYTES])
    assert caught.value.party == "two" and shuffler.receipt(12) is None
    commit(shuffler, "one", 13, page)  # its own again: that takes the place of the first
    handover = messages.body_of(shuffler.prepare(PLACE, 1, 1, set()), Handover)
    assert (handover.entries, handover.count) == ((13,), 64)


def delivered(shuffler: Shuffler) -> list[bytes]:
    pages = shuffler.upstream.pages
    whole = b"".join(pages[number] for number in sorted(pages))
    return [whole[i : i + UPLOAD_BYTES] for i in range(0, len(whole), UPLOAD_BYTES)]


def test_all_records_come_out_once_in_another_order_under_the_signed_digest(shuffler):
    sent = upload(shuffler, "one", 10, count=4096) | upload(shuffler, "two", 11)
    signed = shuffler.prepare(PLACE, 1, 2, set())
    shuffler.deliver(signed)
    records, handover = delivered(shuffler), messages.body_of(signed, Handover)
    assert set(records) == sent
    assert len(records) == len(sent) == handover.count
    assert handover.entries == (10, 11)
    pages = shuffler.upstream.pages
    assert sorted(pages) == [0, 1, 2]
    packed = make_list(shuffle.record_hashes(pages.values()))
    assert handover.digest == list_digest("e", "s", 1, packed)
    verify_list(handover, packed)
    # Both members' records are mixed: the 64 of the second are not in one place.
    second = [i for i, record in enumerate(records) if record in upload_of(shuffler, 11)]
    assert max(second) - min(second) > 64


def upload_of(shuffler: Shuffler, entry: int) -> set[bytes]:
    commitment = UploadCommitment("e", "s", 1, 64, bytes(64))
    whole = b"".join(shuffler.pages(commitment, entry).pages())
    return {whole[i : i + UPLOAD_BYTES] for i in range(0, len(whole), UPLOAD_BYTES)}


def test_the_order_is_drawn_once(shuffler):
    upload(shuffler, "one", 10)
    first = shuffler.prepare(PLACE, 1, 1, set())
    again = Shuffler(shuffler.home, shuffler.store, FakeUpstream())
    assert again.prepare(PLACE, 1, 1, set()) == first
    again.deliver(first)
    shuffler.deliver(first)
    assert again.upstream.pages == shuffler.upstream.pages


def test_a_preparation_that_was_cut_off_begins_anew(shuffler):
    upload(shuffler, "one", 10)
    leftover = shuffler._handover_pages(PLACE, 1)
    leftover.write(7, b"from a run that was killed")
    signed = shuffler.prepare(PLACE, 1, 1, set())
    shuffler.deliver(signed)
    assert sorted(shuffler.upstream.pages) == [0]
    assert messages.body_of(signed, Handover).count == 64


def test_a_delivery_goes_on_where_it_was(shuffler):
    upload(shuffler, "one", 10, count=6144)
    signed = shuffler.prepare(PLACE, 1, 1, set())
    shuffler.upstream.fail_page = 1
    with pytest.raises(UnreachableError):
        shuffler.deliver(signed)
    shuffler.upstream.fail_page, shuffler.upstream.fail_complete = None, UnreachableError("away")
    with pytest.raises(UnreachableError):
        shuffler.deliver(signed)
    shuffler.upstream.fail_complete = None
    shuffler.deliver(signed)
    assert shuffler.upstream.sent == [0, 1, 2]
    assert shuffler.upstream.completed == [signed]


def test_when_the_secretariat_lacks_a_page_all_are_brought_again(shuffler):
    upload(shuffler, "one", 10, count=4096)
    signed = shuffler.prepare(PLACE, 1, 1, set())
    shuffler.upstream.fail_complete = RefusedError("a page is missing")
    with pytest.raises(RefusedError):
        shuffler.deliver(signed)
    shuffler.upstream.fail_complete = None
    shuffler.deliver(signed)
    assert shuffler.upstream.sent == [0, 1, 0, 1]


def test_too_small_a_crowd_is_handed_over_as_nothing_and_waits(shuffler):
    upload(shuffler, "one", 10)
    upload(shuffler, "two", 11)
    signed = shuffler.prepare(PLACE, 1, 3, set())
    handover = messages.body_of(signed, Handover)
    assert (handover.entries, handover.count) == ((), 0)
    shuffler.deliver(signed)
    assert shuffler.upstream.posted == [signed]
    assert shuffler.upstream.pages == {}
    shuffler.tidy(PLACE, 1, set(), [])
    upload(shuffler, "three", 12, window=2)
    assert messages.body_of(shuffler.prepare(PLACE, 2, 3, set()), Handover).entries == (10, 11, 12)


def test_members_handed_over_before_make_no_crowd(shuffler):
    for entry in (10, 11, 12):
        upload(shuffler, f"member {entry}", entry)
    upload(shuffler, "new", 13, window=2)
    assert messages.body_of(shuffler.prepare(PLACE, 2, 2, {10, 11, 12}), Handover).entries == ()


def entries(shuffler: Shuffler, window: int, minimum: int, handed_over: set[int]) -> tuple[int, ...]:
    return messages.body_of(shuffler.prepare(PLACE, window, minimum, handed_over), Handover).entries


def test_one_that_replaces_waits_although_many_are_new_and_its_first_upload_stays(shuffler):
    """What leaves the index would be its records alone: two indexes compared would name their owner."""
    for entry in (10, 11):
        upload(shuffler, f"member {entry}", entry)
    assert entries(shuffler, 1, 2, set()) == (10, 11)
    shuffler.tidy(PLACE, 1, {10, 11}, [10, 11])
    upload(shuffler, "member 10", 20, window=2)
    upload(shuffler, "new", 21, window=2)
    upload(shuffler, "newer", 22, window=2)
    assert entries(shuffler, 2, 2, {10, 11}) == (10, 11, 21, 22)
    shuffler.tidy(PLACE, 2, {10, 11, 21, 22}, [20, 21, 22])
    upload(shuffler, "new", 30, window=3)
    assert entries(shuffler, 3, 2, {10, 11, 21, 22}) == (11, 20, 22, 30)  # now two replace, and it is one of them


def test_one_that_is_new_waits_although_many_replace(shuffler):
    for entry in (10, 11):
        upload(shuffler, f"member {entry}", entry)
    assert entries(shuffler, 1, 2, set()) == (10, 11)
    for entry in (20, 21):
        upload(shuffler, f"member {entry - 10}", entry, window=2)
    upload(shuffler, "new", 22, window=2)
    assert entries(shuffler, 2, 2, {10, 11}) == (20, 21)


def test_an_upload_of_the_next_window_waits_and_a_second_one_replaces_the_first(shuffler):
    upload(shuffler, "one", 10)
    upload(shuffler, "one", 11)
    upload(shuffler, "two", 12)
    upload(shuffler, "two", 13, window=2)
    assert messages.body_of(shuffler.prepare(PLACE, 1, 1, set()), Handover).entries == (11, 12)
    assert messages.body_of(shuffler.prepare(PLACE, 2, 1, {11, 12}), Handover).entries == (11, 13)


def test_after_a_handover_nothing_is_kept_but_latest_uploads(shuffler):
    upload(shuffler, "one", 10)
    upload(shuffler, "one", 11)
    upload(shuffler, "two", 12, window=2)
    abandoned = UploadCommitment("e", "s", 1, 64, bytes(64))
    shuffler.receive_page("three", abandoned, 14, 0, bytes(UPLOAD_BYTES))
    shuffler.deliver(shuffler.prepare(PLACE, 1, 1, set()))
    shuffler.tidy(PLACE, 1, {11}, [10, 11, 14])
    folders = {path.name for path in (shuffler.home.folder / "uploads" / "e" / "s").iterdir()}
    assert folders == {"11", "12"}
    assert shuffler.store.upload(10) is None
    assert shuffler.store.upload(11) is not None
    assert not list((shuffler.home.folder / "handovers").rglob("*.page"))
    assert shuffler.store.handover(PLACE, 1) is None
    shuffler.tidy(PLACE, 1, {11}, [10, 11, 14])  # once more changes nothing
    assert shuffler.store.upload(11) is not None
