"""A secretariat and trustees as real HTTP servers on loopback threads; members that speak the protocol themselves."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tacit_protocol import grants, messages, request_signing, sealed_index, shuffle, signing, voprf
from tacit_protocol.answers import Question, open_answer
from tacit_protocol.board import Board, StreamKeys
from tacit_protocol.checkpoint import decode_checkpoint
from tacit_protocol.errors import TacitError
from tacit_protocol.group import load_backend
from tacit_protocol.messages import BoardEntry, BoardPage, Enrolment, GrantRequest, UploadCommitment
from tacit_protocol.signing import Signed
from tacit_protocol.threshold import combine, verify_answer
from tacit_server import serving
from tacit_server.home import Home, create_home, open_home
from tacit_server.secretariat.app import create_app as secretariat_app
from tacit_server.secretariat.keeper import Keeper
from tacit_server.secretariat.log import LogFiles
from tacit_server.secretariat.operator import operations
from tacit_server.secretariat.store import Store
from tacit_server.settings import ServerSettings
from tacit_server.trustee.app import TrusteeOptions
from tacit_server.trustee.app import create_app as trustee_app

GROUP = load_backend("libsodium")
EPOCH, STREAM = "2026-h2", "social-audit"
SECRET = "a server secret for tests only"
PATIENCE_SECONDS = 60


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Wait until a condition holds; fails by name."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Running:
    """An app under uvicorn in a thread."""

    def __init__(self, app, port: int, settings: ServerSettings) -> None:
        self.app = app
        self.server = uvicorn.Server(serving.configure(app, "127.0.0.1", port, settings))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        wait_for(lambda: self.server.started or not self.thread.is_alive(), "the server starts")
        assert self.server.started

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        assert not self.thread.is_alive()


@dataclass
class World:
    """One secretariat, some trustees, and the operator's commands."""

    folder: Path
    trustee_count: int = 3
    settings: ServerSettings = field(default_factory=lambda: ServerSettings(secret=SECRET))
    ports: list[int] = field(default_factory=list)
    trustees_ahead: float = 0.0  # by how much the trustees' clocks are turned forward
    servers: dict[int, Running] = field(default_factory=dict)  # 0 is the secretariat

    def __post_init__(self) -> None:
        self.ports = [free_port() for _ in range(self.trustee_count + 1)]
        home = create_home(self.folder / "0", self.settings, url=self.url(0))
        self.keeper = Keeper(home, Store(home.database), GROUP)
        for index in range(1, self.trustee_count + 1):
            made = create_home(
                self.folder / str(index), self.settings, url=self.url(index), index=index, secretariat=home.card()
            )
            operations.add_trustee(self.keeper, made.card())

    def clock(self) -> float:
        return time.time() + self.trustees_ahead

    def url(self, index: int) -> str:
        return f"http://127.0.0.1:{self.ports[index]}"

    def home(self, index: int) -> Home:
        return open_home(self.folder / str(index), self.settings, "trustee" if index else "secretariat")

    def start(self, *indices: int) -> None:
        for index in indices or range(self.trustee_count + 1):
            if index:
                options = TrusteeOptions(poll_seconds=0.1, back_end="libsodium", threads=1, clock=self.clock)
                app = trustee_app(self.home(index), self.settings, options)
            else:
                app = secretariat_app(self.home(0), self.settings)
            self.servers[index] = Running(app, self.ports[index], self.settings)

    def stop(self, *indices: int) -> None:
        for index in indices or tuple(self.servers):
            self.servers.pop(index).stop()

    def open_epoch(self, epoch: str = EPOCH, streams: tuple[str, ...] = (STREAM,), **changes) -> None:
        now = int(time.time())
        plan = {
            "threshold": 2, "shuffler": 3, "quota": 131072, "minimum_contributors": 3, "opens": now - 1,
            "closes": now + 86400,
        }  # fmt: skip
        operations.open_epoch(self.keeper, operations.EpochPlan(epoch, streams, **{**plan, **changes}))

    def ceremony_complete(self, epoch: str = EPOCH, stream: str = STREAM) -> bool:
        """Tell whether the key is there for members too, who act on the cosigned log only."""
        try:
            self.stream_keys(epoch, stream)
        except TacitError:
            return False
        return self.is_logged(self.keeper.size - 1)

    def stream_keys(self, epoch: str = EPOCH, stream: str = STREAM) -> StreamKeys:
        with self.keeper.view() as board:
            return board.stream_keys(GROUP, epoch, stream)

    def wait_for_index(self, window: int, epoch: str = EPOCH, stream: str = STREAM) -> None:
        def published() -> bool:
            with self.keeper.view() as board:
                return (epoch, stream, window) in board.indexes and self.is_logged(board.size - 1)

        wait_for(published, f"the index of window {window}")

    def is_logged(self, entry: int) -> bool:
        """Tell whether an entry is under a cosigned checkpoint; true when too few trustees run for there to be one."""
        if 2 * sum(index > 0 for index in self.servers) <= self.trustee_count or 0 not in self.servers:
            return True
        note = LogFiles(self.folder / "0").published()
        return note is not None and decode_checkpoint(note.text).size > entry

    def wait_logged(self, entry: int) -> None:
        """Wait until an entry is under a cosigned checkpoint, where there can be one."""
        wait_for(lambda: self.is_logged(entry), f"entry {entry} is under a cosigned checkpoint")

    def invitation(self) -> str:
        return operations.invite(self.keeper, 1, 3600)[0].code

    def member(self, enrol: bool = True) -> FakeMember:
        member = FakeMember(self)
        if enrol:
            assert member.enrol(self.invitation()).status_code == 201
        return member


