"""Following the board from where this machine left off."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tacit_client.log_follower import LogFollower
from tacit_protocol import messages, signing
from tacit_protocol.board import Board, BoardError
from tacit_protocol.errors import TacitError
from tacit_protocol.messages import BoardEntry, BoardPage, Enrolment

KEY = signing.public_bytes(Ed25519PrivateKey.generate())


def enrolment(number: int) -> BoardEntry:
    key = Ed25519PrivateKey.generate()
    message = Enrolment(signing.public_bytes(key), X25519PrivateKey.generate().public_key().public_bytes_raw())
    return BoardEntry(number, 1_700_000_000, signing.sign(key, "enrolment", messages.encode(message)))


class Server:
    """A board that shows its entries in pages."""

    def __init__(self, count: int, page: int = 3) -> None:
        self.entries, self.page = [enrolment(number) for number in range(count)], page
        self.starts: list[int] = []

    def fetch(self, start: int) -> BoardPage:
        self.starts.append(start)
        shown = tuple(self.entries[start : start + self.page])
        return BoardPage(start, len(self.entries), shown)


def follow(path: Path, server: Server) -> Board:
    return LogFollower(path, Board(KEY), server.fetch).follow()


def test_everything_is_taken_in_page_by_page_and_kept(tmp_path: Path) -> None:
    server, path = Server(8), tmp_path / "board.jsonl"
    first = follow(path, server)
    assert (first.size, server.starts) == (8, [0, 3, 6])
    server.starts.clear()
    server.entries.append(enrolment(8))
    again = follow(path, server)
    assert (again.size, server.starts) == (9, [8])
    assert len(again.ledger.signing_keys) == 9


def test_a_write_that_was_cut_is_fetched_again(tmp_path: Path) -> None:
    server, path = Server(5), tmp_path / "board.jsonl"
    whole = follow(path, server)
    path.write_bytes(path.read_bytes()[:-20])
    again = follow(path, server)
    assert (again.size, again.head) == (whole.size, whole.head)


def test_a_board_that_went_backwards_is_refused(tmp_path: Path) -> None:
    server, path = Server(5), tmp_path / "board.jsonl"
    follow(path, server)
    del server.entries[3:]
    with pytest.raises(BoardError) as caught:
        follow(path, server)
    assert caught.value.party == "secretariat"


def test_a_board_that_announces_what_it_does_not_show_is_refused(tmp_path: Path) -> None:
    server = Server(5)
    hidden = lambda start: BoardPage(start, 9, server.fetch(start).entries)  # noqa: E731
    with pytest.raises(BoardError) as caught:
        LogFollower(tmp_path / "board.jsonl", Board(KEY), hidden).follow()
    assert caught.value.party == "secretariat"


def test_a_bad_entry_is_refused_and_the_good_ones_before_it_are_kept(tmp_path: Path) -> None:
    server, path = Server(5), tmp_path / "board.jsonl"
    good = server.entries[4]
    server.entries[4] = BoardEntry(4, 0, signing.Signed("enrolment", good.message.signer, b"{}", bytes(64)))
    with pytest.raises(TacitError):
        follow(path, server)
    server.entries[4] = good
    assert follow(path, server).size == 5
