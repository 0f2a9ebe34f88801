"""Eligibility and statements: rules stand before the epoch, and a grant is on the log only by them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tacit_protocol import access, messages, signing
from tacit_protocol.board import Board
from tacit_protocol.errors import GrantError, SignatureError, TacitError
from tacit_protocol.messages import (
    AccessRules,
    BoardEntry,
    Eligibility,
    Enrolment,
    GrantRequest,
    Manifest,
    Message,
    StatementSignature,
    Trustee,
)

SECRETARIAT, MEMBER, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([i]) * 32) for i in (1, 2, 3))
E, OPEN, CLOSED = "2026-h2", "social-audit", "ecovadis"
RULES = AccessRules(E, (CLOSED,), "I use what I learn for planning audits only.")


def name(key: Ed25519PrivateKey) -> str:
    return signing.pseudonym(signing.public_bytes(key))


def manifest() -> Manifest:
    key = signing.public_bytes(SECRETARIAT)
    trustee = Trustee(1, signing.public_bytes(OTHER), bytes(32), "http://127.0.0.1:1")
    return Manifest(E, (OPEN, CLOSED), 1, (trustee,), 1, 4096, 1, key, bytes(32), 0, 1000)


@dataclass
class Log:
    board: Board = field(default_factory=lambda: Board(signing.public_bytes(SECRETARIAT)))

    def add(self, message: Message, key: Ed25519PrivateKey = SECRETARIAT) -> None:
        signed = signing.sign(key, messages.kind_of(message), messages.encode(message))
        self.board.apply(BoardEntry(self.board.size, 5, signed))

    def enrol(self, key: Ed25519PrivateKey) -> None:
        self.add(Enrolment(signing.public_bytes(key), bytes(32)), key)

    def grant(self, stream: str, key: Ed25519PrivateKey = MEMBER, digest: int = 0) -> None:
        self.add(GrantRequest(E, stream, 2048, bytes([digest]) * 64), key)

    def sign(self, key: Ed25519PrivateKey = MEMBER) -> None:
        self.add(StatementSignature(E, access.statement_digest(RULES)), key)


@pytest.fixture
def log() -> Log:
    log = Log()
    log.add(RULES)
    log.add(manifest())
    log.enrol(MEMBER)
    return log


def test_without_rules_every_member_has_every_stream() -> None:
    log = Log()
    log.add(manifest())
    log.enrol(MEMBER)
    log.grant(OPEN)
    log.grant(CLOSED)


def test_a_member_signs_first_and_is_let_into_a_restricted_stream_by_name(log: Log) -> None:
    with pytest.raises(GrantError, match="run 'tacit statement' first"):
        log.grant(OPEN)
    log.sign()
    log.grant(OPEN)
    with pytest.raises(GrantError, match="not eligible for 2026-h2/ecovadis") as caught:
        log.grant(CLOSED)
    assert caught.value.party == name(MEMBER)
    log.add(Eligibility(E, CLOSED, name(MEMBER), True))
    log.grant(CLOSED)
    log.add(Eligibility(E, CLOSED, name(MEMBER), False))
    with pytest.raises(GrantError, match="not eligible"):
        log.grant(CLOSED, digest=1)
    # What was granted stays granted: the answer to it may still be on its way.
    log.board.ledger.covers(name(MEMBER), E, CLOSED, bytes(64), 2048)


def test_nobody_is_let_in_for_another(log: Log) -> None:
    log.enrol(OTHER)
    log.sign(OTHER)
    log.add(Eligibility(E, CLOSED, name(OTHER), True))
    log.sign()
    with pytest.raises(GrantError, match="not eligible"):
        log.grant(CLOSED)


@pytest.mark.parametrize(
    ("message", "key", "error", "why"),
    [
        (AccessRules("2027-h1", (), ""), MEMBER, SignatureError, "rules by a member"),
        (AccessRules(E, (), ""), SECRETARIAT, GrantError, "rules after the manifest"),
        (Eligibility(E, CLOSED, name(MEMBER), True), MEMBER, SignatureError, "a member lets itself in"),
        (Eligibility(E, OPEN, name(MEMBER), True), SECRETARIAT, GrantError, "a stream that is open to all"),
        (Eligibility("2027-h1", CLOSED, name(MEMBER), True), SECRETARIAT, GrantError, "an epoch without rules"),
        (Eligibility(E, CLOSED, name(OTHER), True), SECRETARIAT, GrantError, "somebody who is not enrolled"),
        (StatementSignature(E, bytes(32)), MEMBER, GrantError, "another text"),
        (StatementSignature("2027-h1", access.statement_digest(RULES)), MEMBER, GrantError, "another epoch"),
        (StatementSignature(E, access.statement_digest(RULES)), OTHER, GrantError, "a stranger"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_breaks_a_rule_is_refused(
    log: Log, message: Message, key: Ed25519PrivateKey, error: type[TacitError], why: str
) -> None:
    size = log.board.size
    with pytest.raises(error):
        log.add(message, key)
    assert log.board.size == size, why


def test_a_statement_is_bound_to_its_epoch() -> None:
    other = AccessRules("2027-h1", RULES.restricted, RULES.statement)
    assert access.statement_digest(other) != access.statement_digest(RULES)
