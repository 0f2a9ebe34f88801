"""The log at the secretariat: C2SP tiles over HTTP, the order of its writes through every crash, its witnesses."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import httpx2
import pytest

from server.running import SECRET, World, wait_for
from tacit_protocol import checkpoint as notes
from tacit_protocol import merkle, messages, tiles
from tacit_protocol.tiles import TileName
from tacit_server.errors import ConfigurationError
from tacit_server.secretariat.log import Log, LogFiles
from tacit_server.secretariat.witnesses import Witnesses

STEPS = ("entry committed", "tiles written", "checkpoint signed", "one witness asked", "witnesses asked", "published")


def get(world: World, path: str, **headers: str) -> httpx2.Response:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    with httpx2.Client(trust_env=False) as client:
        return client.get(f"{world.url(0)}/log/{path}", headers=fields)


def head_of(world: World) -> notes.Checkpoint:
    return notes.verify_log(notes.decode_note(get(world, "checkpoint").content), *log_of(world))


def log_of(world: World) -> tuple[str, bytes]:
    key = world.keeper.home.public_key
    return notes.log_origin(key), key


def verify_whole_log(world: World) -> int:
    """Read the log by its public files alone, as a stranger would, and compare it with the database."""
    head = head_of(world)
    read = tiles.node_reader(head.size, lambda name: get(world, name.path()).content)
    assert merkle.range_hash(read, 0, head.size) == head.root
    leaves = []
    for name in tiles.grown(0, head.size):
        if name.level is None:
            leaves += tiles.decode_bundle(get(world, name.path()).content, name.width)
    assert merkle.tree_hash(leaves) == head.root
    with world.keeper.store.reading() as session:
        kept = [messages.encode_leaf(entry) for entry in world.keeper.store.entries(session, 0, head.size)]
    assert leaves == kept
    return head.size


# --- over HTTP -----------------------------------------------------------------------------------------------


def test_anybody_reads_the_log_by_its_files_and_finds_the_board(world: World) -> None:
    world.member()
    assert verify_whole_log(world) >= 5


def test_the_checkpoint_is_a_text_that_is_not_kept_by_caches(world: World) -> None:
    answer = get(world, "checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    note = notes.decode_note(answer.content)
    for index in (1, 2, 3):
        key = world.home(index).public_key
        if notes.verify_cosignature(note, notes.witness_name(key), key):
            break
    else:
        raise AssertionError("nobody cosigned")


def test_all_three_trustees_cosign_soon(world: World) -> None:
    keys = [world.home(index).public_key for index in (1, 2, 3)]

    def all_have() -> bool:
        note = notes.decode_note(get(world, "checkpoint").content)
        return all(notes.verify_cosignature(note, notes.witness_name(key), key) for key in keys)

    world.member()
    wait_for(all_have, "three cosignatures")


def test_tiles_are_kept_for_ever_and_bundles_are_compressed(world: World) -> None:
    size = head_of(world).size
    bundle, tile = (TileName(level, 0, size).path() for level in (None, 0))
    for path in (bundle, tile):
        answer = get(world, path)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert "immutable" in answer.headers["cache-control"]
    plain = get(world, bundle, accept_encoding="identity")
    assert "content-encoding" not in plain.headers
    with httpx2.Client(trust_env=False) as client, client.stream("GET", f"{world.url(0)}/log/{bundle}") as answer:
        packed = b"".join(answer.iter_raw())
        assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed) == plain.content
    assert get(world, bundle, accept_encoding="gzip;q=0").headers.get("content-encoding") is None


@pytest.mark.parametrize(
    "path", ["tile/0/001", "tile/0/0", "tile/entries/000", "tile/0/000.p/255", "tile/9/000", "tile/0/../checkpoint"]
)
def test_what_the_log_does_not_have_is_not_found(world: World, path: str) -> None:
    assert get(world, path.replace("..", "%2e%2e")).status_code == 404


# --- the order of writes -------------------------------------------------------------------------------------

CRASHING = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from tacit_protocol.group import load_backend
    from tacit_server.home import open_home
    from tacit_server.secretariat.keeper import Keeper
    from tacit_server.secretariat.log import Log, LogFiles
    from tacit_server.secretariat.operator import operations
    from tacit_server.secretariat.store import Store
    from tacit_server.secretariat.witnesses import Witness, Witnesses
    from tacit_server.settings import load_settings

    step, folder = sys.argv[1], Path(sys.argv[2])
    home = open_home(folder, load_settings(), "secretariat")
    keeper = Keeper(home, Store(home.database), load_backend("libsodium"))
    log = Log(keeper, LogFiles(home.folder), Witnesses(keeper.trustees))
    die = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
    asked = []

    def after(owner, name, count=1):
        inner = getattr(owner, name)
        def wrapped(*arguments, **named):
            result = inner(*arguments, **named)
            asked.append(name)
            if asked.count(name) == count:
                die()
            return result
        setattr(owner, name, wrapped)

    if step == "tiles written":
        log.files.keep_signed = die
    elif step == "checkpoint signed":
        after(log.files, "keep_signed")
    elif step == "one witness asked":
        after(Witness, "ask")
    elif step == "witnesses asked":
        log.files.publish = die
    elif step == "published":
        after(log.files, "publish")
    now = keeper.now()
    plan = operations.EpochPlan(f"epoch-{len(sys.argv[1])}", ["ecovadis"], 2, 3, 2048, 1, now, now + 86400)
    operations.open_epoch(keeper, plan)
    if step == "entry committed":
        die()
    log.turn()
    """
)


