"""A trustee that misbehaves, each time in another way: who is blamed, by what file, and that members get their results.

The servers are real and in this process, so that a trustee can be made to do what it must not: to sign a lie with its
own key. `tacit audit` gets the log, the pinned keys and, where there is one, the evidence file, and nothing else.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from server.running import EPOCH, GROUP, STREAM, FakeMember, World, wait_for
from support.audits import time_at
from support.world import audited, meddle, planned
from tacit_client import Member
from tacit_client.cli import app
from tacit_protocol import answers, messages, scalars, wire
from tacit_protocol.answers import Question
from tacit_protocol.dleq import Binding
from tacit_protocol.errors import QuorumError
from tacit_protocol.messages import Round1
from tacit_protocol.threshold import evaluate_share
from tacit_server.observing import configure_logging
from tacit_server.secretariat.operator import operations
from tacit_server.trustee import evaluator

configure_logging("error")
DAY = 86400
LIAR = 2


class Round:
    """A world in which members are those of the program itself, with the auditor's tool beside it."""

    def __init__(self, folder: Path) -> None:
        self.world, self.folder = World(folder), folder
        self.invitation_file()

    def open(self, *running: int, **changes: object) -> Round:
        self.world.start(*(0, *(running or (1, 2, 3))))
        plan = {"minimum_contributors": 1, "shuffler": 1, "closes": int(time.time()) + 90 * DAY, **changes}
        self.world.open_epoch(**plan)
        assert CliRunner().invoke(app, ["audit", "init", *self.home, "--keys", str(self.keys)]).exit_code == 0
        card = msgspec.json.decode((self.folder / "auditor" / "card.json").read_bytes(), type=operations.AuditorCard)
        operations.appoint_auditor(self.world.keeper, card, int(time.time()) + 365 * DAY)
        return self

    @property
    def home(self) -> list[str]:
        return ["--home", str(self.folder / "auditor")]

    def invitation_file(self) -> Path:
        """Write an invitation; any of them serves as the auditor's file of keys too."""
        path = self.folder / f"invitation-{secrets.token_hex(4)}.json"
        (made,) = operations.invite(self.world.keeper, 1, 3600)
        path.write_bytes(msgspec.json.encode(made))
        self.keys = path
        return path

    def member(self) -> Member:
        made = Member.create(self.folder / f"member-{secrets.token_hex(4)}", threads=1)
        made.enrol(self.invitation_file())
        return made

    def publish(self, *numbers: int) -> None:
        """Contribute as a new member and wait for the index."""
        self.member().contribute([audited(n) for n in numbers])
        closed = operations.close_window(self.world.keeper, EPOCH, STREAM)
        self.world.wait_for_index(closed.window)

    def assert_members_are_served(self) -> Member:
        """A new member checks two plans and gets both answers."""
        member = self.member()
        report = member.check(planned(3, secrets.randbelow(10**4) + 5000))
        assert [row.status for row in report.rows] == ["assessed", "not found"]
        return member

    def audit(self, command: str, *arguments: str, at: int | None = None) -> tuple[int, str]:
        """Run `tacit audit` with the log and the pinned keys; returns the exit code and the words."""
        where = ["--secretariat", self.world.url(0), "--trustee-keys", str(self.keys), *self.home]
        with time_at(at) if at is not None else nullcontext():
            result = CliRunner().invoke(app, ["audit", command, *arguments, *where])
        return result.exit_code, " ".join(result.output.split())

    def logged(self) -> None:
        """Wait until everything that the secretariat has taken in is on the cosigned log."""
        self.world.wait_logged(self.world.keeper.size - 1)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Round]:
    made = Round(tmp_path)
    yield made
    made.world.stop()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Round]:
    made = Round(tmp_path_factory.mktemp("trustees")).open()
    wait_for(made.world.ceremony_complete, "the ceremony is complete")
    made.publish(*range(5))
    yield made
    made.world.stop()


# --- answers ------------------------------------------------------------------------------------------------

Lie = Callable[[bytes, bytes, Question], bytes]  # the right content, the batch, what was asked


def uses_another_key(content: bytes, blinded: bytes, question: Question) -> bytes:
    """Everything is right but the key: the proof holds, for a key of the trustee's own."""
    key = scalars.reduce(secrets.token_bytes(64))
    binding = Binding(question.epoch, question.stream, question.trustee)
    answer = evaluate_share(
        GROUP, key, GROUP.multiply_base(key), GROUP.decode(blinded), binding, secrets.token_bytes(64)
    )
    return wire.encode_content(answer)


