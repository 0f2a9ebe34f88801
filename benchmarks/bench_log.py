"""The log at 100,000 entries: append, checkpoint, witness, full verification. Cost per entry (or request) in R.

CPU time only: what a disk takes to force a commit out is not in it, and comes on top of each append and each
cosignature. Entries are enrolments, the dearest kind to judge after ceremony messages.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.conftest import InR
from tacit_protocol import checkpoint as notes
from tacit_protocol import following, merkle, messages, signing, tiles, witnessing
from tacit_protocol.board import Board
from tacit_protocol.checkpoint import Checkpoint
from tacit_protocol.group import load_backend
from tacit_protocol.messages import BoardEntry, Enrolment
from tacit_protocol.witnessing import AddCheckpoint
from tacit_server.home import SecretariatCard, create_home
from tacit_server.secretariat.keeper import Keeper
from tacit_server.secretariat.log import Log, LogFiles
from tacit_server.secretariat.store import Store
from tacit_server.secretariat.witnesses import Witnesses
from tacit_server.settings import ServerSettings
from tacit_server.trustee.app import TrusteeOptions, assemble
from tacit_server.trustee.witness import Witness

ENTRIES = 100_000
APPENDED, COSIGNED = 200, 200
KEY = Ed25519PrivateKey.generate()
PUBLIC = signing.public_bytes(KEY)
ORIGIN = notes.log_origin(PUBLIC)
SETTINGS = ServerSettings(secret="a server secret for benchmarks only")


def enrolment(number: int) -> BoardEntry:
    key = Ed25519PrivateKey.generate()
    body = messages.encode(Enrolment(signing.public_bytes(key), bytes(32)))
    return BoardEntry(number, 1_800_000_000 + number, signing.sign(key, "enrolment", body))


@pytest.fixture(scope="module")
def entries() -> list[BoardEntry]:
    return [enrolment(number) for number in range(ENTRIES)]


@pytest.fixture(scope="module")
def tree(entries: list[BoardEntry]) -> merkle.Tree:
    tree = merkle.Tree()
    for entry in entries:
        tree.append(merkle.leaf_hash(messages.encode_leaf(entry)))
    return tree


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory, entries: list[BoardEntry]) -> Keeper:
    """A secretariat whose database holds all entries."""
    home = create_home(tmp_path_factory.mktemp("log") / "0", SETTINGS, url="http://127.0.0.1:1")
    store = Store(home.database)
    with store.writing() as session:
        for entry in entries:
            store.add(session, entry)
            session.expunge_all()
    return Keeper(home, store, load_backend("libsodium"))


def head(tree: merkle.Tree, size: int) -> notes.Note:
    return notes.sign_checkpoint(KEY, Checkpoint(ORIGIN, size, tree.root(size)))


def test_append_one_entry_to_the_database(in_r: InR, keeper: Keeper) -> None:
    def append() -> None:
        for _ in range(APPENDED):
            key = Ed25519PrivateKey.generate()
            body = messages.encode(Enrolment(signing.public_bytes(key), bytes(32)))
            keeper.append(signing.sign(key, "enrolment", body))

    in_r.measure(append, APPENDED, rounds=3, table="log", row="append one entry to the database", entries=ENTRIES)


def test_tiles_and_checkpoint_for_one_more_entry(in_r: InR, keeper: Keeper) -> None:
    """What one checkpoint costs when it covers a single entry: the partial tiles, the signature, the files."""
    log = Log(keeper, LogFiles(keeper.home.folder), Witnesses(lambda: ()))
    log.turn()

    def one_more() -> None:
        keeper.append(enrolment(0).message)
        log.turn()

    in_r.measure(one_more, 1, rounds=20, table="log", row="tiles and checkpoint for one more entry", entries=ENTRIES)


def test_tiles_of_the_whole_log_from_the_database(in_r: InR, keeper: Keeper, tmp_path: Path) -> None:
    """A start that finds no tile on disk, per entry."""
    files = LogFiles(keeper.home.folder)
    files.keep_signed(Log(keeper, files, Witnesses(lambda: ())).sign())

    def rebuild() -> None:
        fresh = LogFiles(tmp_path / secrets.token_hex(4))
        signed = files.signed()
        assert signed is not None
        fresh.publish(signed)
        fresh._signed.parent.mkdir(exist_ok=True, parents=True)
        fresh.keep_signed(signed)
        Log(keeper, fresh, Witnesses(lambda: ()))

    in_r.measure(
        rebuild, ENTRIES, rounds=1, table="log", row="all tiles anew from the database, per entry", entries=ENTRIES
    )


def test_witness_cosigns(in_r: InR, tree: merkle.Tree, tmp_path: Path) -> None:
    """One add-checkpoint: decode, verify signature and proof, commit to the database, cosign."""
    card = SecretariatCard("http://127.0.0.1:1", PUBLIC)
    home = create_home(tmp_path / "1", SETTINGS, url="http://127.0.0.1:2", index=1, secretariat=card)
    witness: Witness = assemble(home, SETTINGS, TrusteeOptions(back_end="libsodium", threads=1)).witness
    sizes = [ENTRIES // 2]
    witness.add_checkpoint(AddCheckpoint(0, (), head(tree, sizes[0])))

    def cosign() -> None:
        for _ in range(COSIGNED):
            old, new = sizes[-1], sizes[-1] + 7
            request = AddCheckpoint(old, tuple(tree.consistency_proof(old, new)), head(tree, new)).encode()
            witness.add_checkpoint(witnessing.decode_add_checkpoint(request))
            sizes.append(new)

    in_r.measure(cosign, COSIGNED, rounds=3, table="log", row="a witness verifies and cosigns", entries=ENTRIES)


def test_follower_verifies_and_judges_everything(in_r: InR, entries: list[BoardEntry], tree: merkle.Tree) -> None:
    """A new member, trustee or auditor: hash all entries onto the signed root, then judge each; per entry."""
    note = head(tree, ENTRIES)

    def follow() -> None:
        board = Board(PUBLIC)
        shown = following.verify_head(board, note)
        following.verify_entries(board, shown, entries)
        following.take_in(board, note, entries)
        assert board.head == shown.root

    in_r.measure(
        follow,
        ENTRIES,
        rounds=1,
        table="log",
        row="a follower verifies and judges everything, per entry",
        entries=ENTRIES,
    )


def test_root_alone_from_entry_bundles(in_r: InR, entries: list[BoardEntry], tree: merkle.Tree) -> None:
    """A stranger's check that the bundles are those of the signed root, without judging them; per entry."""
    leaves = list(map(messages.encode_leaf, entries))
    bundles = [tiles.encode_bundle(leaves[i : i + tiles.WIDTH]) for i in range(0, ENTRIES, tiles.WIDTH)]

    def read() -> None:
        found = merkle.CompactRange()
        for number, bundle in enumerate(bundles):
            for leaf in tiles.decode_bundle(bundle, min(tiles.WIDTH, ENTRIES - number * tiles.WIDTH)):
                found.append(merkle.leaf_hash(leaf))
        assert found.root() == tree.root()

    in_r.measure(
        read, ENTRIES, rounds=2, table="log", row="the root alone from entry bundles, per entry", entries=ENTRIES
    )


def test_an_inclusion_proof_is_made_and_verified(in_r: InR, entries: list[BoardEntry], tree: merkle.Tree) -> None:
    root, sampled = tree.root(), range(0, ENTRIES, ENTRIES // 500)
    digests = {number: merkle.leaf_hash(messages.encode_leaf(entries[number])) for number in sampled}

    def prove() -> None:
        for number in sampled:
            merkle.verify_inclusion(root, ENTRIES, number, digests[number], tree.inclusion_proof(number))

    in_r.measure(prove, len(sampled), table="log", row="an inclusion proof made and verified", entries=ENTRIES)
