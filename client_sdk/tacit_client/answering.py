"""A member answers query audits: find the batches, say what will be disclosed to whom, seal it for the auditor alone.

Order of writes: the sealed answer is in the vault before its digest goes to the board, and the file for the auditor is
written last. So what was signed can always be handed over again, byte for byte.

The answer travels as a file, by mail or on a stick: the auditor then needs no server, and the secretariat sees neither
the answer nor its size. That it was given is on the board, by its digest.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tacit_client.errors import VaultError
from tacit_client.evaluation import batch_names, stored_batches
from tacit_client.lock import HomeLock
from tacit_client.opened_keys import OpenedKey, read_opened
from tacit_client.parties import Secretariat
from tacit_client.session import Batch
from tacit_client.vault import Vault, write_atomically
from tacit_protocol import grants, messages, query_audit, signing
from tacit_protocol.audit_ledger import AUDIT_PERIOD_SECONDS, OrderedAudit
from tacit_protocol.board import Board
from tacit_protocol.errors import QueryAuditError
from tacit_protocol.group import Backend
from tacit_protocol.messages import BoardEntry, QueryAuditAnswer
from tacit_protocol.query_audit import AuditAnswer

_CONFIRMED = "auditors"


@dataclass(frozen=True)
class Disclosure:
    """What answering an order discloses: every opened input, in plain words."""

    ordered: OrderedAudit
    answer: AuditAnswer
    opened: Sequence[tuple[int, int, OpenedKey]]  # grant entry, position, input

    @property
    def elements(self) -> int:
        """Return how many elements stay closed beside those that are opened."""
        return sum(len(batch.blinded) // 32 for batch in self.answer.batches) - len(self.opened)


@dataclass
class Answerer:
    """Answers the orders that are addressed to one member."""

    group: Backend
    vault: Vault
    secretariat: Secretariat
    signing_key: Ed25519PrivateKey
    wait_for: Callable[[BoardEntry], None]  # returns once an entry is on the witnessed log
    lock: HomeLock

    @property
    def member(self) -> str:
        """Return the member's pseudonym."""
        return signing.pseudonym(signing.public_bytes(self.signing_key))

    def waiting(self, board: Board) -> list[OrderedAudit]:
        """Return the orders to be answered, oldest first."""
        return board.audits.open_orders(self.member)

    def reminders(self, board: Board) -> list[str]:
        """Return a sentence for each order that waits: who does not answer in time is reported by name."""
        return [
            f"auditor {ordered.auditor} waits for an answer by {day(ordered.due)}: run 'tacit answer-audit', which "
            "shows what it would disclose before anything is sent"
            for ordered in self.waiting(board)
        ]

    def is_confirmed(self, auditor: str) -> bool:
        """Tell whether the member has confirmed before that this pseudonym is its auditor's."""
        return auditor in self._confirmed()

    def confirm(self, auditor: str) -> None:
        """Remember that ``auditor`` is the pseudonym that the auditor itself gave: a secretariat could name another."""
        self.vault.put(_CONFIRMED, msgspec.msgpack.encode(sorted({*self._confirmed(), auditor})))

    def prepare(self, board: Board, ordered: OrderedAudit) -> Disclosure:
        """Open what an order chooses, without sending anything; raises :class:`VaultError` when a batch is gone."""
        order = ordered.order
        wanted = {board.audits.granted[entry][1].digest: entry for entry in order.grants}
        found = self._find(order.epoch, order.stream, set(wanted))
        opened = []
        for digest, entry in wanted.items():
            if digest not in found:
                raise VaultError(
                    f"the batch granted in entry {entry} is not in this vault: if another machine of yours made it, "
                    "answer there; otherwise tell the auditor"
                )
            batch, positions = found[digest], query_audit.positions_of(order, board.audits.granted[entry][1])
            opened.append(query_audit.open_batch(self.group, entry, batch.inputs, batch.blinds, positions))
        listed = [(b.grant, o.position, read_opened(o.value)) for b in opened for o in b.openings]
        return Disclosure(ordered, AuditAnswer(ordered.entry, tuple(opened)), listed)

    def answer(self, board: Board, disclosure: Disclosure, target: Path) -> Path:
        """Seal, sign the digest on the board and write the file for the auditor; repeating it gives the same file."""
        ordered = disclosure.ordered
        if not self.is_confirmed(ordered.auditor):
            raise QueryAuditError(
                f"nobody has confirmed here that {ordered.auditor} is your auditor: compare it with what the auditor "
                "told you, then give it with --auditor",
                party="secretariat",
            )
        with self.lock.held():
            sealed = self._sealed(board, disclosure)
            message = QueryAuditAnswer(ordered.entry, query_audit.answer_digest(sealed))
            signed = signing.sign(self.signing_key, messages.kind_of(message), messages.encode(message))
            self.wait_for(self.secretariat.post(signed))
            return self._write(ordered.entry, sealed, target)

    def write_again(self, entry: int, target: Path) -> Path:
        """Write the file of an earlier answer once more."""
        return self._write(entry, self.vault.get(_sealed_name(entry)), target)

    def purge(self, board: Board, now: int) -> int:
        """Forget the batches whose audit period is over, unless an order for them is open; returns how many."""
        open_epochs = {ordered.order.epoch for ordered in self.waiting(board)}
        dropped = 0
        for manifest in board.ledger.manifests.values():
            if now < manifest.closes + AUDIT_PERIOD_SECONDS or manifest.epoch in open_epochs:
                continue
            for stream in manifest.streams:
                with self.lock.held():
                    for name in batch_names(self.vault, manifest.epoch, stream):
                        self.vault.drop(name)
                        dropped += 1
        return dropped

    def _find(self, epoch: str, stream: str, wanted: set[bytes]) -> dict[bytes, Batch]:
        found: dict[bytes, Batch] = {}
        for batch in stored_batches(self.vault, epoch, stream):
            if found.keys() >= wanted:
                break
            digest = grants.batch_digest(epoch, stream, batch.blinded(self.group).encode())
            if digest in wanted:
                found[digest] = batch
        return found

    def _sealed(self, board: Board, disclosure: Disclosure) -> bytes:
        # Sealing draws a fresh key each time: what was once signed for must be kept, not made again.
        name = _sealed_name(disclosure.ordered.entry)
        if not self.vault.has(name):
            auditor = board.audits.auditors[disclosure.ordered.auditor]
            sealed = query_audit.seal_answer(auditor.agreement_key, disclosure.ordered.order, disclosure.answer)
            self.vault.put(name, sealed)
        return self.vault.get(name)

    def _write(self, entry: int, sealed: bytes, target: Path) -> Path:
        path = target / f"answer-{entry}-{self.member}.tacit-audit" if target.is_dir() else target
        write_atomically(path, sealed)
        return path

    def _confirmed(self) -> set[str]:
        return set(msgspec.msgpack.decode(self.vault.get(_CONFIRMED))) if self.vault.has(_CONFIRMED) else set()


def day(seconds: int) -> str:
    """Return the date (UTC) of a time in Unix seconds."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).date().isoformat()


def _sealed_name(entry: int) -> str:
    return f"audits/{entry}"
