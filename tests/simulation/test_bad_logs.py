"""A secretariat that breaks the log's rules, each time in another way: who notices, who is blamed, what proves it.

Every scenario runs against a member and a trustee that had followed the honest log before; both refuse, and from then
on do nothing more. What they keep is judged by `tacit audit evidence`, which knows nothing but the log and the file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from support.audits import Case
from support.boards import CLOSES, EPOCH, STREAM
from support.logs import LogServer
from tacit_client.cli import app
from tacit_protocol import messages, signing
from tacit_protocol.board import BoardError
from tacit_protocol.messages import (
    AccessRules,
    BoardEntry,
    Enrolment,
    GrantRequest,
    IndexRoot,
    Manifest,
    Round1,
    WindowClose,
)
from tacit_server.trustee.follower import Follower
from tacit_server.trustee.store import Store

Cheat = Callable[[Case], None]
NEXT = "2027-h1"


def rewrites_a_grant(case: Case) -> None:
    """Another batch stands where a member's grant stood."""
    entry = case.made.entries[case.find("grant")]
    other = case.made.sign(case.members[0], GrantRequest(EPOCH, STREAM, 2048, bytes([7]) * 64))
    case.made.entries[entry.sequence] = BoardEntry(entry.sequence, entry.time, other)


def drops_an_upload(case: Case) -> None:
    """A member's upload commitment is taken out as if it had never been there."""
    del case.made.entries[case.find("upload")]
    case.resequence()


def publishes_another_index(case: Case) -> None:
    """A second root for a window that was published."""
    root = messages.body_of(case.made.entries[case.find("index")].message, IndexRoot)
    case.made.add(case.made.secretariat, msgspec.structs.replace(root, root=bytes(32)))


def publishes_a_larger_index(case: Case) -> None:
    """An index with records that nobody handed over."""
    case.made.window(*case.members, extra=3)


def backdates_a_grant(case: Case) -> None:
    """A grant after the epoch's end, dated before it."""
    case.made.time = CLOSES + 60
    case.made.member()
    case.made.time = CLOSES - 60
    case.made.grant_any(case.members[0])


def grants_after_the_end(case: Case) -> None:
    """A grant after the epoch's end."""
    case.made.time = CLOSES
    case.made.grant_any(case.members[0])


def grants_beyond_the_quota(case: Case) -> None:
    """More evaluations than the manifest allows."""
    for _ in range(case.made.quota // 8192 + 1):
        case.made.grant_any(case.members[0], 8192)


def grants_to_a_stranger(case: Case) -> None:
    """A grant to somebody who never enrolled."""
    case.made.grant_any(case.made.signing_key())


def admits_an_ineligible_member(case: Case) -> None:
    """A grant in a restricted stream to a member that was not let in."""
    _restricted(case, "")
    case.made.add(case.members[0], GrantRequest(NEXT, STREAM, 2048, bytes(64)))


def admits_a_member_that_signed_nothing(case: Case) -> None:
    """A grant to a member that has not signed the epoch's statement."""
    _restricted(case, "agreed", streams=())
    case.made.add(case.members[0], GrantRequest(NEXT, STREAM, 2048, bytes(64)))


def changes_the_rules_afterwards(case: Case) -> None:
    """Rules for an epoch that is open already."""
    case.made.add(case.made.secretariat, AccessRules(EPOCH, (STREAM,), ""))


def invents_a_members_message(case: Case) -> None:
    """An enrolment under a key that the secretariat does not have."""
    body = messages.encode(Enrolment(bytes(range(32)), bytes(32)))
    signer = signing.pseudonym(bytes(range(32)))
    case.made.append(signing.Signed("enrolment", signer, body, bytes(64)))


def lets_a_trustee_say_two_things(case: Case) -> None:
    """Two commitments of one trustee in one step of a key ceremony; which one counts, the log would decide."""
    case.made.add(case.made.secretariat, msgspec.structs.replace(case.made.manifest(), epoch=NEXT))
    first = messages.body_of(case.made.entries[case.find("ceremony-1")].message, Round1)
    for commitment in (bytes(64), bytes([1]) * 64):
        case.made.add(
            case.made.trustees[first.sender],
            msgspec.structs.replace(first, epoch=NEXT, commitment=commitment),
        )


def opens_an_epoch_twice(case: Case) -> None:
    """The same epoch with a larger quota."""
    manifest = messages.body_of(case.made.entries[0].message, Manifest)
    case.made.add(case.made.secretariat, msgspec.structs.replace(manifest, quota=10**9))


def lets_an_injected_record_pass(case: Case) -> None:
    """A hand-over that the shuffler put a record of its own into: one more than the members committed to."""
    uploads = tuple(case.made.upload(member, 2) for member in case.members)
    case.made.add(case.made.secretariat, WindowClose(EPOCH, STREAM, 2))
    case.made.hand_over(2, uploads, 129)


def closes_a_window_that_is_not_open(case: Case) -> None:
    """Window 7 where window 2 is open."""
    case.made.add(case.made.secretariat, WindowClose(EPOCH, STREAM, 7))


FORKS: dict[str, Cheat] = {
    "rewrites a grant": rewrites_a_grant,
    "drops an upload": drops_an_upload,
}
BAD_ENTRIES: dict[str, tuple[Cheat, str]] = {
    "publishes another index": (publishes_another_index, "is not due"),
    "publishes a larger index than was handed over": (publishes_a_larger_index, "other counts"),
    "backdates a grant": (backdates_a_grant, "is dated before the one"),
    "grants after the end of the epoch": (grants_after_the_end, "epoch closed"),
    "grants more than the quota": (grants_beyond_the_quota, "quota"),
    "grants to a stranger": (grants_to_a_stranger, "not enrolled"),
    "admits an ineligible member": (admits_an_ineligible_member, "is not eligible"),
    "admits a member that signed nothing": (admits_a_member_that_signed_nothing, "has not signed the statement"),
    "changes the rules afterwards": (changes_the_rules_afterwards, "before its manifest"),
    "invents a member's message": (invents_a_members_message, "does not verify"),
    "lets a trustee say two things in the ceremony": (lets_a_trustee_say_two_things, "two different messages"),
    "opens an epoch twice": (opens_an_epoch_twice, "opened twice"),
    "lets an injected record pass": (lets_an_injected_record_pass, "has 129 records, its members committed to 128"),
    "closes a window that is not open": (closes_a_window_that_is_not_open, "is not open"),
}


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "log")


