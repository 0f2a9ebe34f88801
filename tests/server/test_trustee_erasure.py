"""After an epoch the shares are erased, so that an old index gives nothing new (claim C7)."""

from __future__ import annotations

import sqlite3

import pytest

from server.running import EPOCH, GROUP, STREAM, World, wait_for
from tacit_protocol import hpke, keygen
from tacit_protocol.errors import EncodingError
from tacit_server.settings import ServerSettings
from tacit_server.trustee.keystore import Keystore
from tacit_server.trustee.store import Store


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path, settings=ServerSettings(secret="a server secret for tests only", erase_after_seconds=0))
    world.start()
    yield world
    world.stop()


def test_share_answers_and_uploads_are_gone_after_the_epoch(world):
    world.open_epoch()
    wait_for(world.ceremony_complete, "the ceremony")
    member = world.member()
    batch = member.batch()
    member.grant(batch)
    assert member.evaluate(1, batch).status_code == 200
    member.upload(member.dummies())
    with sqlite3.connect(world.folder / "1" / "tacit.sqlite") as database:
        sealed = database.execute("SELECT sealed FROM shares").fetchone()[0]
    assert holds(world, sealed)
    parts = {index: world.servers[index].app.state.parts for index in (1, 3)}
    world.trustees_ahead = 90_000.0
    for index in (1, 3):
        wait_for(lambda: not parts[index].store.shares((EPOCH, STREAM)), "the share is erased")  # noqa: B023
    assert "epoch closed" in member.evaluate(1, batch).text
    wait_for(lambda: not (world.folder / "1" / "answers" / EPOCH).exists(), "the answers are erased")
    wait_for(lambda: not list((world.folder / "3" / "uploads").rglob("*.page")), "the uploads are erased")
    assert not holds(world, sealed)  # overwritten, not only unlinked, and also in SQLite's log
    wait_for(lambda: said(world) == {1, 2, 3}, "every trustee says on the log that it has erased its shares")
    entries = world.keeper.size
    world.stop(1)
    world.start(1)  # says the same bytes again, if anything: nothing is added
    wait_for(lambda: world.servers[1].app.state.parts.follower.board.size == entries, "trustee 1 is back")
    assert world.keeper.size == entries


def said(world: World) -> set[int]:
    with world.keeper.view() as board:
        return board.erased.get(EPOCH, set())


def test_the_board_does_not_give_an_erased_share_back(world):
    """Every share stands on the board, encrypted: under a key that lasts, erasing one's share would be for show."""
    world.open_epoch()
    wait_for(world.ceremony_complete, "the ceremony")
    with world.keeper.view() as board:
        record = board.ceremonies[EPOCH, STREAM, 1]
    openings = record.transcript().round2
    assert len(openings) == 3
    for index in (1, 2, 3):
        home = world.home(index)
        assert Keystore(Store(home.database), home.sealer, GROUP).polynomial((EPOCH, STREAM), 1) is None
        for opening in openings:
            ciphertext = next(share.ciphertext for share in opening.shares if share.recipient == index)
            with pytest.raises(EncodingError, match="does not decrypt"):
                hpke.unseal(home.agreement_key, ciphertext, keygen._share_info(record.ceremony, opening.sender, index))


def holds(world: World, sealed: bytes) -> bool:
    """Tell whether the bytes are anywhere in the trustee's database files."""
    return any(sealed in path.read_bytes() for path in (world.folder / "1").glob("tacit.sqlite*"))