LIES: dict[str, Lie] = {
    "answers wrongly": lambda content, blinded, question: (
        content[:64] + content[96:128] + content[64:96] + content[128:]
    ),
    "answers with something that is no element": lambda content, blinded, question: content[:-32] + b"\xff" * 32,
    "answers too little": lambda content, blinded, question: content[:-32],
    "uses another key": uses_another_key,
}


def lie_as(liars: tuple[int, ...], lie: Lie, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let trustees lie under their own signature."""
    honest = evaluator.evaluate

    def evaluate(group, share, signing_key, question: Question, blinded: bytes) -> bytes:
        right = honest(group, share, signing_key, question, blinded)
        if question.trustee not in liars:
            return right
        content = wire.split_answer(right)[1]
        return answers.sign(signing_key, question, lie(content, blinded, question))

    monkeypatch.setattr(evaluator, "evaluate", evaluate)


def asks_first(member: Member, index: int) -> bool:
    """Members begin with different trustees; tells whether this one asks trustee ``index`` at all."""
    board = member.board()
    manifest, context = member._stream(board, STREAM, EPOCH)
    return index in [server.trustee.index for server in member._evaluator(manifest, context).trustees[:2]]


@pytest.mark.parametrize("lie", LIES)
def test_a_trustee_that_lies_under_its_signature_leaves_the_evidence(
    published: Round, lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lie_as((LIAR,), LIES[lie], monkeypatch)
    member = next(m for m in iter(published.member, None) if asks_first(m, LIAR))
    report = member.check(planned(3, 5000 + list(LIES).index(lie)))
    assert [row.status for row in report.rows] == ["assessed", "not found"]
    (warning,) = [w for w in member.warnings if w.startswith(f"trustee {LIAR}: ")]
    (file,) = (member.home / "evidence").iterdir()
    assert str(file) in warning
    code, words = published.audit("evidence", str(file))
    assert code == 1 and f"(trustee {LIAR})" in words and "signed a wrong answer" in words
    # Nothing on the log is wrong, and the file is the only way to know.
    assert published.audit("verify")[0] == 0
    member.board()  # the member goes on: it is no fault of the log's


def test_two_liars_of_three_are_both_named_and_leave_a_file_each(
    published: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = published.member()
    with monkeypatch.context() as lying:
        lie_as((1, 2), LIES["answers wrongly"], lying)
        with pytest.raises(QuorumError) as caught:
            member.check(planned(3))
    assert set(str(caught.value.party).split(", ")) == {"trustee 1", "trustee 2"}
    files = sorted((member.home / "evidence").iterdir())
    assert [file.name.partition("-trustee-")[2] for file in files] == ["1.json", "2.json"]
    for index, file in zip((1, 2), files, strict=True):
        code, words = published.audit("evidence", str(file))
        assert code == 1 and f"(trustee {index})" in words
        assert str(file) in caught.value.diagnostics()  # the member is told where it is


def test_an_answer_that_was_changed_on_the_way_accuses_nobody(published: Round) -> None:
    member = published.member()
    meddle(member).change = lambda party, url, body: (
        body[:-1] + bytes([body[-1] ^ 1]) if url.endswith("/evaluations") and party == "trustee 1" else body
    )
    report = member.check(planned(3))
    assert report.rows[0].status == "assessed"
    assert not (member.home / "evidence").exists()


# --- the ceremony -------------------------------------------------------------------------------------------


def said(made: Round, kind: str) -> set[int]:
    with made.world.keeper.view() as board:
        record = board.attempt(EPOCH, STREAM)
        return set(record.sent[kind]) if record else set()


def test_a_trustee_that_equivocates_in_the_ceremony(made: Round) -> None:
    made.open(1, 2)
    wait_for(lambda: said(made, "ceremony-1") == {1, 2}, "two commitments")
    trustee = FakeMember(made.world, made.world.home(LIAR).signing_key)
    other = Round1(EPOCH, STREAM, 1, LIAR, secrets.token_bytes(64), secrets.token_bytes(32))
    with capture_logs() as logged:
        answer = trustee.post(other)
    assert answer.status_code == 409 and answer.json()["party"] == f"trustee {LIAR}"
    (file,) = (made.folder / "0" / "evidence").iterdir()
    assert file.name == f"equivocation-{EPOCH}-{STREAM}-1-ceremony-1-trustee-{LIAR}.json"
    # The operator is told where it lies.
    assert [line["evidence"] for line in logged if line["event"] == "a trustee contradicts itself"] == [str(file)]
    code, words = made.audit("evidence", str(file))
    assert code == 1 and f"(trustee {LIAR})" in words and "two different messages" in words
    # The first message counts, the second never came onto the log: the ceremony goes on.
    before = file.read_bytes()
    trustee.post(Round1(EPOCH, STREAM, 1, LIAR, secrets.token_bytes(64), secrets.token_bytes(32)))
    assert file.read_bytes() == before
    made.world.start(3)
    wait_for(made.world.ceremony_complete, "the ceremony is complete")
    made.publish(*range(5))
    made.assert_members_are_served()
    made.logged()
    code, words = made.audit("verify")
    assert code == 0, words


def test_the_same_message_again_and_a_restarted_attempt_are_no_equivocation(made: Round) -> None:
    made.open(1, 2)
    wait_for(lambda: said(made, "ceremony-1") == {1, 2}, "two commitments")
    with made.world.keeper.view() as board:
        record = board.attempt(EPOCH, STREAM)
        assert record is not None
        first = record.signed["ceremony-1", LIAR]
    trustee = FakeMember(made.world, made.world.home(LIAR).signing_key)
    assert trustee.send(0, "POST", "/v1/board", messages.encode(first)).status_code == 200
    operations.cut_ceremony(made.world.keeper, EPOCH, STREAM, "restart")
    made.world.start(3)
    wait_for(made.world.ceremony_complete, "the second attempt is complete")
    with made.world.keeper.view() as board:
        assert board.attempt_number(EPOCH, STREAM) == 2
    assert not (made.folder / "0" / "evidence").exists()
    made.logged()
    code, words = made.audit("verify")
    assert code == 0 and "attempt 1 was given up while trustee 3 stayed silent" in words


def test_a_trustee_that_is_silent_in_the_ceremony(made: Round) -> None:
    """There is no file: what is missing on the log, and where the wait was cut, is all there is to see."""
    made.open(1, 2)
    wait_for(lambda: said(made, "ceremony-1") == {1, 2}, "two commitments")
    made.logged()
    code, words = made.audit("verify")
    assert "no key yet: trustee 3 has to speak in ceremony-1" in words and "(trustee 3)" in words
    # Whoever waits longer than a day after the epoch has opened has found something.
    code, words = made.audit("verify", at=int(time.time()) + 25 * 3600)
    assert code == 1 and "✗ finding no key yet: trustee 3" in words
    assert operations.cut_ceremony(made.world.keeper, EPOCH, STREAM, None).step == "ceremony-1"
    wait_for(made.world.ceremony_complete, "the two others complete it")
    made.publish(*range(5))
    member = made.assert_members_are_served()
    assert any("trustee 3 was disqualified" in warning for warning in member.warnings)
    made.logged()
    code, words = made.audit("verify")
    assert code == 1 and "trustee 3 stayed silent in ceremony-1" in words and "(trustee 3)" in words
    assert "trustee 1)" not in words and "(secretariat" not in words
    code, words = made.audit("monitor")
    assert code == 1 and "trustee 3 stayed silent" in words
    assert made.audit("monitor") == (0, "")  # told once


def test_a_trustee_that_goes_silent_afterwards(made: Round) -> None:
    """Members ask the others; the monitor, which remembers, names it once a day has passed without a cosignature."""
    made.open()
    wait_for(made.world.ceremony_complete, "the ceremony is complete")
    made.publish(*range(5))
    wait_for(lambda: "has not cosigned" not in made.audit("verify")[1], "all cosign")
    assert made.audit("monitor") == (0, "")
    made.world.stop(3)
    member = made.assert_members_are_served()
    if asks_first(member, 3):
        assert any(warning.startswith("trustee 3: ") for warning in member.warnings)
    assert not (member.home / "evidence").exists()
    made.logged()
    code, words = made.audit("verify")
    assert code == 0 and "trustee 3 has not cosigned this checkpoint" in words and "(trustee 3)" in words
    assert made.audit("monitor")[0] == 0
    made.world.trustees_ahead = 25 * 3600
    later = int(made.world.clock())
    made.world.member()  # the log goes on, and the others cosign
    code, words = made.audit("monitor", at=later)
    assert code == 1 and "trustee 3 has not been seen to cosign" in words and "(trustee 3)" in words
    report = made.folder / "report.json"
    code, _ = made.audit("monitor", "--json", str(report), at=later)
    assert code == 0  # told once
    found = [f["parties"] for f in json.loads(report.read_bytes())["findings"] if f["severity"] == "finding"]
    assert found == [["trustee 3"]]
