"""A trustee follows the log: only what a signed checkpoint covers is taken in, and a fork is kept as proof."""

from __future__ import annotations

import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.running import World
from tacit_protocol import checkpoint as notes
from tacit_protocol import evidence, merkle, messages, signing
from tacit_protocol.board import BoardError
from tacit_protocol.checkpoint import Checkpoint
from tacit_protocol.errors import ProofError, SignatureError
from tacit_protocol.evidence import BadEntry, ForkEvidence
from tacit_protocol.messages import BoardEntry, BoardPage, Enrolment, GrantRequest
from tacit_server.errors import ConfigurationError
from tacit_server.trustee.follower import Follower
from tacit_server.trustee.store import FollowedRow, HeadRow, Store
from tacit_server.trustee.upstream import UnreachableError

SECRETARIAT = Ed25519PrivateKey.generate()
KEY = signing.public_bytes(SECRETARIAT)


def enrolment(number: int, time_: int = 5) -> BoardEntry:
    key = Ed25519PrivateKey.generate()
    body = messages.encode(Enrolment(signing.public_bytes(key), bytes(32)))
    return BoardEntry(number, time_, signing.sign(key, "enrolment", body))


class FakeUpstream:
    """A secretariat whose log tests write as they like; it signs whatever it shows."""

    def __init__(self, count: int = 0) -> None:
        self.entries = [enrolment(i) for i in range(count)]
        self.key, self.reachable, self.turns, self.pause = SECRETARIAT, True, 0, 0.0
        self.served: list[BoardEntry] | None = None  # what it serves in place of what it signed

    def checkpoint(self) -> bytes:
        if not self.reachable:
            raise UnreachableError("away")
        self.turns += 1
        time.sleep(self.pause)
        head = Checkpoint(notes.log_origin(KEY), len(self.entries), merkle.tree_hash(self.leaves()))
        return notes.sign_checkpoint(self.key, head).encode()

    def leaves(self) -> list[bytes]:
        return [messages.encode_leaf(entry) for entry in self.entries]

    def board(self, start: int, limit: int = 1000) -> BoardPage:
        entries = self.entries if self.served is None else self.served
        return BoardPage(start, len(entries), tuple(entries[start : start + min(limit, 10)]))


@pytest.fixture
def upstream() -> FakeUpstream:
    return FakeUpstream(25)


@pytest.fixture
def make(tmp_path, upstream):
    def make() -> Follower:
        return Follower(Store(tmp_path / "tacit.sqlite"), upstream, KEY, tmp_path / "evidence", 60)

    return make


def only_file(folder) -> ForkEvidence | BadEntry:
    (path,) = (folder / "evidence").iterdir()
    return evidence.decode(path.read_bytes())


def test_it_reads_all_pages_and_goes_on_where_it_was_after_a_restart(make, upstream):
    follower = make()
    follower.refresh()
    assert follower.board.size == 25
    assert follower.board.head == merkle.tree_hash(upstream.leaves())
    again = make()
    assert (again.board.size, again.board.head, again.note) == (25, follower.board.head, follower.note)
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


def test_a_checkpoint_of_another_key_is_refused(make, upstream):
    upstream.key = Ed25519PrivateKey.generate()
    with pytest.raises(SignatureError):
        make().refresh()


@pytest.mark.parametrize("place", [24, 12, 0], ids=["the last entry", "one in the middle", "the first"])
def test_a_changed_entry_is_a_fork_that_the_evidence_proves(make, upstream, tmp_path, place):
    follower = make()
    follower.refresh()
    kept, upstream.entries[place] = upstream.entries[place], enrolment(place)
    upstream.entries.append(enrolment(25))
    with pytest.raises(BoardError, match="does not lead from the 25 entries") as caught:
        follower.refresh()
    assert caught.value.party == "secretariat"
    assert follower.board.size == 25
    found = only_file(tmp_path)
    assert (
        evidence.verify_fork(found) == f"the log signed checkpoints of 25 and 26 entries with different entries {place}"
    )
    assert messages.decode_leaf(found.kept_leaf.leaf) == kept
    assert messages.decode_leaf(found.shown_leaf.leaf) == upstream.entries[place]
    with pytest.raises(BoardError):  # also when the old history is shown again
        follower.refresh()
    with pytest.raises(BoardError, match="changed or broke the log earlier"):
        make().refresh()


def test_a_changed_time_is_a_changed_entry(make, upstream, tmp_path):
    follower = make()
    follower.refresh()
    upstream.entries[24] = BoardEntry(24, 6, upstream.entries[24].message)
    with pytest.raises(BoardError):
        follower.refresh()
    assert evidence.verify_fork(only_file(tmp_path)) == "the log signed two different trees of 25 entries"


