"""The member as one object: made, opened, moved, and kept to its round. Whole rounds are in tests/simulation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tacit_client import Member, configuration
from tacit_client.configuration import Invitation, PinnedTrustee, SecretariatCard
from tacit_client.errors import PartyUnavailable, VaultError
from tacit_client.lists import ListError
from tacit_protocol import messages
from tacit_protocol.messages import BoardEntry
from tacit_protocol.signing import Signed

SECRETARIAT = SecretariatCard("http://127.0.0.1:9", bytes(range(32)))
INVITATION = Invitation(1, SECRETARIAT, "code", (PinnedTrustee(1, b"\1" * 32),))


class Line:
    """A line to a secretariat that admits everybody, or is down."""

    def __init__(self) -> None:
        self.down = False
        self.requests: list[tuple[str, str]] = []

    def request(
        self,
        party: str,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = 0,
    ) -> bytes:
        self.requests.append((method, url))
        if self.down:
            raise PartyUnavailable(f"{party} does not answer", party=party)
        return messages.encode(BoardEntry(0, 0, messages.decode(body, Signed)))


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def member(tmp_path: Path, line: Line) -> Member:
    return Member.create(tmp_path / "me", transport=line)


def test_a_member_is_the_same_after_opening_again_and_elsewhere(member: Member, tmp_path: Path) -> None:
    name = member.pseudonym
    assert Member.open(tmp_path / "me").pseudonym == name
    (tmp_path / "me").rename(tmp_path / "moved")
    with Member.open(tmp_path / "moved") as again:
        assert again.pseudonym == name


def test_two_members_are_two(tmp_path: Path) -> None:
    assert Member.create(tmp_path / "a").pseudonym != Member.create(tmp_path / "b").pseudonym


def test_enrolling_twice_changes_nothing_and_may_follow_a_failure(member: Member, line: Line, tmp_path: Path) -> None:
    line.down = True
    with pytest.raises(PartyUnavailable):
        member.enrol(INVITATION)
    assert not (member.home / "config.json").exists()  # not enrolled, and says so
    with pytest.raises(VaultError, match="not enrolled"):
        member.status()
    line.down = False
    member.enrol(INVITATION)
    settings = configuration.load(member.home)
    member.enrol(INVITATION)
    assert configuration.load(member.home) == settings
    assert settings.member == member.pseudonym


def test_an_invitation_of_another_round_is_refused_before_anything_is_sent(member: Member, line: Line) -> None:
    member.enrol(INVITATION)
    line.requests.clear()
    for other in (
        Invitation(1, SecretariatCard(SECRETARIAT.url, b"\7" * 32), "code", INVITATION.trustees),
        Invitation(1, SECRETARIAT, "code", (PinnedTrustee(1, b"\7" * 32),)),
    ):
        with pytest.raises(VaultError):
            member.enrol(other)
    assert line.requests == []
    assert configuration.load(member.home).trustee_keys == {1: b"\1" * 32}


def test_a_bad_list_sends_nothing(member: Member, line: Line, tmp_path: Path) -> None:
    member.enrol(INVITATION)
    line.requests.clear()
    path = tmp_path / "list.csv"
    path.write_text("Supplier name,Audit date,Scheme\nMolkerei,never,BSCI\n")
    with pytest.raises(ListError, match="row 2, column Audit date"):
        member.contribute(path)
    with pytest.raises(ListError, match="does not exist"):
        member.check(str(tmp_path / "none.csv"))
    assert line.requests == []


def test_secrets_of_a_member_are_not_in_its_settings_or_its_representation(member: Member) -> None:
    member.enrol(INVITATION)
    secret = member._signing_key.private_bytes_raw()
    for path in member.home.rglob("*"):
        if path.is_file():
            assert secret not in path.read_bytes()
            assert secret.hex().encode() not in path.read_bytes()
    assert "code" not in json.loads((member.home / "config.json").read_text())
    assert secret.hex() not in repr(member) + repr(vars(member))
