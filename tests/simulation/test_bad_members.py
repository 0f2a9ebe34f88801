"""A member that misbehaves, each time in another way: it is refused by name and gains nothing.

What is refused leaves nothing on the log, so there is no file and `tacit audit verify` finds nothing to blame anybody
for. Where a secretariat logs it all the same, followers stop with a file, and the auditor's tool names both.
A member that trawls a directory within its quota is in ``test_query_audits.py``
(``test_a_member_that_trawled_a_directory_is_caught``), and one that does not answer a query audit beside it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from server.running import EPOCH, STREAM, FakeMember, World, wait_for
from support.audits import Case
from support.logs import LogServer
from tacit_client.cli import app
from tacit_protocol import grants, messages, signing
from tacit_protocol.board import BoardError
from tacit_protocol.grants import BLOCK, PADDING
from tacit_protocol.messages import BoardEntry, GrantRequest
from tacit_server.observing import configure_logging
from tacit_server.secretariat.operator import operations

configure_logging("error")
QUOTA = 2 * BLOCK


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("members"))
    world.start()
    world.open_epoch(quota=QUOTA, minimum_contributors=1, closes=int(time.time()) + 30 * 86400)
    wait_for(world.ceremony_complete, "the ceremony is complete")
    yield world
    world.stop()


def refused(answer, name: str, member: FakeMember) -> str:
    """Assert that a request was refused and that its sender is named; returns the words."""
    assert answer.status_code == 403 and answer.json()["type"] == f"urn:tacit:{name}"
    assert answer.json()["party"] == member.name
    return str(answer.json()["detail"])


def used(world: World, member: FakeMember) -> int:
    with world.keeper.view() as board:
        return board.ledger.used.get((EPOCH, STREAM, member.name), 0)


def assert_the_log_is_in_order(world: World, folder: Path) -> None:
    """`tacit audit verify` alone: nothing that was refused came onto the log."""
    keys = folder / "keys.json"
    keys.write_bytes(msgspec.json.encode(operations.invite(world.keeper, 1, 3600)[0]))
    arguments = ["--secretariat", world.url(0), "--trustee-keys", str(keys), "--home", str(folder / "auditor")]
    result = CliRunner().invoke(app, ["audit", "verify", *arguments])
    assert result.exit_code == 0, result.output


def test_one_that_replays_a_grant_with_another_batch(world: World, tmp_path: Path) -> None:
    """Otherwise one grant would do for any number of batches."""
    member = world.member()
    granted, other = member.batch(), member.batch()
    assert member.grant(granted).status_code == 201
    for index in (1, 2, 3):
        assert member.evaluate(index, granted).status_code == 200
        for batch in (other, granted[32:] + granted[:32], granted[:-32] + other[:32]):
            assert "no grant on the board covers" in refused(member.evaluate(index, batch), "grant", member)
    # The same batch again is a retry: the same bytes as before, and no quota.
    assert member.evaluate(1, granted).content == member.evaluate(1, granted).content
    assert used(world, member) == PADDING
    assert_the_log_is_in_order(world, tmp_path)


def test_one_that_replays_the_grant_of_another_member(world: World, tmp_path: Path) -> None:
    """It has seen the batch, or it is the network that recorded it: the grant is for its owner alone."""
    owner, thief = world.member(), world.member()
    batch = owner.batch()
    granted = owner.grant(batch)
    assert granted.status_code == 201
    for index in (1, 2, 3):
        refused(thief.evaluate(index, batch), "grant", thief)
    # Nor does it help to post the owner's signed request once more, or to sign its digest oneself: that costs quota.
    entry = messages.decode(granted.content, BoardEntry)
    refused(thief.send(0, "POST", "/v1/board", messages.encode(entry.message)), "forbidden", thief)
    assert (used(world, owner), used(world, thief)) == (PADDING, 0)
    assert thief.grant(batch).status_code == 201
    assert (used(world, owner), used(world, thief)) == (PADDING, PADDING)
    assert_the_log_is_in_order(world, tmp_path)


def test_one_that_overspends(world: World, tmp_path: Path) -> None:
    member = world.member()
    batch = member.batch()
    for number in range(QUOTA // BLOCK):
        assert member.post(GrantRequest(EPOCH, STREAM, BLOCK, bytes([number]) * 64)).status_code == 201
    assert "is used up" in refused(member.grant(batch), "grant", member)
    for index in (1, 2, 3):
        refused(member.evaluate(index, batch), "grant", member)
    assert used(world, member) == QUOTA
    assert_the_log_is_in_order(world, tmp_path)


def test_one_that_asks_for_more_elements_under_a_digest_that_was_granted(world: World) -> None:
    member = world.member()
    batch = member.batch()
    digest = grants.batch_digest(EPOCH, STREAM, batch)
    assert member.post(GrantRequest(EPOCH, STREAM, PADDING, digest)).status_code == 201
    assert world.member().post(GrantRequest(EPOCH, STREAM, 2 * PADDING, digest)).status_code == 201  # its own quota
    # The secretariat answers with the grant that stands. That another count on the log is refused is shown below.
    answer = member.post(GrantRequest(EPOCH, STREAM, 2 * PADDING, digest))
    assert answer.status_code == 200
    entry = messages.decode(answer.content, BoardEntry)
    assert messages.body_of(entry.message, GrantRequest).count == PADDING
    assert used(world, member) == PADDING


# --- with a secretariat that logs it all the same ------------------------------------------------------------


def audit(case: Case, command: str, *arguments: str) -> tuple[int, str]:
    folder = ["--folder", str(case.folder), "--trustee-keys", str(case.folder / "keys.json")]
    result = CliRunner().invoke(app, ["audit", command, *arguments, *folder])
    return result.exit_code, " ".join(result.output.split())


def overspends(case: Case) -> str:
    for _ in range(case.made.quota // BLOCK):
        case.made.grant_any(case.members[0], BLOCK)
    return "is used up"


def changes_a_count(case: Case) -> str:
    entry = case.made.entries[case.find("grant")]
    request = messages.body_of(entry.message, GrantRequest)
    case.made.add(case.members[0], msgspec.structs.replace(request, count=2 * PADDING))
    return "was granted with 2048 elements"


@pytest.mark.parametrize("deed", [overspends, changes_a_count])
def test_a_secretariat_that_lets_a_member_do_it_is_to_blame_with_it(case: Case, tmp_path: Path, deed) -> None:
    (tmp_path / "member").mkdir()
    server = LogServer(case.made)
    server.follower(tmp_path / "member").follow()
    words = deed(case)
    with pytest.raises(BoardError, match=words) as caught:
        server.follower(tmp_path / "member").follow()
    assert caught.value.party == "secretariat" and case.name(0) in caught.value.message
    (file,) = (tmp_path / "member" / "evidence").iterdir()
    result, report = case.command()
    (finding,) = [f for f in report["findings"] if f["severity"] == "finding"]
    assert result.exit_code == 1 and finding["parties"] == [case.name(0), "secretariat"]
    code, verdict = audit(case, "evidence", str(file))
    assert code == 1 and words in verdict and case.name(0) in verdict and "(secretariat)" in verdict


def test_a_grant_that_a_secretariat_logs_twice_counts_once(case: Case) -> None:
    """Replayed by the secretariat, a member's signed request costs the member nothing and gains nobody anything."""
    entry = case.made.entries[case.find("grant")]
    before = case.made.board().ledger.used
    case.made.append(entry.message)
    assert case.made.board().ledger.used == before
    assert case.command()[0].exit_code == 0
    other = signing.pseudonym(signing.public_bytes(case.members[1]))
    assert before[EPOCH, STREAM, other] == PADDING


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "log")