def test_a_shorter_log_with_another_past_is_a_fork(make, upstream, tmp_path):
    follower = make()
    follower.refresh()
    upstream.entries[3] = enrolment(3)
    del upstream.entries[20:]
    with pytest.raises(BoardError):
        follower.refresh()
    assert "different entries 3" in evidence.verify_fork(only_file(tmp_path))


def test_a_shorter_log_is_not_followed_but_proves_nothing(make, upstream, tmp_path):
    follower = make()
    follower.refresh()
    upstream.entries, all_of_them = upstream.entries[:20], upstream.entries
    follower.refresh()
    assert follower.board.size == 25 and follower.broken is None
    upstream.entries = [*all_of_them, enrolment(25)]
    follower.refresh()
    assert follower.board.size == 26
    assert not (tmp_path / "evidence").exists()


def test_entries_that_the_checkpoint_does_not_cover_are_not_taken_in(make, upstream, tmp_path):
    follower = make()
    follower.refresh()
    upstream.entries.append(enrolment(25))
    for served in ([*upstream.entries[:25], enrolment(25)], upstream.entries[:25], []):
        upstream.served = served
        with pytest.raises(BoardError, match="does not lead"):
            make().refresh()
        # Nothing contradicts itself in what was signed, and that is what the file says.
        with pytest.raises(ProofError, match="must be asked for a consistency proof"):
            evidence.verify_fork(only_file(tmp_path))
        (tmp_path / "evidence" / "fork-25-26.json").unlink()
    upstream.served = None
    again = make()
    again.refresh()
    assert again.board.size == 26


def test_an_entry_that_breaks_a_rule_is_not_taken_in_and_what_came_before_stays(make, upstream, tmp_path):
    follower = make()
    forged = signing.sign(Ed25519PrivateKey.generate(), "window-close", b"{}")
    upstream.entries.insert(12, BoardEntry(12, 5, forged))
    with pytest.raises(BoardError, match="entry 12 of the log breaks a rule") as caught:
        follower.refresh()
    assert caught.value.party == "secretariat"
    assert follower.board.size == 12
    assert make().board.size == 12
    found = only_file(tmp_path)
    assert evidence.verify_bad_entry(found) == upstream.entries[12]
    assert found.reason in str(caught.value)


def test_an_entry_dated_before_the_one_before_it_is_refused(make, upstream):
    follower = make()
    upstream.entries.append(enrolment(25, time_=4))
    with pytest.raises(BoardError, match="is dated before"):
        follower.refresh()
    assert follower.board.size == 25


def test_a_grant_beyond_the_rules_is_not_followed(make, upstream):
    """A secretariat that lets a member have more than its quota is not obeyed."""
    follower = make()
    follower.refresh()
    key = Ed25519PrivateKey.generate()
    grant = messages.encode(GrantRequest("e", "s", 2048, bytes(64)))
    upstream.entries.append(BoardEntry(25, 5, signing.sign(key, "grant", grant)))
    with pytest.raises(BoardError, match="not enrolled"):
        follower.refresh()
    assert follower.board.size == 25


def test_evidence_that_was_changed_proves_nothing(make, upstream, tmp_path):
    follower = make()
    follower.refresh()
    upstream.entries[7] = enrolment(7)
    upstream.entries.append(enrolment(25))
    with pytest.raises(BoardError):
        follower.refresh()
    found = only_file(tmp_path)
    other = evidence.LeafUnder(found.kept_leaf.leaf, found.shown_leaf.proof)
    for changed in (
        ForkEvidence(found.log_key, found.kept, found.kept, 7, found.kept_leaf, found.kept_leaf),
        ForkEvidence(found.log_key, found.kept, found.shown, 8, found.kept_leaf, found.shown_leaf),
        ForkEvidence(found.log_key, found.kept, found.shown, 7, found.kept_leaf, other),
        ForkEvidence(found.log_key, found.kept, found.shown),
    ):
        with pytest.raises(ProofError):
            evidence.verify_fork(changed)
    with pytest.raises(SignatureError):
        evidence.verify_fork(ForkEvidence(bytes(32), found.kept, found.shown))


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
        row = session.get(FollowedRow, 24)
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


def test_many_who_wait_for_the_log_share_a_turn(make, upstream):
    follower = make()
    follower.refresh()
    before, upstream.pause = upstream.turns, 0.2
    threads = [threading.Thread(target=follower.refresh) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert upstream.turns - before <= 3


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
