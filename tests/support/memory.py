"""A whole round in memory behind the client's transport: real keys, proofs, grants and sealing, and no sockets.

It takes the place of :class:`tacit_client.transport.HttpTransport`; a test may act before a request and change what a
party answers.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from support.trustees import EPOCH, STREAM, Trustees
from tacit_client.checking import Checker
from tacit_client.contribution import Contributor
from tacit_client.errors import PartyUnavailable, Refused
from tacit_client.evaluation import Evaluator
from tacit_client.parties import Secretariat, TrusteeServer
from tacit_client.vault import Vault
from tacit_matcher.policy import Policy
from tacit_protocol import grants, index_file, messages, sealed_index, shuffle, signing, wire
from tacit_protocol.answers import Question, sign
from tacit_protocol.board import Board
from tacit_protocol.errors import GrantError
from tacit_protocol.grants import Ledger
from tacit_protocol.index_file import IndexHeader, encode_header
from tacit_protocol.messages import (
    BoardEntry,
    Enrolment,
    Handover,
    IndexRoot,
    Manifest,
    Receipt,
    Trustee,
    UploadCommitment,
)
from tacit_protocol.signing import Signed


@dataclass
class MemoryRound:
    """The parties' side of one (epoch, stream), for one or more members."""

    trustees: Trustees
    quota: int = 131_072
    down: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    before: Callable[[str, str], None] = lambda party, target: None
    change: Callable[[str, str, bytes], bytes] = lambda party, target, body: body  # on the way
    lie: Callable[[str, bytes], bytes] = lambda party, content: content  # what a trustee signs as its answer

    def __post_init__(self) -> None:
        self.signing = {index: Ed25519PrivateKey.generate() for index in range(4)}  # 0 is the secretariat
        self.agreement = X25519PrivateKey.generate()
        keys = {i: X25519PrivateKey.generate().public_key().public_bytes_raw() for i in (1, 2, 3)}
        self.cards = tuple(
            Trustee(i, signing.public_bytes(self.signing[i]), keys[i], f"http://trustee-{i}") for i in (1, 2, 3)
        )
        self.manifest = Manifest(
            EPOCH, (STREAM,), 2, self.cards, 3, self.quota, 1, signing.public_bytes(self.signing[0]),
            self.agreement.public_key().public_bytes_raw(), 0, 2**35,
        )  # fmt: skip
        self.ledger = Ledger()
        self.board = Board(self.manifest.signing_key)
        self.entries: list[Signed] = []
        self._append(signing.sign(self.signing[0], "manifest", messages.encode(self.manifest)))
        self.cache: dict[bytes, dict[int, bytes]] = {}
        self.pages: dict[int, dict[int, bytes]] = {}
        self.finished: dict[int, bytes] = {}
        self.index = b""

    # --- what tests use ---

    def enrol(self, key: Ed25519PrivateKey) -> None:
        message = Enrolment(signing.public_bytes(key), X25519PrivateKey.generate().public_key().public_bytes_raw())
        self._append(signing.sign(key, "enrolment", messages.encode(message)))

    def used(self, key: Ed25519PrivateKey) -> int:
        return self.ledger.used.get((EPOCH, STREAM, signing.pseudonym(signing.public_bytes(key))), 0)

    def evaluator(self, vault: Vault, key: Ed25519PrivateKey) -> Evaluator:
        servers = [TrusteeServer(self, card) for card in self.cards]
        secretariat = Secretariat(self, "http://secretariat")
        return Evaluator(
            self.trustees.group, vault, self.trustees.context, secretariat, servers, key, lambda entry: None
        )

    def contributor(self, vault: Vault, key: Ed25519PrivateKey) -> Contributor:
        shuffler = TrusteeServer(self, self.cards[2])
        evaluator = self.evaluator(vault, key)
        return Contributor(vault, evaluator, self.trustees.context, self.manifest, shuffler, key)

    def checker(self, vault: Vault, key: Ed25519PrivateKey, cache: Path, policy: Policy | None = None) -> Checker:
        return Checker(vault, self.evaluator(vault, key), self.trustees.context, cache, policy or Policy())

    def close_window(self) -> IndexRoot:
        """Open what was uploaded, publish the index, and open the next window."""
        window = self.board.open_window(EPOCH, STREAM)
        uploads = [b"".join(page for _, page in sorted(pages.items())) for pages in self.finished_pages()]
        size = shuffle.UPLOAD_BYTES
        records = [
            shuffle.open_at_secretariat(self.agreement, EPOCH, STREAM, packed[at : at + size])
            for packed in uploads
            for at in range(0, len(packed), size)
        ]
        entries = sorted(
            record[at : at + sealed_index.ENTRY_BYTES]
            for record in records
            for at in range(sealed_index.RECORD_BYTES, sealed_index.SEALED_BYTES, sealed_index.ENTRY_BYTES)
        )
        kept = sorted(record[: sealed_index.RECORD_BYTES] for record in records)
        header = encode_header(IndexHeader(EPOCH, STREAM, window, len(entries), len(kept)))
        self.index = header + b"".join(entries) + b"".join(kept)
        root = index_file.root_of(index_file.chunks(self.index))
        announced = IndexRoot(EPOCH, STREAM, window, root, len(self.index), len(kept), len(entries))
        self.board.indexes[EPOCH, STREAM, window] = announced
        handover = Handover(EPOCH, STREAM, window, tuple(self.finished), len(kept), bytes(64))
        self.board.handovers[EPOCH, STREAM, window] = handover
        self.board.closed_windows[EPOCH, STREAM] = window
        return announced

    def finished_pages(self) -> list[dict[int, bytes]]:
        return [self.pages[entry] for entry in self.finished]

    # --- the transport ---

    def request(
        self,
        party: str,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = 2**24,
    ) -> bytes:
        target = urlsplit(url).path
        self.asked.append((party, target))
        self.before(party, target)
        if party in self.down:
            raise PartyUnavailable(f"{party} does not answer (ConnectError): try again later", party=party)
        return self.change(party, target, self._answer(party, method, target, body, headers or {}))

    def _answer(self, party: str, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        if target == "/v1/board":
            return self._post(messages.decode(body, Signed))
        if target.startswith("/v1/indexes/"):
            first, last = headers["Range"].removeprefix("bytes=").split("-")
            return self.index[int(first) : int(last) + 1]
        if target.endswith("/evaluations"):
            return self._evaluate(int(party.split()[1]), body)
        return self._upload(method, target.split("/uploads/")[1].split("/"), body)

    def _post(self, message: Signed) -> bytes:
        try:
            if message.kind == "grant":
                self.ledger.check(message)
        except GrantError as error:
            raise Refused(
                f"secretariat refuses: {error.message}", party="secretariat", kind="grant", evidence=error.evidence
            ) from None
        known = [number for number, entry in enumerate(self.entries) if entry.body == message.body]
        return messages.encode(BoardEntry(known[0] if known else self._append(message), 0, message))

    def _append(self, message: Signed) -> int:
        self.ledger.apply(message)
        if message.kind == "upload":
            commitment = messages.body_of(message, UploadCommitment)
            self.board.uploads[len(self.entries)] = (message.signer, commitment)
        self.entries.append(message)
        return len(self.entries) - 1

    def _evaluate(self, index: int, blinded: bytes) -> bytes:
        digest = grants.batch_digest(EPOCH, STREAM, blinded)
        if digest not in {grant[3] for grant in self.ledger.granted}:
            raise Refused("not granted", party=f"trustee {index}", kind="grant")
        answers = self.cache.setdefault(digest, {})
        if index not in answers:
            answer = self.trustees.answer(index, self.trustees.group.decode(blinded))
            content = self.lie(f"trustee {index}", wire.encode_content(answer))
            answers[index] = sign(self.signing[index], Question(EPOCH, STREAM, index, digest), content)
        return answers[index]

    def _upload(self, method: str, path: list[str], body: bytes) -> bytes:
        entry, pages = int(path[0]), self.pages.setdefault(int(path[0]), {})
        if method == "PUT":
            pages[int(path[2])] = body
            return b""
        if method == "GET":
            return json.dumps({"pages": sorted(pages), "complete": entry in self.finished}).encode()
        commitment = messages.body_of(self.entries[entry], UploadCommitment)
        packed = [page for _, page in sorted(pages.items())]
        hashes = b"".join(shuffle.record_hashes(packed))
        assert shuffle.upload_digest(body, EPOCH, STREAM, hashes) == commitment.digest
        receipt = Receipt(EPOCH, STREAM, commitment.window, entry, commitment.count)
        self.finished.setdefault(
            entry, messages.encode(signing.sign(self.signing[3], "receipt", messages.encode(receipt)))
        )
        return self.finished[entry]


def fresh(folder: Path, round_: MemoryRound) -> tuple[Vault, Ed25519PrivateKey]:
    """Return the vault and key of a new member of the round."""
    key = Ed25519PrivateKey.generate()
    round_.enrol(key)
    return Vault.create(folder / f"member-{secrets.token_hex(4)}-{time.monotonic_ns()}"), key
