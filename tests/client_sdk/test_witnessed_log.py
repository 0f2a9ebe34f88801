"""Following the log from where this machine left off, and doing nothing on one that was not witnessed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from support.boards import MadeBoard
from support.logs import LogServer
from tacit_client.errors import Refused, VaultError
from tacit_protocol import evidence, signing
from tacit_protocol.board import BoardError
from tacit_protocol.errors import ProofError, SignatureError, TacitError
from tacit_protocol.following import StaleLogError
from tacit_protocol.messages import BoardEntry
from tacit_protocol.witnessing import WitnessError


@pytest.fixture
def server() -> LogServer:
    made = MadeBoard("follower")
    for _ in range(8):
        made.member()
    return LogServer(made, page=3)


def test_everything_is_taken_in_page_by_page_and_kept(server: LogServer, tmp_path: Path) -> None:
    first = server.follower(tmp_path).follow()
    assert (first.size, server.starts) == (8, [0, 3, 6])
    server.starts.clear()
    server.made.member()
    again = server.follower(tmp_path).follow()
    assert (again.size, server.starts) == (9, [8])
    assert len(again.ledger.signing_keys) == 9


def test_nothing_beyond_the_checkpoint_is_taken_in(server: LogServer, tmp_path: Path) -> None:
    server.covered = 5
    assert server.follower(tmp_path).follow().size == 5
    server.covered = None
    assert server.follower(tmp_path).follow().size == 8


def test_a_write_that_was_cut_is_fetched_again(server: LogServer, tmp_path: Path) -> None:
    server.follower(tmp_path).follow()
    path = tmp_path / "board.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    (tmp_path / "checkpoint").unlink()  # it is written last
    again = server.follower(tmp_path).follow()
    assert (again.size, again.head) == (8, server.made.board().head)
    assert len(path.read_bytes().splitlines()) == 8


def test_entries_written_twice_count_once(server: LogServer, tmp_path: Path) -> None:
    server.follower(tmp_path).follow()
    path = tmp_path / "board.jsonl"
    path.write_bytes(path.read_bytes() + b"".join(path.read_bytes().splitlines(keepends=True)[5:]))
    assert server.follower(tmp_path).follow().size == 8


def test_kept_entries_that_the_kept_checkpoint_does_not_cover_are_noticed(server: LogServer, tmp_path: Path) -> None:
    server.follower(tmp_path).follow()
    path = tmp_path / "board.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(VaultError, match="restore both"):
        server.follower(tmp_path)


# --- witnesses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cosigners", "needed", "behind"),
    [((1,), 2, "trustee 2, trustee 3"), ((), 1, "trustee 1, trustee 2, trustee 3"), ((1, 3), 3, "trustee 2")],
)
def test_without_enough_cosignatures_nothing_is_taken_in(
    server: LogServer, tmp_path: Path, cosigners: tuple[int, ...], needed: int, behind: str
) -> None:
    server.cosigners = cosigners
    with pytest.raises(WitnessError, match="wait a moment and run the command again") as caught:
        server.follower(tmp_path, needed=needed).follow()
    assert ", ".join(sorted(str(caught.value.party).split(", "))) == behind
    assert not (tmp_path / "board.jsonl").exists()


def test_old_cosignatures_do_not_count_where_the_policy_says_so(server: LogServer, tmp_path: Path) -> None:
    server.cosigned_at = server.made.time - 100
    assert server.follower(tmp_path, age=100).follow().size == 8
    with pytest.raises(WitnessError) as caught:
        server.follower(tmp_path, age=99).follow()
    assert caught.value.evidence["trustee 1"] == "its cosignature is too old"


def test_it_waits_for_the_witnesses(server: LogServer, tmp_path: Path) -> None:
    server.cosigners = (1,)
    threading.Timer(0.3, lambda: setattr(server, "cosigners", (1, 2))).start()
    assert server.follower(tmp_path, patience=20).follow().size == 8


def test_a_log_without_a_checkpoint_is_waited_for_and_then_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no checkpoint yet"):
        LogServer(MadeBoard("empty")).follower(tmp_path).follow()


def test_what_was_promised_is_waited_for(server: LogServer, tmp_path: Path) -> None:
    follower = server.follower(tmp_path, patience=20)
    server.covered = 7
    follower.follow()
    threading.Timer(0.3, lambda: setattr(server, "covered", 8)).start()
    follower.wait_for(server.made.entries[7])
    assert follower.board.size == 8
    server.starts.clear()
    follower.wait_for(server.made.entries[2])  # long there: nobody is asked
    assert server.starts == []


def test_what_does_not_come_is_a_clear_message(server: LogServer, tmp_path: Path) -> None:
    server.covered = 7
    with pytest.raises(WitnessError, match="not cosigned yet"):
        server.follower(tmp_path).wait_for(server.made.entries[7])


def test_another_entry_than_promised_is_refused(server: LogServer, tmp_path: Path) -> None:
    promised = server.made.entries[7]
    other = BoardEntry(7, promised.time + 1, promised.message)
    with pytest.raises(BoardError, match="not what the secretariat answered") as caught:
        server.follower(tmp_path).wait_for(other)
    assert caught.value.party == "secretariat"


# --- logs that lie -------------------------------------------------------------------------------------------


def test_a_log_that_went_backwards_is_refused_but_proves_nothing(server: LogServer, tmp_path: Path) -> None:
    server.follower(tmp_path).follow()
    server.covered = 5
    with pytest.raises(StaleLogError, match="8 were seen before") as caught:
        server.follower(tmp_path).follow()
    assert caught.value.party == "secretariat"
    assert not (tmp_path / "evidence").exists()


def test_entries_that_are_announced_and_not_shown_are_missed(server: LogServer, tmp_path: Path) -> None:
    server.shown = server.made.entries[:5]
    with pytest.raises(BoardError, match="does not lead from the 0 entries") as caught:
        server.follower(tmp_path).follow()
    assert caught.value.party == "secretariat"


@pytest.mark.parametrize("place", [0, 4, 7])
def test_both_halves_of_a_fork_are_kept_and_nothing_more_is_done(server: LogServer, tmp_path: Path, place: int) -> None:
    server.follower(tmp_path).follow()
    honest = list(server.made.entries)
    entry = honest[place]
    server.made.entries[place] = BoardEntry(place, entry.time, honest[place - 1].message)
    server.made.member()
    with pytest.raises(BoardError, match="both halves") as caught:
        server.follower(tmp_path).follow()
    assert caught.value.party == "secretariat"
    (path,) = (tmp_path / "evidence").iterdir()
    found = evidence.decode(path.read_bytes())
    assert evidence.verify_fork(found) == (
        f"the log signed checkpoints of 8 and 9 entries with different entries {place}"
    )
    server.made.entries = honest  # the old history again: it stays refused until somebody explains
    with pytest.raises(BoardError, match="changed or broke its log earlier"):
        server.follower(tmp_path).follow()
    with pytest.raises(BoardError, match="changed or broke its log earlier"):
        server.follower(tmp_path).wait_for(honest[0])
    path.unlink()
    assert server.follower(tmp_path).follow().size == 8


def test_a_fork_whose_entries_are_not_shown_is_kept_as_a_question(server: LogServer, tmp_path: Path) -> None:
    server.follower(tmp_path).follow()
    honest = list(server.made.entries)
    server.made.entries[3] = BoardEntry(3, honest[3].time, honest[2].message)
    server.made.member()
    server.shown = honest
    with pytest.raises(BoardError):
        server.follower(tmp_path).follow()
    (path,) = (tmp_path / "evidence").iterdir()
    with pytest.raises(ProofError, match="must be asked for a consistency proof"):
        evidence.verify_fork(evidence.decode(path.read_bytes()))


def test_a_bad_entry_is_kept_as_evidence_and_the_good_ones_before_it_stay(server: LogServer, tmp_path: Path) -> None:
    good = server.made.entries[4]
    server.made.entries[4] = BoardEntry(
        4, good.time, signing.Signed("enrolment", good.message.signer, b"{}", bytes(64))
    )
    with pytest.raises(TacitError, match="entry 4 of the log breaks a rule") as caught:
        server.follower(tmp_path).follow()
    assert caught.value.party == "secretariat"
    assert len((tmp_path / "board.jsonl").read_bytes().splitlines()) == 4
    (path,) = (tmp_path / "evidence").iterdir()
    assert evidence.verify_bad_entry(evidence.decode(path.read_bytes())) == server.made.entries[4]


def test_a_checkpoint_of_another_key_is_refused(server: LogServer, tmp_path: Path) -> None:
    server.made.secretariat, kept = server.made.signing_key(), server.made.secretariat
    forged = server.checkpoint()
    server.made.secretariat = kept
    follower = server.follower(tmp_path)
    server.checkpoint = lambda: forged  # type: ignore[method-assign]
    with pytest.raises(SignatureError):
        follower.follow()