class FakeMember:
    """A party with a signing key that sends whatever a test wants it to send."""

    def __init__(self, world: World, key: Ed25519PrivateKey | None = None) -> None:
        self.world = world
        self.key = key or Ed25519PrivateKey.generate()
        self.name = signing.pseudonym(signing.public_bytes(self.key))
        self.client = httpx2.Client(trust_env=False, timeout=60)

    def headers(self, method: str, url: str, body: bytes = b"", **changes) -> dict[str, str]:
        values = {"now": int(time.time()), "nonce": secrets.token_urlsafe(24), **changes}
        return request_signing.sign_request(self.key, method, url, body, **values)

    def send(self, index: int, method: str, target: str, body: bytes = b"", **headers: str) -> httpx2.Response:
        url = self.world.url(index) + target
        signed = {**self.headers(method, url, body), **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.client.request(method, url, content=body, headers=signed)

    def sign(self, message: messages.Message) -> Signed:
        return signing.sign(self.key, messages.kind_of(message), messages.encode(message))

    def enrol(self, code: str) -> httpx2.Response:
        agreement = X25519PrivateKey.generate().public_key().public_bytes_raw()
        self.enrolment = messages.encode(self.sign(Enrolment(signing.public_bytes(self.key), agreement)))
        return self.logged(self.send(0, "POST", "/v1/enrolments", self.enrolment, tacit_invitation=code))

    def post(self, message: messages.Message) -> httpx2.Response:
        return self.logged(self.send(0, "POST", "/v1/board", messages.encode(self.sign(message))))

    def logged(self, answer: httpx2.Response) -> httpx2.Response:
        """Wait until what was posted is on the log, as members do before they go on."""
        if answer.status_code in (200, 201):
            self.world.wait_logged(messages.decode(answer.content, BoardEntry).sequence)
        return answer

    def board(self) -> Board:
        answer = self.send(0, "GET", "/v1/board?start=0&limit=1000")
        page = messages.decode(answer.content, BoardPage)
        board = Board(self.world.keeper.home.public_key)
        for entry in page.entries:
            board.apply(entry)
        return board

    def blind(self, inputs: list[bytes]) -> tuple[bytes, bytes]:
        """Return (blinds, blinded batch)."""
        blinds = voprf.draw_blinds(GROUP, secrets.token_bytes(voprf.blind_random_bytes(len(inputs))))
        return blinds, voprf.blind(GROUP, inputs, blinds).encode()

    def batch(self, count: int = grants.PADDING) -> bytes:
        """Return random valid elements, which is what a blinded batch looks like."""
        return GROUP.multiply_base(GROUP.reduce_scalars(secrets.token_bytes(64 * count))).encode()

    def dummies(self) -> list[bytes]:
        """Return uploaded records that nobody can open."""
        with self.world.keeper.view() as board:
            agreement = board.manifest(EPOCH).agreement_key
        return [
            shuffle.seal_for_secretariat(
                agreement, EPOCH, STREAM, sealed_index.dummy_record(secrets.token_bytes(sealed_index.SEALED_BYTES))
            )
            for _ in range(sealed_index.RECORD_BUCKET)
        ]

    def grant(self, blinded: bytes, epoch: str = EPOCH, stream: str = STREAM) -> httpx2.Response:
        digest = grants.batch_digest(epoch, stream, blinded)
        return self.post(GrantRequest(epoch, stream, len(blinded) // 32, digest))

    def evaluate(self, index: int, blinded: bytes, epoch: str = EPOCH, stream: str = STREAM) -> httpx2.Response:
        return self.send(index, "POST", f"/v1/{epoch}/{stream}/evaluations", blinded)

    def outputs(self, inputs: list[bytes], trustees: tuple[int, ...] = (1, 2)) -> dict[bytes, bytes]:
        """Have inputs evaluated, padded to a whole batch, and return the outputs of all."""
        padded = inputs + [b"dummy" + secrets.token_bytes(16) for _ in range(-len(inputs) % grants.PADDING)]
        blinds, blinded = self.blind(padded)
        assert self.grant(blinded).status_code == 201
        keys, elements, answers = self.world.stream_keys(), GROUP.decode(blinded), []
        for index in trustees:
            body = self.evaluate(index, blinded).content
            question = Question(EPOCH, STREAM, index, grants.batch_digest(EPOCH, STREAM, blinded))
            key = signing.public_bytes(self.world.home(index).signing_key)
            answer = open_answer(GROUP, key, question, len(elements), body)
            verify_answer(GROUP, EPOCH, STREAM, GROUP.decode(keys.public_shares[index]), elements, answer)
            answers.append(answer)
        packed = combine(GROUP, 2, answers, padded, blinds)
        return {value: packed[64 * i : 64 * (i + 1)] for i, value in enumerate(padded)}

    def seal(self, records: list[tuple[bytes, list[bytes]]], outputs: dict[bytes, bytes]) -> list[bytes]:
        """Seal (payload, match keys) and dummies up to the bucket, for the secretariat."""
        with self.world.keeper.view() as board:
            agreement = board.manifest(EPOCH).agreement_key
        context = sealed_index.entry_context(EPOCH, STREAM, self.world.stream_keys().public_key)
        sealed = []
        for payload, keys in records:
            entries = [sealed_index.entry_key(context, outputs[key]) for key in keys]
            random = secrets.token_bytes(sealed_index.record_random_bytes(len(keys)))
            sealed.append(sealed_index.seal_record(EPOCH, STREAM, secrets.token_bytes(32), payload, entries, random))
        for _ in range(sealed_index.padded_records(len(sealed)) - len(sealed)):
            sealed.append(sealed_index.dummy_record(secrets.token_bytes(sealed_index.SEALED_BYTES)))
        return [shuffle.seal_for_secretariat(agreement, EPOCH, STREAM, record) for record in sealed]

    def commit(self, uploads: list[bytes], window: int | None = None) -> tuple[int, bytes, bytes]:
        """Post the commitment to an upload to the open window, or the one named; entry, salt and the one page."""
        if window is None:
            with self.world.keeper.view() as board:
                window = board.open_window(EPOCH, STREAM)
        page, salt = b"".join(uploads), secrets.token_bytes(32)
        digest = shuffle.upload_digest(salt, EPOCH, STREAM, b"".join(shuffle.record_hashes([page])))
        answer = self.post(UploadCommitment(EPOCH, STREAM, window, len(uploads), digest))
        assert answer.status_code == 201, answer.text
        return messages.decode(answer.content, BoardEntry).sequence, salt, page

    def upload(self, uploads: list[bytes], window: int | None = None) -> Signed:
        """Upload records and return the receipt."""
        entry, salt, page = self.commit(uploads, window)
        base = f"/v1/{EPOCH}/{STREAM}/uploads/{entry}"
        assert self.send(3, "PUT", f"{base}/pages/0", page).status_code == 204
        answer = self.send(3, "POST", f"{base}/complete", salt)
        assert answer.status_code == 200, answer.text
        return messages.decode(answer.content, Signed)
