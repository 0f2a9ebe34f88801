"""From stored pages to the announced index, and again after a crash at any point."""

from __future__ import annotations

import secrets

import duckdb
import pytest

from server.running import EPOCH, GROUP, STREAM, World
from tacit_protocol import sealed_index, shuffle
from tacit_protocol.board import BoardError
from tacit_protocol.index_file import IndexFile
from tacit_protocol.messages import Handover, IndexRoot
from tacit_server.secretariat import opening, publish
from tacit_server.secretariat.keeper import Keeper
from tacit_server.secretariat.publish import Publisher, Shelves, locked_connection


class Recorded:
    """The keeper of a real home, with a board that says what a test says."""

    def __init__(self, keeper: Keeper) -> None:
        self.keeper, self.home = keeper, keeper.home
        self.announced: list[IndexRoot] = []

    def view(self):
        return self.keeper.view()

    def publish(self, root: IndexRoot) -> None:
        self.announced.append(root)
        with self.keeper.view() as board:
            board.indexes[root.epoch, root.stream, root.window] = root


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    return World(tmp_path_factory.mktemp("publish"), trustee_count=1)


@pytest.fixture
def keeper(world: World) -> Recorded:
    return Recorded(Keeper(world.home(0), world.keeper.store, GROUP))


@pytest.fixture
def shelves(tmp_path) -> Shelves:
    return Shelves(tmp_path)


def records(count: int) -> list[bytes]:
    return [sealed_index.dummy_record(secrets.token_bytes(sealed_index.SEALED_BYTES)) for _ in range(count)]


def hand_over(keeper: Recorded, shelves: Shelves, sealed: list[bytes], window: int = 1, page: int = 50) -> Handover:
    key = keeper.home.agreement_key.public_key().public_bytes_raw()
    uploads = [shuffle.seal_for_secretariat(key, EPOCH, STREAM, record) for record in sealed]
    pages = shelves.pages(EPOCH, STREAM, window)
    for number, start in enumerate(range(0, len(uploads), page)):
        pages.write(number, b"".join(uploads[start : start + page]))
    handover = Handover(EPOCH, STREAM, window, (1,), len(uploads), bytes(64))
    with keeper.view() as board:
        board.handovers[EPOCH, STREAM, window] = handover
    return handover


def test_the_file_is_the_one_whose_root_was_announced_and_holds_every_record(keeper, shelves):
    sealed = records(130)
    root = publish.publish(keeper, shelves, hand_over(keeper, shelves, sealed), "200MB")
    assert keeper.announced == [root]
    index = IndexFile(shelves.index(EPOCH, STREAM, 1).read_bytes())
    index.verify(root)
    assert (root.records, root.entries) == (130, 130 * 14)
    for record in sealed:
        assert index.record(record[:32]) == record[: sealed_index.RECORD_BYTES]
        for start in range(sealed_index.RECORD_BYTES, sealed_index.SEALED_BYTES, sealed_index.ENTRY_BYTES):
            entry = record[start : start + sealed_index.ENTRY_BYTES]
            assert (entry[12:20], entry[20:]) in set(index.find(entry[:12]))
    assert shelves.pages(EPOCH, STREAM, 1).sizes() == {}
    assert [path.name for path in shelves.index(EPOCH, STREAM, 1).parent.iterdir()] == ["1.tacit-index"]


def test_what_does_not_open_is_left_out_and_counted(keeper, shelves):
    sealed = records(5)
    handover = hand_over(keeper, shelves, sealed + sealed[:2])
    pages = shelves.pages(EPOCH, STREAM, 1)
    rubbish = secrets.token_bytes(3 * shuffle.UPLOAD_BYTES)
    pages.write(1, rubbish)
    root = publish.publish(keeper, shelves, handover, "200MB")
    assert root.records == 5
    IndexFile(shelves.index(EPOCH, STREAM, 1).read_bytes()).verify(root)


