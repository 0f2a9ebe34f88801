"""The next epoch, and what happens when a trustee is lost, replaced, or too many are lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.demo.processes import Server, free_ports, run, wait_until_healthy

from support.world import BACK_END, EPOCH, STREAM, World, audited, planned
from tacit_client import Member
from tacit_client.configuration import load, load_policy
from tacit_protocol.board import UnpinnedTrusteeError
from tacit_protocol.errors import QuorumError, TacitError
from tacit_protocol.grants import PADDING

pytestmark = pytest.mark.xdist_group("epochs")
NEXT = "2027-h1"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[World]:
    """A round of its own."""
    world = World.start(tmp_path, invitations=6)
    yield world
    world.stop()


def open_epoch(world: World, epoch: str, *more: str, shuffler: int = 3) -> None:
    world.command(
        "open-epoch", "--epoch", epoch, "--stream", STREAM, "--threshold", "2", "--shuffler", str(shuffler),
        "--minimum-contributors", "1", *more,
    )  # fmt: skip


def keys_of(member: Member, epoch: str) -> None:
    World.wait(lambda: member.board().stream_keys(member.group, epoch, STREAM))


def publish(world: World, member: Member, epoch: str) -> None:
    world.command("close-window", "--epoch", epoch, "--stream", STREAM)

    def published() -> None:
        if member.board().latest_index(epoch, STREAM) is None:
            raise TacitError("not yet")

    World.wait(published)


def test_the_next_epoch_takes_the_same_list_with_the_same_command(fresh: World) -> None:
    member, reader = fresh.member("member"), fresh.member("reader")
    sites = [audited(n) for n in range(5)]
    first = member.contribute(sites)
    publish(fresh, member, EPOCH)
    assert reader.check(planned(3)).rows[0].status == "assessed"
    open_epoch(fresh, NEXT)
    keys_of(member, NEXT)
    again = member.contribute(sites)  # the newest open epoch
    assert (again.epoch, again.records, again.already_there) == (NEXT, first.records, False)
    publish(fresh, member, NEXT)
    assert reader.check(planned(3)).epoch == NEXT
    assert reader.check(planned(3)).rows[0].status == "assessed"
    used = {status.epoch: status.used for status in member.status()}
    assert used == {EPOCH: PADDING, NEXT: PADDING}
    assert member.warnings == []


def test_a_lost_trustee_is_replaced_while_the_others_carry_on(fresh: World) -> None:
    member, reader = fresh.member("member"), fresh.member("reader")
    member.contribute([audited(n) for n in range(5)])
    fresh.close_window(member)
    fresh.kill(1)
    # The threshold and the majority of witnesses are still met: nothing stops.
    assert reader.check(planned(3)).rows[0].status == "assessed"
    # The lost one is retired, a new one registered: it cosigns from now on, and evaluates from the next epoch on.
    fresh.command("retire-trustee", "--index", "1")
    fourth = register(fresh, 4)
    try:
        # A stolen or invented key is not slipped in: who has not pinned the new trustee does not follow.
        open_epoch(fresh, NEXT, shuffler=4)
        with pytest.raises(UnpinnedTrusteeError, match="not pinned here: ask"):
            until_refused(member)
        target = fresh.folder / "second-invitations"
        fresh.command("invite", "--count", "2", "-o", str(target))
        for each, invitation in zip((member, reader), sorted(target.glob("*.json")), strict=True):
            each.enrol(invitation)
            assert sorted(load(each.home).trustee_keys) == [1, 2, 3, 4]
            assert [w.index for w in load_policy(each.home).witnesses] == [2, 3, 4]
        keys_of(member, NEXT)
        shares = member.board().stream_keys(member.group, NEXT, STREAM).public_shares
        assert sorted(shares) == [2, 3, 4]
        member.contribute([audited(n) for n in range(5)], epoch=NEXT)
        publish(fresh, member, NEXT)
        assert reader.check(planned(3), epoch=NEXT).rows[0].status == "assessed"
    finally:
        fourth.stop()


def test_with_too_few_left_a_new_ceremony_makes_new_keys(fresh: World) -> None:
    member, reader = fresh.member("member"), fresh.member("reader")
    member.contribute([audited(n) for n in range(5)])
    fresh.close_window(member)
    with_old_keys = member.board().stream_keys(member.group, EPOCH, STREAM).public_key
    for index in (1, 2):
        fresh.kill(index)
    with pytest.raises(QuorumError):
        reader.check(planned(3))
    # Trustee 3 alone has nothing of the key that it could use; two new machines and it make another.
    for index in (1, 2):
        fresh.command("retire-trustee", "--index", str(index))
    new = [register(fresh, index) for index in (4, 5)]
    try:
        target = fresh.folder / "second-invitations"
        fresh.command("invite", "--count", "2", "-o", str(target))
        for each, invitation in zip((member, reader), sorted(target.glob("*.json")), strict=True):
            each.enrol(invitation)
        open_epoch(fresh, NEXT)
        keys_of(member, NEXT)
        assert member.board().stream_keys(member.group, NEXT, STREAM).public_key != with_old_keys
        member.contribute([audited(n) for n in range(5)], epoch=NEXT)
        publish(fresh, member, NEXT)
        assert reader.check(planned(3), epoch=NEXT).rows[0].status == "assessed"
    finally:
        for server in new:
            server.stop()


def until_refused(member: Member) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        member.board()
        time.sleep(0.2)


def register(world: World, index: int) -> Server:
    """Make a new trustee on a new machine, register it and start it."""
    (port,) = free_ports(1)
    home, url = world.folder / f"trustee-{index}", f"http://127.0.0.1:{port}"
    card = world.parties.home / "card.json"
    run("trustee", "init", "--home", home, "--index", str(index), "--url", url, "--secretariat", card)
    world.command("add-trustee", str(home / "card.json"))
    arguments = ["trustee", "run", "--port", str(port), "--back-end", BACK_END, "--poll", "0.2"]
    server = world.parties._spawn(f"trustee {index}", home, url, arguments)
    wait_until_healthy([server])
    return server
