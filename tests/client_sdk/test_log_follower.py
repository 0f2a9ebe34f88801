"""Following the log from where this machine left off; what a fork or an unwitnessed log does is in tests/simulation."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tacit_client.configuration import PinnedTrustee, WitnessPolicyFile
from tacit_client.log_follower import LogFollower
from tacit_protocol import checkpoint as notes
from tacit_protocol import messages, signing
from tacit_protocol.board import Board
from tacit_protocol.checkpoint import Checkpoint
from tacit_protocol.errors import TacitError
from tacit_protocol.messages import BoardEntry, BoardPage, Enrolment

SECRETARIAT = Ed25519PrivateKey.generate()
KEY = signing.public_bytes(SECRETARIAT)
WITNESSES = {index: Ed25519PrivateKey.generate() for index in (1, 2, 3)}
POLICY = WitnessPolicyFile(
    1, KEY, tuple(PinnedTrustee(index, signing.public_bytes(key)) for index, key in WITNESSES.items()), 2
)


def enrolment(number: int) -> BoardEntry:
    key = Ed25519PrivateKey.generate()
    message = Enrolment(signing.public_bytes(key), X25519PrivateKey.generate().public_key().public_bytes_raw())
    return BoardEntry(number, 1_700_000_000, signing.sign(key, "enrolment", messages.encode(message)))


class Server:
    """A secretariat whose log is cosigned by as many trustees as a test wants."""

    def __init__(self, count: int, page: int = 3) -> None:
        self.entries, self.page, self.cosigners = [enrolment(number) for number in range(count)], page, (1, 2, 3)
        self.starts: list[int] = []
        self.transport = None

    def checkpoint(self) -> bytes:
        board = Board(KEY)
        for entry in self.entries:
            board.apply(entry)
        shown = Checkpoint(notes.log_origin(KEY), board.size, board.tree.root(board.size))
        note = notes.sign_checkpoint(SECRETARIAT, shown)
        cosigned = [
            notes.cosign(
                WITNESSES[i], notes.witness_name(signing.public_bytes(WITNESSES[i])), note.text, int(time.time())
            )
            for i in self.cosigners
        ]
        return note.with_signatures(cosigned).encode()

    def board(self, start: int, limit: int) -> BoardPage:
        self.starts.append(start)
        return BoardPage(start, len(self.entries), tuple(self.entries[start : start + min(self.page, limit)]))


def follower(home: Path, server: Server) -> LogFollower:
    return LogFollower(home, Board(KEY), POLICY, server, patience=0.2)  # type: ignore[arg-type]


def follow(home: Path, server: Server) -> Board:
    return follower(home, server).follow()


def kept(home: Path) -> list[int]:
    return [json.loads(line)["sequence"] for line in (home / "board.jsonl").read_text().splitlines()]


def test_everything_is_taken_in_page_by_page_and_kept(tmp_path: Path) -> None:
    server = Server(8)
    first = follow(tmp_path, server)
    assert (first.size, server.starts) == (8, [0, 3, 6])
    server.starts.clear()
    server.entries.append(enrolment(8))
    again = follow(tmp_path, server)
    assert (again.size, server.starts) == (9, [8])
    assert len(again.ledger.signing_keys) == 9


def test_a_write_that_was_cut_is_fetched_again(tmp_path: Path) -> None:
    server = Server(5)
    whole = follow(tmp_path, server)
    path = tmp_path / "board.jsonl"
    path.write_bytes(path.read_bytes() + b'{"sequence":5,"ti')  # killed while writing, before the checkpoint was kept
    server.entries.append(enrolment(5))
    again = follow(tmp_path, server)
    assert again.tree.root(5) == whole.tree.root(5)
    assert kept(tmp_path) == [0, 1, 2, 3, 4, 5]


def test_two_runs_that_take_turns_keep_every_entry_once(tmp_path: Path) -> None:
    server = Server(2)
    first, second = follower(tmp_path, server), follower(tmp_path, server)
    for turn in (first, second, first, first, second):
        server.entries.append(enrolment(len(server.entries)))
        assert turn.follow().size == len(server.entries)
        assert turn.entry(len(server.entries) - 1) == server.entries[-1]
    assert kept(tmp_path) == list(range(7))
    assert follow(tmp_path, server).size == 7


@pytest.mark.parametrize("cosigners", [(), (1,)])
def test_a_log_that_too_few_have_cosigned_is_not_acted_on(cosigners: tuple[int, ...], tmp_path: Path) -> None:
    server = Server(5)
    server.cosigners = cosigners
    with pytest.raises(TacitError) as caught:
        follow(tmp_path, server)
    assert "trustee 3" in str(caught.value.party)
    assert not (tmp_path / "board.jsonl").exists()
    server.cosigners = (1, 2)
    assert follow(tmp_path, server).size == 5


@pytest.mark.parametrize("size", [0, 3])
def test_a_log_that_went_backwards_is_not_taken_in(size: int, tmp_path: Path) -> None:
    server = Server(5)
    follow(tmp_path, server)
    del server.entries[size:]
    with pytest.raises(TacitError) as caught:
        follow(tmp_path, server)
    assert caught.value.party == "secretariat"
    assert kept(tmp_path) == [0, 1, 2, 3, 4]


def test_a_log_that_changed_its_past_is_refused_and_both_halves_are_kept(tmp_path: Path) -> None:
    server = Server(5)
    follow(tmp_path, server)
    server.entries[2] = enrolment(2)
    server.entries.append(enrolment(5))
    with pytest.raises(TacitError, match="does not lead from the 5 entries") as caught:
        follow(tmp_path, server)
    assert caught.value.party == "secretariat"
    assert "both halves: " in caught.value.diagnostics()
    assert list((tmp_path / "evidence").glob("fork-*.json"))
    with pytest.raises(TacitError, match="nothing is sent"):
        follow(tmp_path, server)  # from now on, until somebody has looked


def test_entries_that_are_announced_and_not_shown_are_refused(tmp_path: Path) -> None:
    server = Server(5)
    server.page = 0
    with pytest.raises(TacitError) as caught:
        follow(tmp_path, server)
    assert caught.value.party == "secretariat"
    server.page = 3
    assert follow(tmp_path, server).size == 5