@pytest.mark.parametrize("step", STEPS)
def test_a_process_killed_after_any_step_goes_on_where_it_was(tmp_path: Path, step: str) -> None:
    world = World(tmp_path)
    world.start(1, 2, 3)
    world.start(0)
    try:
        world.open_epoch()
        wait_for(world.ceremony_complete, "the ceremony is complete")
        world.wait_logged(world.keeper.size - 1)
        world.stop(0)
        before = LogFiles(tmp_path / "0").signed()
        environment = {**os.environ, "TACIT_SERVER_SECRET": SECRET, "PYTHONUNBUFFERED": "1"}
        killed = subprocess.run(
            [sys.executable, "-c", CRASHING, step, str(tmp_path / "0")], env=environment, check=False, timeout=60
        )
        assert killed.returncode == -signal.SIGKILL
        with world.keeper.view() as board:
            size = board.size
        assert before is not None and size > notes.decode_checkpoint(before.text).size
        world.start(0)
        world.wait_logged(size - 1)
        assert verify_whole_log(world) >= size
        newcomer = world.member()  # and the trustees, who saw all of it, find no contradiction
        assert newcomer.grant(newcomer.batch()).status_code == 201
        assert all(world.servers[index].app.state.parts.follower.broken is None for index in (1, 2, 3))
        assert not list(tmp_path.glob("*/evidence/*"))
    finally:
        world.stop()


# --- a start -------------------------------------------------------------------------------------------------


def log_at(world: World) -> Log:
    return Log(world.keeper, LogFiles(world.folder / "0"), Witnesses(lambda: ()))


@pytest.fixture
def alone(tmp_path: Path) -> World:
    """A secretariat with some entries and nobody to cosign."""
    world = World(tmp_path)
    for number in range(4):
        world.open_epoch(f"epoch-{number}")
    log_at(world).turn()
    return world


def test_without_trustees_the_log_stands_on_its_own_signature(alone: World) -> None:
    published = LogFiles(alone.folder / "0").published()
    assert published is not None and len(published.signatures) == 1
    assert notes.verify_log(published, *log_of(alone)).size == 4


@pytest.mark.parametrize("what", ["changed", "gone"])
def test_tiles_are_made_again_from_the_database(alone: World, what: str) -> None:
    files = LogFiles(alone.folder / "0")
    names = list(tiles.grown(0, 4))
    before = {name: files.read(name) for name in names}
    for name in names:
        if what == "gone":
            files.path(name).unlink()
        else:
            files.path(name).write_bytes(b"x" + before[name][1:])
    log_at(alone)
    assert {name: files.read(name) for name in names} == before


def test_a_database_from_an_older_backup_is_not_served(alone: World, tmp_path: Path) -> None:
    with alone.keeper.store.writing() as session:
        session.connection().exec_driver_sql("DELETE FROM board WHERE sequence = 3")
    with pytest.raises(ConfigurationError, match="restored from an older backup"):
        alone.start(0)


def test_a_changed_entry_in_the_database_is_not_served(alone: World) -> None:
    with alone.keeper.store.writing() as session:
        session.connection().exec_driver_sql("UPDATE board SET time = time + 1 WHERE sequence = 3")
    with pytest.raises(ConfigurationError, match="was changed"):
        alone.start(0)


def test_a_full_tile_takes_the_place_of_the_partial_ones(tmp_path: Path) -> None:
    files = LogFiles(tmp_path)
    for width in (1, 255, 256):
        files.write(TileName(0, 0, width), bytes(32 * width))
    assert [path.name for path in (tmp_path / "log" / "tile" / "0").iterdir()] == ["000"]