def test_records_sealed_for_another_stream_do_not_open(keeper, shelves):
    key = keeper.home.agreement_key.public_key().public_bytes_raw()
    handover = hand_over(keeper, shelves, records(2))
    other = [shuffle.seal_for_secretariat(key, EPOCH, "another", record) for record in records(2)]
    shelves.pages(EPOCH, STREAM, 1).write(1, b"".join(other))
    assert publish.publish(keeper, shelves, handover, "200MB").records == 2


@pytest.mark.parametrize("crash", ["while building", "before the file is in place", "before the root is announced"])
def test_after_a_crash_the_same_file_is_published(keeper, shelves, monkeypatch, crash):
    handover = hand_over(keeper, shelves, records(70))

    def die(*_):
        raise SystemExit("killed")

    with monkeypatch.context() as patch:
        if crash == "while building":
            patch.setattr(publish, "_write", die)
        elif crash == "before the file is in place":
            patch.setattr(publish, "_root_of", die)
        else:
            patch.setattr(keeper, "publish", die)
        with pytest.raises(SystemExit):
            publish.publish(keeper, shelves, handover, "200MB")
    target = shelves.index(EPOCH, STREAM, 1)
    first = target.read_bytes() if target.exists() else None
    assert (first is not None) == (crash == "before the root is announced")
    assert keeper.announced == []

    publisher = Publisher(keeper, shelves, "200MB")
    publisher.publish_due()
    publisher.publish_due()  # nothing is due any more
    assert len(keeper.announced) == 1
    IndexFile(target.read_bytes()).verify(keeper.announced[0])
    assert first in (None, target.read_bytes())


def test_the_record_of_an_earlier_index_is_not_displaced(keeper, shelves):
    victim, *others = records(4)
    publish.publish(keeper, shelves, hand_over(keeper, shelves, [victim, *others]), "200MB")
    rubbish = victim[:32] + bytes(sealed_index.SEALED_BYTES - 32)
    root = publish.publish(keeper, shelves, hand_over(keeper, shelves, [rubbish, victim, *others], window=2), "200MB")
    index = IndexFile(shelves.index(EPOCH, STREAM, 2).read_bytes())
    index.verify(root)
    assert root.records == 4
    assert index.record(victim[:32]) == victim[: sealed_index.RECORD_BYTES]


def test_many_pages_are_opened_by_several_processes_in_order(world):
    home = world.home(0)
    key = home.agreement_key.public_key().public_bytes_raw()
    sealed = records(30)
    pages = [shuffle.seal_for_secretariat(key, EPOCH, STREAM, record) for record in sealed]
    pages[4] = secrets.token_bytes(shuffle.UPLOAD_BYTES)
    alone = list(opening.open_pages(home.agreement_key, EPOCH, STREAM, pages, processes=1))
    together = list(opening.open_pages(home.agreement_key, EPOCH, STREAM, pages, processes=2))
    assert alone == together
    assert [page.malformed for page in together] == [0] * 4 + [1] + [0] * 25
    assert b"".join(page.records for page in together) == b"".join(sealed[:4] + sealed[5:])


@pytest.mark.parametrize(
    "statement",
    ["COPY (SELECT 1) TO '{path}'", "SELECT * FROM read_text('/etc/passwd')", "INSTALL httpfs", "LOAD httpfs",
     "ATTACH '{path}'", "SET memory_limit='20GB'", "SET enable_external_access=true"],
)  # fmt: skip
def test_the_engine_reaches_no_file_and_cannot_be_unlocked(tmp_path, statement):
    with locked_connection(tmp_path, "200MB") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(duckdb.Error):
            connection.execute(statement.format(path=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_the_board_refuses_an_index_that_is_not_due(world):
    with pytest.raises(BoardError, match="not due"):
        world.keeper.publish(IndexRoot(EPOCH, STREAM, 1, bytes(32), 1, 0, 0))
