"""Auditors at the secretariat: appointed by the operator, known by their key, and kept to what an auditor may post."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from typer.testing import CliRunner

from server.running import EPOCH, STREAM, FakeMember, World
from tacit_protocol import messages, signing
from tacit_protocol.messages import (
    AuditorAppointment,
    BoardEntry,
    GrantRequest,
    QueryAuditAnswer,
    QueryAuditOrder,
    QueryAuditResult,
)
from tacit_server.cli import app
from tacit_server.errors import ConfigurationError
from tacit_server.secretariat.operator import operations
from tacit_server.secretariat.operator.operations import AuditorCard


def card_of(party: FakeMember) -> AuditorCard:
    agreement = X25519PrivateKey.generate().public_key().public_bytes_raw()
    return AuditorCard(signing.public_bytes(party.key), agreement)


@pytest.fixture
def auditor(world: World) -> FakeMember:
    party = FakeMember(world)
    operations.appoint_auditor(world.keeper, card_of(party), int(time.time()) + 3600)
    return party


def granted(member: FakeMember) -> int:
    answer = member.post(GrantRequest(EPOCH, STREAM, 2048, secrets.token_bytes(64)))
    assert answer.status_code == 201, answer.text
    return messages.decode(answer.content, BoardEntry).sequence


def order(world: World, member: FakeMember, *grants: int) -> QueryAuditOrder:
    with world.keeper.view() as board:
        size, root = board.size, board.tree.root()
    return QueryAuditOrder(member.name, EPOCH, STREAM, grants, 16, size, root, secrets.token_bytes(32))


def test_an_appointed_auditor_reads_and_orders_and_the_member_answers(world: World, auditor: FakeMember) -> None:
    member = world.member()
    assert auditor.send(0, "GET", "/v1/board?start=0&limit=10").status_code == 200
    answer = auditor.post(order(world, member, granted(member)))
    assert answer.status_code == 201, answer.text
    entry = messages.decode(answer.content, BoardEntry).sequence
    assert member.post(QueryAuditAnswer(entry, bytes(64))).status_code == 201
    assert auditor.post(QueryAuditResult(entry, "plausible", 10, 0, 6)).status_code == 201
    with world.keeper.view() as board:
        assert board.audits.results[entry].outcome == "plausible"


def test_nobody_else_orders(world: World, auditor: FakeMember) -> None:
    member = world.member()
    asked = order(world, member, granted(member))
    for party in (member, FakeMember(world, world.home(1).signing_key)):
        answer = party.post(asked)
        assert answer.status_code == 403 and "only an appointed auditor" in answer.json()["detail"]
    assert FakeMember(world).post(asked).status_code == 401
    assert auditor.post(asked).status_code == 201


def test_an_auditor_posts_nothing_else(world: World, auditor: FakeMember) -> None:
    for message in (
        GrantRequest(EPOCH, STREAM, 2048, bytes(64)),
        QueryAuditAnswer(0, bytes(64)),
        AuditorAppointment(bytes(32), bytes(32), 2**40),
    ):
        assert auditor.post(message).status_code == 403


def test_an_order_against_the_rules_is_refused_with_its_reason(world: World, auditor: FakeMember) -> None:
    member = world.member()
    grant = granted(member)
    assert auditor.post(order(world, member, grant)).status_code == 201
    again = auditor.post(order(world, member, grant))
    assert again.status_code == 409 and again.json()["type"] == "urn:tacit:query-audit"
    assert "audited once" in again.json()["detail"]


def test_a_member_does_not_answer_for_another(world: World, auditor: FakeMember) -> None:
    member, other = world.member(), world.member()
    entry = messages.decode(auditor.post(order(world, member, granted(member))).content, BoardEntry).sequence
    assert other.post(QueryAuditAnswer(entry, bytes(64))).status_code == 409


def test_a_term_in_the_past_or_keys_of_another_role_are_refused(world: World) -> None:
    with pytest.raises(ConfigurationError, match="future"):
        operations.appoint_auditor(world.keeper, card_of(FakeMember(world)), int(time.time()) - 1)
    from tacit_protocol.errors import QueryAuditError

    mine = AuditorCard(world.keeper.home.public_key, X25519PrivateKey.generate().public_key().public_bytes_raw())
    with pytest.raises(QueryAuditError, match="keys of its own"):
        operations.appoint_auditor(world.keeper, mine, int(time.time()) + 3600)


def test_the_operators_command_takes_the_card_of_the_audit_tool(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.running import SECRET
    from tacit_client.audit.home import AuditorHome

    monkeypatch.setenv("TACIT_SERVER_SECRET", SECRET)
    home = AuditorHome.create(tmp_path / "auditor")
    arguments = [
        "secretariat",
        "appoint-auditor",
        "--home",
        str(world.folder / "0"),
        str(tmp_path / "auditor/card.json"),
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0 and home.pseudonym in result.output, result.output
    with world.keeper.view() as board:
        assert home.pseudonym in board.audits.auditors
    (tmp_path / "bad.json").write_text('{"signing_key": "AAAA"}')
    result = CliRunner().invoke(app, [*arguments[:-1], str(tmp_path / "bad.json")])
    assert result.exit_code == 1 and "auditor's card" in " ".join(result.output.split())
