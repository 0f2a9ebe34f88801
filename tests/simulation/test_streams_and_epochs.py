"""One member in several streams and epochs, with one vault."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.world import EPOCH, World, audited, planned
from tacit_client import Member
from tacit_protocol.board import BoardError
from tacit_protocol.errors import CeremonyError

SOCIAL, ENVIRONMENT = "social-audit", "ecovadis"
NEXT = "2027-h1"


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World.start(tmp_path_factory.mktemp("streams"), streams=(SOCIAL, ENVIRONMENT))
    yield world
    world.stop()


@pytest.fixture(scope="module")
def pair(streams: World) -> tuple[Member, Member]:
    """Two members: the first contributed site 1 to one stream and site 2 to the other, both published."""
    first, second = streams.member("first"), streams.member("second")
    for stream, number in ((SOCIAL, 1), (ENVIRONMENT, 2)):
        streams.wait_for_key(first, EPOCH, stream)
        first.contribute([audited(number, city=f"Stadt {stream}")], stream=stream)
        streams.close_window(first, EPOCH, stream)
    return first, second


def statuses(member: Member, stream: str, epoch: str | None = None) -> list[str]:
    plans = [
        type(plan)(plan.plan_id, audited(number, city=f"Stadt {of}").site)
        for plan, (number, of) in zip(planned(1, 2), ((1, SOCIAL), (2, ENVIRONMENT)), strict=True)
    ]
    return [row.status for row in member.check(plans, stream=stream, epoch=epoch).rows]


def spent(member: Member) -> dict[str, int]:
    return {status.stream: status.used for status in member.status() if status.epoch == EPOCH}


def test_streams_are_separate_lists_with_their_own_quota_and_cache(pair: tuple[Member, Member]) -> None:
    _, member = pair
    assert statuses(member, SOCIAL, EPOCH) == ["assessed", "not found"]
    assert statuses(member, ENVIRONMENT, EPOCH) == ["not found", "assessed"]
    used = spent(member)
    assert used == {SOCIAL: 2048, ENVIRONMENT: 2048}
    cached = sorted(path.parent.name for path in (member.home / "cache").rglob("*.index"))
    assert set(cached) >= {ENVIRONMENT, SOCIAL}
    assert statuses(member, SOCIAL, EPOCH) == ["assessed", "not found"]
    assert spent(member) == used


def test_a_stream_or_epoch_that_is_not_there_is_a_clear_refusal(pair: tuple[Member, Member]) -> None:
    with pytest.raises(BoardError, match="no open epoch with the stream human-rights"):
        statuses(pair[1], "human-rights")
    with pytest.raises(BoardError, match="has no stream human-rights, only: social-audit, ecovadis"):
        statuses(pair[1], "human-rights", EPOCH)
    with pytest.raises(BoardError, match="has not opened an epoch 1999-h1"):
        statuses(pair[1], SOCIAL, "1999-h1")


def test_a_second_epoch_begins_anew_with_the_same_vault(streams: World, pair: tuple[Member, Member]) -> None:
    first, second = pair
    streams.open_epoch(NEXT)
    streams.wait_for_key(first, NEXT, SOCIAL)
    with pytest.raises(BoardError, match=f"no index of {NEXT}/social-audit has been published yet"):
        statuses(second, SOCIAL)  # the newest open epoch is the default
    again = first.contribute([audited(1, city=f"Stadt {SOCIAL}")], stream=SOCIAL)
    assert (again.epoch, again.already_there) == (NEXT, False)
    streams.close_window(first, NEXT, SOCIAL)
    assert statuses(second, SOCIAL) == ["assessed", "not found"]
    # The earlier epoch stays readable until it closes, and what was spent on it stays spent.
    assert statuses(second, SOCIAL, EPOCH) == ["assessed", "not found"]
    used = {(status.epoch, status.stream): status.used for status in second.status()}
    assert used[NEXT, SOCIAL] == used[EPOCH, SOCIAL] == 2048


def test_before_the_ceremony_is_over_the_member_is_told_to_wait(streams: World, pair: tuple[Member, Member]) -> None:
    streams.kill(2)
    try:
        streams.open_epoch("2030-h1", streams=("virtual-assessment",))
        streams.wait(lambda: pair[1].board().manifest("2030-h1"))  # the witnesses take a moment to cosign it
        with pytest.raises(CeremonyError, match="try again in a moment"):
            statuses(pair[1], "virtual-assessment", "2030-h1")
        assert not next(status for status in pair[1].status() if status.epoch == "2030-h1").ready
    finally:
        streams.revive(2)
    streams.wait_for_key(pair[1], "2030-h1", "virtual-assessment")
