"""An epoch with rules: what the operator types, what a member signs, and whom the trustees answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from support.world import World, audited
from tacit_client import Member
from tacit_client.cli import app
from tacit_client.errors import Refused

pytestmark = pytest.mark.xdist_group("access")
EPOCH, OPEN, CLOSED = "with-rules", "social-audit", "ecovadis"
STATEMENT = "We use what we learn to plan audits, [bold]and for nothing else[/].\n"


@pytest.fixture(scope="module")
def ruled(world: World) -> World:
    text = world.folder / "statement.txt"
    text.write_text(STATEMENT, encoding="utf-8")
    world.command(
        "open-epoch", "--epoch", EPOCH, "--stream", OPEN, "--stream", CLOSED, "--restricted", CLOSED,
        "--statement", str(text), "--minimum-contributors", "1",
    )  # fmt: skip
    return world


def tacit(member: Member, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*arguments, "--home", str(member.home)])
    return result.exit_code, result.output


def ready(world: World, member: Member) -> None:
    for stream in (OPEN, CLOSED):
        world.wait(lambda: member.board().stream_keys(member.group, EPOCH, stream))  # noqa: B023


def test_a_member_signs_and_is_let_in_before_anything_is_evaluated(ruled: World, tmp_path: Path) -> None:
    member = ruled.member("careful")
    ready(ruled, member)
    sites = [audited(n) for n in range(3)]
    with pytest.raises(Refused, match="run 'tacit statement' first"):
        member.contribute(sites, stream=OPEN, epoch=EPOCH)
    code, shown = tacit(member, "statement", "--epoch", EPOCH)
    assert code == 1 and "[bold]and for nothing else[/]" in shown  # shown as it stands, and not signed unread
    assert tacit(member, "statement", "--epoch", EPOCH, "--yes")[0] == 0
    assert "nothing to sign" in tacit(member, "statement", "--epoch", EPOCH, "--yes")[1]
    assert member.contribute(sites, stream=OPEN, epoch=EPOCH).records == 3
    with pytest.raises(Refused, match="not eligible for with-rules/ecovadis"):
        member.contribute(sites, stream=CLOSED, epoch=EPOCH)
    place = ("--epoch", EPOCH, "--stream", CLOSED, "--member", member.pseudonym)
    ruled.command("set-eligibility", *place)
    assert member.contribute(sites, stream=CLOSED, epoch=EPOCH).records == 3
    ruled.command("set-eligibility", *place, "--withdraw")
    with pytest.raises(Refused, match="not eligible"):
        member.contribute([audited(n) for n in range(3, 6)], stream=CLOSED, epoch=EPOCH)
    used = {status.stream: status.used for status in member.status() if status.epoch == EPOCH}
    assert used[OPEN] == used[CLOSED] > 0  # the refused batch cost nothing