class Followers:
    """A member and a trustee that have seen the honest log."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.server, self.folder, made = LogServer(case.made), folder, case.made
        (folder / "member").mkdir()
        self.trustee = Follower(
            Store(folder / "tacit.sqlite"), self.server, made.secretariat_key, folder / "trustee" / "evidence", 60
        )  # type: ignore[arg-type]
        self.follow_member()
        self.trustee.refresh()
        assert self.trustee.board.size == len(made.entries)

    def follow_member(self) -> None:
        self.server.follower(self.folder / "member").follow()

    def refusals(self) -> list[BoardError]:
        found = []
        for follow in (self.follow_member, self.trustee.refresh):
            with pytest.raises(BoardError) as caught:
                follow()
            found.append(caught.value)
        return found

    def evidence(self) -> list[Path]:
        return [path for who in ("member", "trustee") for path in (self.folder / who / "evidence").iterdir()]


def audit(case: Case, file: Path) -> tuple[int, str]:
    """Return the exit code and the words of the auditor's tool, which sees the log as it is now and the file."""
    case.write()
    keys = str(case.folder / "keys.json")
    result = CliRunner().invoke(
        app, ["audit", "evidence", str(file), "--folder", str(case.folder), "--trustee-keys", keys]
    )
    return result.exit_code, " ".join(result.output.split())


@pytest.mark.parametrize("cheat", FORKS)
def test_a_secretariat_that_changes_what_was_seen(case: Case, tmp_path: Path, cheat: str) -> None:
    followers = Followers(case, tmp_path)
    FORKS[cheat](case)
    case.made.member()  # and the log goes on
    followers.server.cosigners = (1, 2)  # two witnesses lie along
    assert [error.party for error in followers.refusals()] == ["secretariat"] * 2
    assert len(followers.evidence()) == 2
    for file in followers.evidence():
        code, words = audit(case, file)
        assert code == 1 and "(secretariat, trustee 1, trustee 2)" in words
        assert "with different entries" in words or "two different trees" in words
    assert [error.party for error in followers.refusals()] == ["secretariat"] * 2  # it stays so


@pytest.mark.parametrize("cheat", BAD_ENTRIES)
def test_a_secretariat_that_logs_what_a_rule_forbids(case: Case, tmp_path: Path, cheat: str) -> None:
    followers = Followers(case, tmp_path)
    act, words = BAD_ENTRIES[cheat]
    act(case)
    refusals = followers.refusals()
    assert [error.party for error in refusals] == ["secretariat"] * 2
    assert all(words in error.message for error in refusals)
    assert len(followers.evidence()) == 2
    for file in followers.evidence():
        code, verdict = audit(case, file)
        assert code == 1 and words in verdict
    assert [error.party for error in followers.refusals()] == ["secretariat"] * 2


def test_an_honest_log_is_followed_by_all(case: Case, tmp_path: Path) -> None:
    followers = Followers(case, tmp_path)
    _restricted(case, "agreed")
    case.made.window(*case.members)
    case.made.grant_any(case.members[1])
    followers.follow_member()
    followers.trustee.refresh()
    assert followers.trustee.board.size == len(case.made.entries)
    assert followers.trustee.broken is None


def _restricted(case: Case, statement: str, streams: tuple[str, ...] = (STREAM,)) -> None:
    case.made.add(case.made.secretariat, AccessRules(NEXT, streams, statement))
    case.made.add(case.made.secretariat, msgspec.structs.replace(case.made.manifest(), epoch=NEXT))
