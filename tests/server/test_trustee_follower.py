"""A trustee follows the board, verifies it, and refuses one that changes what was seen."""

from __future__ import annotations

import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.running import World
from tacit_protocol import messages, signing
from tacit_protocol.board import BoardError
from tacit_protocol.errors import TacitError
from tacit_protocol.messages import BoardEntry, BoardPage, Enrolment, GrantRequest
from tacit_server.errors import ConfigurationError
from tacit_server.trustee.follower import Follower
from tacit_server.trustee.store import FollowedRow, HeadRow, Store
from tacit_server.trustee.upstream import UnreachableError

SECRETARIAT = Ed25519PrivateKey.generate()


def enrolment(number: int, time_: int = 5) -> BoardEntry:
    key = Ed25519PrivateKey.generate()
    body = messages.encode(Enrolment(signing.public_bytes(key), bytes(32)))
    return BoardEntry(number, time_, signing.sign(key, "enrolment", body))


class FakeUpstream:
    """A secretariat whose board tests write as they like."""

    def __init__(self, count: int = 0) -> None:
        self.entries = [enrolment(i) for i in range(count)]
        self.reachable, self.turns, self.pause = True, 0, 0.0

    def board(self, start: int, limit: int = 1000) -> BoardPage:
        if not self.reachable:
            raise UnreachableError("away")
        self.turns += 1
        time.sleep(self.pause)
        return BoardPage(start, len(self.entries), tuple(self.entries[start : start + min(limit, 10)]))


@pytest.fixture
def upstream() -> FakeUpstream:
    return FakeUpstream(25)


@pytest.fixture
def make(tmp_path, upstream):
    def make() -> Follower:
        store = Store(tmp_path / "tacit.sqlite")
        return Follower(store, upstream, signing.public_bytes(SECRETARIAT), tmp_path / "contradiction.json", 60)

    return make


def test_it_reads_all_pages_and_goes_on_where_it_was_after_a_restart(make, upstream):
    follower = make()
    follower.refresh()
    assert follower.board.size == 25
    head = follower.board.head
    again = make()
    assert (again.board.size, again.board.head) == (25, head)
    upstream.entries.append(enrolment(25))
    again.refresh()
    assert again.board.size == 26
    assert again.find_key(upstream.entries[25].message.signer) is not None


def test_a_secretariat_that_is_away_is_asked_again_later(make, upstream):
    follower = make()
    upstream.reachable = False
    follower.refresh()
    assert follower.board.size == 0
    upstream.reachable = True
    follower.refresh()
    assert follower.board.size == 25


@pytest.mark.parametrize("place", [24, 12, 0], ids=["the last entry", "one in the middle", "the first"])
def test_a_changed_entry_is_found_refused_and_kept_as_evidence(make, upstream, tmp_path, place):
    follower = make()
    follower.refresh()
    kept, upstream.entries[place] = upstream.entries[place], enrolment(place)
    upstream.entries.append(enrolment(25))
    with pytest.raises(BoardError, match=f"entry {place} of the board was changed"):
        for _ in range(200):  # earlier pages are read again by turns
            follower.refresh()
    assert follower.broken is not None
    size = follower.board.size
    with pytest.raises(BoardError):
        follower.refresh()
    assert follower.board.size == size
    text = (tmp_path / "contradiction.json").read_bytes()
    assert messages.encode(kept) in text
    assert messages.encode(upstream.entries[place]) in text
    with pytest.raises(BoardError, match="changed the board earlier"):
        make().refresh()


def test_a_changed_time_is_a_changed_entry(make, upstream):
    follower = make()
    follower.refresh()
    upstream.entries[24] = BoardEntry(24, 6, upstream.entries[24].message)
    with pytest.raises(BoardError):
        follower.refresh()


def test_a_board_that_became_shorter_is_refused(make, upstream):
    follower = make()
    follower.refresh()
    del upstream.entries[20:]
    with pytest.raises(BoardError, match="had 25 entries and now has 20"):
        follower.refresh()


def test_an_entry_that_breaks_a_rule_is_not_taken_in_and_what_came_before_stays(make, upstream):
    follower = make()
    forged = signing.sign(Ed25519PrivateKey.generate(), "window-close", b"{}")
    upstream.entries.insert(12, BoardEntry(12, 5, forged))
    with pytest.raises(TacitError):
        follower.refresh()
    assert follower.board.size == 12
    assert make().board.size == 12


def test_a_grant_beyond_the_rules_is_not_followed(make, upstream):
    """A secretariat that lets a member have more than its quota is not obeyed."""
    follower = make()
    follower.refresh()
    key = Ed25519PrivateKey.generate()
    grant = messages.encode(GrantRequest("e", "s", 2048, bytes(64)))
    upstream.entries.append(BoardEntry(25, 5, signing.sign(key, "grant", grant)))
    with pytest.raises(TacitError, match="not enrolled"):
        follower.refresh()
    assert follower.board.size == 25


def test_what_was_kept_is_checked_at_the_start(make, upstream):
    follower = make()
    follower.refresh()
    with follower._store.writing() as session:
        head = session.get(HeadRow, 1)
        head.head = bytes(32)
        session.add(head)
    with pytest.raises(ConfigurationError, match="changed on disk"):
        make()


def test_a_kept_entry_that_was_changed_on_disk_is_found(make):
    follower = make()
    follower.refresh()
    with follower._store.writing() as session:
        row = session.get(FollowedRow, 3)
        row.time = 99
        session.add(row)
    with pytest.raises(ConfigurationError, match="changed on disk"):
        make()


def test_when_the_disk_fails_the_view_goes_back_to_what_is_kept(make, upstream, monkeypatch):
    follower = make()
    follower.refresh()
    upstream.entries.append(enrolment(25))

    def fail(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(follower._store, "follow", fail)
        with pytest.raises(OSError, match="No space"):
            follower.refresh()
    assert follower.board.size == 25
    follower.refresh()
    assert follower.board.size == make().board.size == 26


def test_many_who_wait_for_the_board_share_a_turn(make, upstream):
    follower = make()
    follower.refresh()
    before, upstream.pause = upstream.turns, 0.2
    threads = [threading.Thread(target=follower.refresh) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert upstream.turns - before <= 6  # two turns, each with the pages it compares


def test_a_trustee_whose_secretariat_contradicts_itself_evaluates_nothing_more(world: World):
    member, parts = world.member(), world.servers[1].app.state.parts
    batch = member.batch()
    member.grant(batch)
    assert member.evaluate(1, batch).status_code == 200
    parts.follower.broken = BoardError("entry 3 of the board was changed", party="secretariat")
    answer = member.evaluate(1, batch)
    assert (answer.status_code, answer.json()["party"]) == (409, "secretariat")
    assert member.client.get(world.url(1) + "/v1/health").json()["following"] is False
    parts.follower.broken = None
    assert member.evaluate(1, batch).status_code == 200
