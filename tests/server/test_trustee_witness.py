"""A trustee as a witness: add-checkpoint as C2SP tlog-witness says, and nothing cosigned that contradicts the past."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.running import SECRET, World, free_port
from tacit_protocol import checkpoint as notes
from tacit_protocol import evidence, merkle, signing
from tacit_protocol.checkpoint import Checkpoint, Note
from tacit_protocol.witnessing import AddCheckpoint
from tacit_server.home import SecretariatCard, create_home
from tacit_server.settings import ServerSettings
from tacit_server.trustee.app import TrusteeOptions, assemble, create_app

LOG = Ed25519PrivateKey.generate()
KEY = signing.public_bytes(LOG)
ORIGIN = notes.log_origin(KEY)


def tree_of(count: int, fork_at: int | None = None) -> merkle.Tree:
    tree = merkle.Tree()
    for i in range(count):
        what = "other" if fork_at is not None and i >= fork_at else "leaf"
        tree.append(merkle.leaf_hash(f"{what} {i}".encode()))
    return tree


TREE, FORK = tree_of(40), tree_of(40, fork_at=5)


def note(size: int, tree: merkle.Tree = TREE) -> Note:
    return notes.sign_checkpoint(LOG, Checkpoint(ORIGIN, size, tree.root(size)))


def request(old: int, new: int, tree: merkle.Tree = TREE) -> bytes:
    return AddCheckpoint(old, tuple(tree.consistency_proof(old, new)), note(new, tree)).encode()


class Witness:
    """A trustee whose secretariat is nobody but this test."""

    def __init__(self, folder: Path) -> None:
        settings = ServerSettings(secret=SECRET)
        card = SecretariatCard(f"http://127.0.0.1:{free_port()}", KEY)
        self.home = create_home(folder, settings, url="http://127.0.0.1:1", index=1, secretariat=card)
        self.options = TrusteeOptions(poll_seconds=3600, back_end="libsodium", threads=1)
        self.settings = settings
        self.restart()

    def restart(self) -> None:
        self.app = create_app(self.home, self.settings, self.options)
        self.parts = self.app.state.parts

    def post(self, body: bytes) -> httpx2.Response:
        import asyncio

        async def send() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=self.app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://witness") as client:
                return await client.post("/add-checkpoint", content=body)

        return asyncio.run(send())

    def cosigned(self, answer: httpx2.Response, size: int, tree: merkle.Tree = TREE) -> int | None:
        assert answer.status_code == 200, answer.text
        lines = notes.decode_signatures(answer.text)
        name = notes.witness_name(self.home.public_key)
        return notes.verify_cosignature(Note(note(size, tree).text, lines), name, self.home.public_key)

    def evidence(self) -> list[Path]:
        return sorted((self.home.folder / "evidence").glob("*"))


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path / "trustee")


def test_it_cosigns_what_continues_what_it_cosigned(witness: Witness) -> None:
    for old, new in ((0, 3), (3, 3), (3, 30), (30, 31)):
        assert witness.cosigned(witness.post(request(old, new)), new)


def test_another_old_size_gets_the_size_held(witness: Witness) -> None:
    witness.post(request(0, 7))
    answer = witness.post(request(0, 9))
    assert (answer.status_code, answer.text) == (409, "7\n")
    assert answer.headers["content-type"] == "text/x.tlog.size"
    assert witness.cosigned(witness.post(request(7, 9)), 9)


def test_what_it_cosigned_outlives_a_restart(witness: Witness) -> None:
    witness.post(request(0, 7))
    witness.restart()
    assert witness.post(request(0, 9)).text == "7\n"
    answer = witness.post(request(7, 9, FORK))
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"old x\n\n" + note(3).encode(), 400),
        (AddCheckpoint(4, (), note(3)).encode(), 400),
        (b"old 0\n\n" + note(3).encode()[:-9], 400),
        (AddCheckpoint(0, (), Note(note(3).text, note(4).signatures)).encode(), 403),
        (AddCheckpoint(0, (), notes.sign_checkpoint(LOG, Checkpoint("log.example/x", 3, TREE.root(3)))).encode(), 404),
        (AddCheckpoint(0, (bytes(32),), note(3)).encode(), 422),
        (b"x" * 200_000, 413),
    ],
)  # fmt: skip
def test_what_the_specification_refuses_is_refused(witness: Witness, body: bytes, status: int) -> None:
    assert witness.post(body).status_code == status
    assert witness.post(request(0, 3)).status_code == 200  # nothing was held


def test_a_stranger_cannot_sign_for_the_log(witness: Witness) -> None:
    stranger = Ed25519PrivateKey.generate()
    forged = notes.sign_checkpoint(stranger, Checkpoint(ORIGIN, 3, TREE.root(3)))
    assert witness.post(AddCheckpoint(0, (), forged).encode()).status_code == 403
    assert not witness.evidence()


def test_two_trees_of_one_size_are_refused_for_good_and_kept(witness: Witness) -> None:
    witness.post(request(0, 30))
    answer = witness.post(request(30, 30, FORK))
    assert answer.status_code == 409 and "two different trees" in answer.text
    (path,) = witness.evidence()
    found = evidence.decode(path.read_bytes())
    assert evidence.verify_fork(found) == "the log signed two different trees of 30 entries"
    assert witness.post(request(30, 31)).status_code == 409  # also the honest continuation: somebody has to explain
    witness.restart()
    assert witness.post(request(30, 31)).status_code == 409


def test_a_proof_that_does_not_hold_is_refused_and_kept_but_not_held_against_the_log(witness: Witness) -> None:
    witness.post(request(0, 30))
    assert witness.post(request(30, 33, FORK)).status_code == 422
    assert [path.name for path in witness.evidence()] == ["refused-30-33.json"]
    assert witness.cosigned(witness.post(request(30, 31)), 31)
    witness.restart()
    assert witness.cosigned(witness.post(request(31, 32)), 32)


def test_of_many_requests_at_once_the_tree_never_shrinks(witness: Witness) -> None:
    witness.post(request(0, 10))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda new: witness.post(request(10, new)), range(11, 31)))
    accepted = [new for new, answer in zip(range(11, 31), answers, strict=True) if answer.status_code == 200]
    assert len(accepted) == 1
    assert witness.post(request(0, 40)).text == f"{accepted[0]}\n"


def test_nothing_is_cosigned_when_the_disk_does_not_take_it(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    witness.post(request(0, 10))
    order: list[str] = []
    inner, sign = witness.parts.store._database._writer.dialect.do_commit, notes.cosign
    monkeypatch.setattr(
        witness.parts.store._database._writer.dialect, "do_commit", lambda c: (inner(c), order.append("on disk"))[0]
    )
    monkeypatch.setattr(notes, "cosign", lambda *a: (order.append("cosigned"), sign(*a))[1])
    witness.post(request(10, 11))
    assert order == ["on disk", "cosigned"]

    def fail(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(witness.parts.store._database._writer.dialect, "do_commit", fail)
    with pytest.raises(OSError, match="No space"):
        witness.post(request(11, 12))
    assert order == ["on disk", "cosigned"]


def test_what_it_read_itself_counts_too(world: World) -> None:
    """A secretariat that shows the log's readers one history and its witnesses another."""
    parts, keeper = world.servers[1].app.state.parts, world.keeper
    world.member()
    fresh = assemble(parts.home, world.settings, TrusteeOptions(back_end="libsodium", threads=1))
    size = fresh.follower.board.size
    other = merkle.Tree()
    for _ in range(size):
        other.append(bytes(32))
    forged = notes.sign_checkpoint(
        keeper.home.signing_key, Checkpoint(notes.log_origin(keeper.home.public_key), size, other.root())
    )
    with pytest.raises(Exception, match="does not lead from"):
        fresh.witness.add_checkpoint(AddCheckpoint(size, (), forged))
    for path in (parts.home.folder / "evidence").glob("*"):
        path.unlink()
