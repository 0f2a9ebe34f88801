"""Not our word: two implementations that nobody here wrote read our log and check every proof we make.

tlog-scales (Python, from PyPI) and golang.org/x/mod/sumdb (Go). A log of more than 10,000 entries: all inclusion
proofs, and consistency proofs from every size to the last one and between every two of a set of sizes around the edges
of tiles.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tlog_scales import reader, signing, tlog
from tlog_scales.backend import LocalBackend

from tacit_protocol import checkpoint as notes
from tacit_protocol import merkle, messages
from tacit_protocol import signing as our_signing
from tacit_protocol.group import load_backend
from tacit_protocol.messages import BoardEntry, Enrolment
from tacit_server.home import create_home
from tacit_server.secretariat.keeper import Keeper
from tacit_server.secretariat.log import Log, LogFiles
from tacit_server.secretariat.store import Store
from tacit_server.secretariat.witnesses import Witnesses
from tacit_server.settings import ServerSettings

pytestmark = pytest.mark.xdist_group("log-interoperability")
ENTRIES = 10_257
EDGES = (1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 513, 4095, 4096, 4097, 8191, 8192, 8193, 10_239, 10_240, ENTRIES)
DEBIAN = Path("/usr/share/gocode")
SOURCE = Path(__file__).parents[1] / "support" / "go_tlog"


@dataclass
class Served:
    """A log on disk as the secretariat writes it, cosigned by three witnesses."""

    folder: Path
    tree: merkle.Tree
    key: bytes
    witnesses: list[Ed25519PrivateKey] = field(default_factory=lambda: [Ed25519PrivateKey.generate() for _ in range(3)])

    @property
    def log_vkey(self) -> str:
        return notes.verifier_key(notes.log_origin(self.key), notes.ED25519, self.key)

    @property
    def witness_vkeys(self) -> list[str]:
        keys = [our_signing.public_bytes(key) for key in self.witnesses]
        return [notes.verifier_key(notes.witness_name(key), notes.COSIGNATURE_V1, key) for key in keys]

    def consistency(self) -> list[tuple[int, int]]:
        between = [(old, new) for new in EDGES for old in EDGES if old <= new]
        return [*((old, ENTRIES) for old in range(1, ENTRIES + 1)), *between]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    settings = ServerSettings(secret="a server secret for tests only")
    home = create_home(tmp_path_factory.mktemp("log") / "0", settings, url="http://127.0.0.1:1")
    keeper = Keeper(home, Store(home.database), load_backend("libsodium"))
    with keeper.store.writing() as session:
        for number in range(ENTRIES):
            key = Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))
            body = messages.encode(Enrolment(our_signing.public_bytes(key), bytes(32)))
            entry = BoardEntry(number, 1_800_000_000 + number, our_signing.sign(key, "enrolment", body))
            keeper.store.add(session, entry)
    files = LogFiles(home.folder)
    log = Log(keeper, files, Witnesses(lambda: ()))
    log.turn()
    with keeper.view() as board:
        served = Served(home.folder / "log", board.tree, home.public_key)
    note = files.published()
    assert note is not None
    names = [(key, notes.witness_name(our_signing.public_bytes(key))) for key in served.witnesses]
    files.publish(note.with_signatures([notes.cosign(key, name, note.text, 1_800_000_000) for key, name in names]))
    return served


# --- tlog-scales ---------------------------------------------------------------------------------------------


def read_with_tlog_scales(served: Served, folder: Path) -> None:
    """Check everything; raises whatever tlog-scales raises."""
    read = reader.TilesReader(LocalBackend(folder))
    head = read.get_checkpoint()
    head.verify(signing.Vkey.from_string(served.log_vkey))
    known = signing.VkeySet(*map(signing.Vkey.from_string, served.witness_vkeys))
    assert len(known.verify(head.signatures, head)) == 3
    assert (head.origin, head.size) == (notes.log_origin(served.key), ENTRIES)
    assert read.calculate_root_hash() == head.root_hash
    for number in range(ENTRIES):
        digest = merkle.leaf_hash(read.get_entry(number))
        tlog.InclusionProof(number, ENTRIES, served.tree.inclusion_proof(number)).check(digest, head.root_hash)
        if number % 37 == 0 or number in EDGES:
            assert read.get_inclusion_proof(number, ENTRIES).node_hashes == served.tree.inclusion_proof(number)


def test_tlog_scales_reads_the_log_and_accepts_every_inclusion_proof(served: Served) -> None:
    read_with_tlog_scales(served, served.folder)


def test_tlog_scales_accepts_every_consistency_proof(served: Served) -> None:
    read = reader.TilesReader(LocalBackend(served.folder))
    read.get_checkpoint()
    for old, new in served.consistency():
        proof = served.tree.consistency_proof(old, new)
        tlog.ConsistencyProof(old, new, proof).check(served.tree.root(old), served.tree.root(new))
        if new != ENTRIES or old % 101 == 0:
            assert read.get_consistency_proof(old, new).node_hashes == proof
            assert read.mth(0, old) == served.tree.root(old)


def test_we_accept_every_proof_of_tlog_scales(served: Served) -> None:
    read = reader.TilesReader(LocalBackend(served.folder))
    root = read.get_checkpoint().root_hash
    for number in range(0, ENTRIES, 53):
        proof = read.get_inclusion_proof(number, ENTRIES).node_hashes
        merkle.verify_inclusion(root, ENTRIES, number, merkle.leaf_hash(read.get_entry(number)), proof)
    for old, new in served.consistency()[ENTRIES:]:
        proof = read.get_consistency_proof(old, new).node_hashes
        merkle.verify_consistency(old, read.mth(0, old), new, read.mth(0, new), proof)


# --- Go's sumdb ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def go_tlog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the Go program; skips, and says so, where Go or its module is not to be had."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("NO SECOND OPINION ON THE LOG: Go is not installed (Debian: golang-go, golang-golang-x-mod-dev)")
    folder = tmp_path_factory.mktemp("go")
    build = folder / "src" / "go_tlog"
    shutil.copytree(SOURCE, build)
    environment = {"GOCACHE": str(folder / "cache"), **os.environ} if "HOME" not in os.environ else {**os.environ}
    if (DEBIAN / "src" / "golang.org" / "x" / "mod").is_dir():
        environment |= {"GO111MODULE": "off", "GOFLAGS": "", "GOPATH": f"{folder}:{DEBIAN}"}
    made = subprocess.run(
        [go, "build", "-o", str(folder / "go_tlog"), "."], cwd=build, env=environment, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip
    if made.returncode != 0:
        if "no required module" in made.stderr or "dial tcp" in made.stderr or "cannot find" in made.stderr:
            pytest.skip(f"NO SECOND OPINION ON THE LOG: golang.org/x/mod is not to be had: {made.stderr[-300:]}")
        raise AssertionError(made.stderr)
    return folder / "go_tlog"


def proofs_of(served: Served) -> dict[str, object]:
    coded = {proof: base64.b64encode(proof).decode() for proof in ()}

    def code(proof: list[bytes]) -> list[str]:
        return [coded.setdefault(step, base64.b64encode(step).decode()) for step in proof]

    return {
        "log_key": served.log_vkey,
        "witnesses": served.witness_vkeys,
        "inclusion": [code(served.tree.inclusion_proof(number)) for number in range(ENTRIES)],
        "consistency": [
            {
                "old": old, "new": new, "proof": code(served.tree.consistency_proof(old, new)),
                "old_root": code([served.tree.root(old)])[0], "new_root": code([served.tree.root(new)])[0],
            }
            for old, new in served.consistency()
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def proofs(served: Served) -> dict[str, object]:
    return proofs_of(served)


def run_go(program: Path, folder: Path, proofs: dict[str, object]) -> subprocess.CompletedProcess[str]:
    data = json.dumps({**proofs, "folder": str(folder)})
    return subprocess.run([program], input=data, capture_output=True, text=True, check=False, timeout=300)


def test_go_reads_the_log_and_accepts_every_proof(served: Served, go_tlog: Path, proofs: dict[str, object]) -> None:
    answer = run_go(go_tlog, served.folder, proofs)
    assert answer.stderr == ""
    assert answer.stdout == f"{ENTRIES} inclusion proofs, {len(served.consistency())} consistency proofs\n"


def test_go_refuses_a_changed_proof(served: Served, go_tlog: Path, proofs: dict[str, object]) -> None:
    inclusion = [list(proof) for proof in proofs["inclusion"]]  # type: ignore[attr-defined]
    inclusion[5000][3] = inclusion[5001][4]
    answer = run_go(go_tlog, served.folder, {**proofs, "inclusion": inclusion})
    assert answer.returncode == 1 and "leaf 5000: another inclusion proof" in answer.stderr


# --- one byte ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("checkpoint", 40), ("checkpoint", 150), ("tile/0/005", 4000), ("tile/0/040.p/17", 0),
        ("tile/1/000.p/40", 1279), ("tile/entries/003", 70_000), ("tile/entries/040.p/17", 100),
    ],
)  # fmt: skip
def test_one_changed_byte_is_caught_by_both(
    served: Served, go_tlog: Path, proofs: dict[str, object], tmp_path: Path, path: str, place: int
) -> None:
    folder = tmp_path / "log"
    shutil.copytree(served.folder, folder)
    changed = bytearray((folder / path).read_bytes())
    changed[place] ^= 1
    (folder / path).write_bytes(changed)
    with pytest.raises(Exception) as caught:  # whatever tlog-scales raises
        read_with_tlog_scales(served, folder)
    assert not isinstance(caught.value, ImportError | AttributeError | FileNotFoundError)
    assert run_go(go_tlog, folder, proofs).returncode == 1
