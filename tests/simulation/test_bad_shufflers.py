"""A shuffler or a secretariat that loses, copies or adds records: who is blamed, by what file, and who is not.

Real servers and real members; in each scenario one server's own code is changed. Then `tacit audit` alone, with
the log, the published files and the evidence, must come to the same verdict. Each scenario has a stream of its own.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import support.world
from server.running import EPOCH, World, wait_for
from support.audits import Case
from support.boards import EPOCH as MADE_EPOCH
from support.boards import STREAM as MADE_STREAM
from support.command import SECONDS, Shell
from support.logs import LogServer
from support.world import audited
from tacit_client import Member
from tacit_client.audit.findings import FINDING
from tacit_client.audit.home import AuditorHome
from tacit_client.cli import app
from tacit_client.configuration import Invitation
from tacit_protocol import handover, messages
from tacit_protocol.errors import TacitError
from tacit_protocol.messages import AuditorAppointment, Handover, WindowClose
from tacit_protocol.sealed_index import SEALED_BYTES
from tacit_protocol.shuffle import UPLOAD_BYTES
from tacit_server.files import PageFolder
from tacit_server.secretariat import handovers, publish
from tacit_server.secretariat.opening import OpenedPage
from tacit_server.secretariat.operator import operations
from tacit_server.secretariat.publish import Shelves
from tacit_server.trustee.shuffler import Shuffler
from tacit_server.trustee.store import UploadRow

pytestmark = pytest.mark.xdist_group("bad-shufflers")
SHUFFLER, SECRETARIAT = "trustee 3", "secretariat"
Patch = pytest.MonkeyPatch


@dataclass
class Round:
    """A world with streams to spare, two members and an auditor."""

    world: World
    folder: Path
    members: list[Member] = field(default_factory=list)
    streams: list[str] = field(default_factory=lambda: [f"stream-{i}" for i in range(10)])

    def begin(self) -> None:
        self.world.start()
        self.world.open_epoch(streams=tuple(self.streams), minimum_contributors=1)
        for name in ("first", "second"):
            member = Member.create(self.folder / name)
            member.enrol(self._invitation())
            self.members.append(member)
        home = self.folder / "auditor"
        self.keys = self.folder / "keys.json"
        self.keys.write_bytes(messages.encode(self._invitation()))
        assert self._audit("init", "--keys", str(self.keys))[0] == 0
        card = AuditorHome.open(home).card
        self.world.keeper.publish(AuditorAppointment(card.signing_key, card.agreement_key, int(time.time()) + 86400))

    def contribute(self) -> str:
        """Let both members contribute to a fresh stream; returns its name."""
        stream = self.streams.pop()
        wait_for(lambda: self.world.ceremony_complete(EPOCH, stream), "the ceremony")
        for number, member in enumerate(self.members):
            sites = [audited(100 * number + n) for n in range(3)]
            support.world.World.wait(partial(member.contribute, sites, stream=stream))
        return stream

    def close(self, stream: str) -> None:
        operations.close_window(self.world.keeper, EPOCH, stream)

    def publish(self, stream: str) -> None:
        """Close the window and wait until its index is on the witnessed log."""
        self.close(stream)
        self.world.wait_for_index(1, EPOCH, stream)
        wait_for(lambda: (EPOCH, stream, 1) in self.members[0].board().indexes, "the index is cosigned")

    def handover(self, stream: str) -> Handover | None:
        with self.world.keeper.view() as board:
            return board.handovers.get((EPOCH, stream, 1))

    def complaints(self, stream: str) -> dict[int, Path]:
        """Let both members look for their records; returns the complaint files by the member's number."""
        found = {}
        for number, member in enumerate(self.members):
            member.warnings.clear()
            member.status()
            path = member.home / "evidence" / f"complaint-{EPOCH}-{stream}-1.json"
            if path.exists():
                assert any(str(path) in warning for warning in member.warnings)
                found[number] = path
        return found

    def evidence(self, file: Path) -> tuple[int, str]:
        """Have `tacit audit evidence` judge a file; returns its exit code and words."""
        return self._audit("evidence", str(file))

    def findings(self, stream: str) -> list[tuple[str, ...]]:
        """Have `tacit audit verify` check everything; returns who is blamed for what it finds about a stream."""
        target = self.folder / "report.json"
        target.unlink(missing_ok=True)
        self._audit("verify", "--json", str(target))
        report = json.loads(target.read_bytes())
        assert report["checks"]
        return [tuple(f["parties"]) for f in report["findings"] if f["severity"] == FINDING and stream in f["text"]]

    def _audit(self, *arguments: str) -> tuple[int, str]:
        # A process of its own: the servers' threads write their logs to this one's output.
        process = Shell(self.folder).start("audit", *arguments, "--home", self.folder / "auditor")
        output, errors = process.communicate(timeout=SECONDS)
        return process.returncode, " ".join((errors + output).split())

    def _invitation(self) -> Invitation:
        made = operations.invite(self.world.keeper, 1, 3600)[0]
        return messages.decode(messages.encode(made), Invitation)


@pytest.fixture(scope="module")
def round_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Round]:
    folder = tmp_path_factory.mktemp("bad-shufflers")
    world = World(folder / "world")
    made = Round(world, folder)
    made.begin()
    yield made
    world.stop()


# --- what the servers are made to do ------------------------------------------------------------------------


def shuffler_hands_over(patch: Patch, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Let the shuffler change the records after the shuffle, and sign for what came of it."""
    honest = Shuffler._write_shuffled

    def write(self: Shuffler, rows: Sequence[UploadRow], pages: PageFolder) -> int:
        honest(self, rows, pages)
        whole = b"".join(pages.pages())
        records = change([whole[i : i + UPLOAD_BYTES] for i in range(0, len(whole), UPLOAD_BYTES)])
        pages.remove()
        pages.write(0, b"".join(records))
        return len(records)

    patch.setattr(Shuffler, "_write_shuffled", write)


def secretariat_opens(patch: Patch, change: Callable[[bytes], bytes]) -> None:
    """Let the secretariat change the opened records of the first page before it makes the index of them."""
    honest = publish.open_pages

    def opened(*arguments: Any, **options: Any) -> Iterator[OpenedPage]:
        for number, page in enumerate(honest(*arguments, **options)):
            yield replace(page, records=change(page.records)) if number == 0 else page

    patch.setattr(publish, "open_pages", opened)


def random_record() -> bytes:
    return secrets.token_bytes(UPLOAD_BYTES)


# --- scenarios ----------------------------------------------------------------------------------------------


def test_with_honest_servers_nobody_complains_and_everything_checks(round_: Round) -> None:
    stream = round_.contribute()
    round_.publish(stream)
    assert round_.complaints(stream) == {}
    assert round_.findings(stream) == []
    found = round_.handover(stream)
    assert found is not None
    handover.verify_list(found, Shelves(round_.world.folder / "0").handover_list(EPOCH, stream, 1).read_bytes())


def test_a_shuffler_that_drops_a_record_for_another_is_blamed_alone(round_: Round, monkeypatch: Patch) -> None:
    stream = round_.contribute()
    shuffler_hands_over(monkeypatch, lambda records: [random_record(), *records[1:]])
    round_.publish(stream)
    ((_, file),) = round_.complaints(stream).items()  # one member lost a record, the other has nothing to say
    code, words = round_.evidence(file)
    assert code == 1 and "the hand-over of window 1 lacks 1 records that the shuffler had receipted" in words
    assert words.endswith(f"({SHUFFLER})")
    assert round_.findings(stream) == []  # count and digest fit: only the owner can know


def test_a_shuffler_that_drops_a_receipted_upload_is_blamed_alone(round_: Round, monkeypatch: Patch) -> None:
    stream = round_.contribute()
    honest = Shuffler._due
    monkeypatch.setattr(Shuffler, "_due", lambda *arguments: honest(*arguments)[:1])
    round_.publish(stream)
    ((loser, file),) = round_.complaints(stream).items()
    assert loser == 1
    code, words = round_.evidence(file)
    assert code == 1 and "leaves out an upload that the shuffler had receipted" in words
    assert words.endswith(f"({SHUFFLER})")
    assert round_.findings(stream) == []


REFUSED: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "duplicates a record and drops another": (
        lambda records: [records[1], *records[1:]],
        "1 of its records are copies of others",
    ),
    "duplicates a record": (lambda records: [*records, records[0]], "1 of its records are copies of others"),
    "injects a record": (
        lambda records: [*records, random_record()],
        "it has 129 records, the members whose uploads it names committed to 128",
    ),
}


@pytest.mark.parametrize("cheat", REFUSED)
def test_a_shuffler_that_copies_or_adds_records_is_refused_and_proven(
    round_: Round, monkeypatch: Patch, cheat: str
) -> None:
    change, reason = REFUSED[cheat]
    stream = round_.contribute()
    with monkeypatch.context() as patch:
        shuffler_hands_over(patch, change)
        round_.close(stream)
        file = round_.world.folder / "0" / "evidence" / f"handover-{EPOCH}-{stream}-1.json"
        wait_for(file.exists, "the secretariat keeps the hand-over that it refuses")
    assert round_.handover(stream) is None
    code, words = round_.evidence(file)
    verdict, _, _ = words.partition(" The log is that of")
    assert code == 1 and reason in verdict and verdict.endswith(f"({SHUFFLER})")
    # Mended, it is taken in: the bad hand-over never was on the log.
    round_.world.servers[3].app.state.parts.shuffler.store.remove_handover((EPOCH, stream), 1)
    round_.world.wait_for_index(1, EPOCH, stream)
    wait_for(lambda: (EPOCH, stream, 1) in round_.members[0].board().indexes, "the index is cosigned")
    assert round_.complaints(stream) == {} and round_.findings(stream) == []


def test_a_secretariat_that_lets_copies_pass_is_blamed_with_the_shuffler(round_: Round, monkeypatch: Patch) -> None:
    stream = round_.contribute()
    shuffler_hands_over(monkeypatch, lambda records: [records[1], *records[1:]])
    monkeypatch.setattr(handovers, "_refuse_fault", lambda *_: None)
    round_.publish(stream)
    assert round_.findings(stream) == [(SHUFFLER, SECRETARIAT)]
    ((_, file),) = round_.complaints(stream).items()
    code, words = round_.evidence(file)
    assert code == 1 and "1 of its records are copies" in words and words.endswith(f"({SHUFFLER}, {SECRETARIAT})")


def test_a_secretariat_that_drops_a_record_is_blamed_alone(round_: Round, monkeypatch: Patch) -> None:
    stream = round_.contribute()
    secretariat_opens(monkeypatch, lambda records: records[SEALED_BYTES:])
    round_.publish(stream)
    ((_, file),) = round_.complaints(stream).items()
    code, words = round_.evidence(file)
    assert code == 1 and "the index of window 1 lacks 1 records that the shuffler handed over" in words
    assert "sealed something else than it says" in words and words.endswith(f"({SECRETARIAT})")
    assert round_.findings(stream) == []


def test_a_secretariat_that_changes_the_list_to_blame_the_shuffler_is_blamed(round_: Round, monkeypatch: Patch) -> None:
    stream = round_.contribute()
    secretariat_opens(monkeypatch, lambda records: records[SEALED_BYTES:])
    round_.publish(stream)
    shown = Shelves(round_.world.folder / "0").handover_list(EPOCH, stream, 1)
    hashes = shown.read_bytes()
    shown.write_bytes(handover.make_list([*(hashes[i : i + 32] for i in range(32, len(hashes), 32)), bytes(32)]))
    ((_, file),) = round_.complaints(stream).items()
    code, words = round_.evidence(file)
    assert code == 1 and "not the one that the shuffler signed" in words and words.endswith(f"({SECRETARIAT})")
    assert round_.findings(stream) == [(SECRETARIAT,)]


def test_a_secretariat_that_shows_no_list_is_blamed(round_: Round, monkeypatch: Patch) -> None:
    stream = round_.contribute()
    secretariat_opens(monkeypatch, lambda records: records[SEALED_BYTES:])
    round_.publish(stream)
    Shelves(round_.world.folder / "0").handover_list(EPOCH, stream, 1).unlink()
    ((_, file),) = round_.complaints(stream).items()
    code, words = round_.evidence(file)
    assert code == 1 and "does not show the list" in words and words.endswith(f"({SECRETARIAT})")
    assert round_.findings(stream) == [(SECRETARIAT,)]


def test_followers_refuse_a_hand_over_with_more_records_than_were_committed_to(tmp_path: Path) -> None:
    """The secretariat lets it pass onto the log: a member stops, and keeps what proves it against both."""
    case = Case(tmp_path / "log")
    server, made = LogServer(case.made), case.made
    (tmp_path / "member").mkdir()
    member = server.follower(tmp_path / "member")
    member.follow()
    uploads = tuple(made.upload(each, 2) for each in case.members)
    made.add(made.secretariat, WindowClose(MADE_EPOCH, MADE_STREAM, 2))
    made.hand_over(2, uploads, 129)
    with pytest.raises(TacitError, match="has 129 records, its members committed to 128") as caught:
        member.follow()
    assert caught.value.party == SECRETARIAT  # which let onto its log what the shuffler should not have signed
    (file,) = (tmp_path / "member" / "evidence").glob("entry-*.json")
    result, report = case.command()
    assert result.exit_code == 1
    assert (SHUFFLER, SECRETARIAT) in [tuple(f["parties"]) for f in report["findings"]]
    arguments = ["--folder", str(case.folder), "--trustee-keys", str(case.folder / "keys.json")]
    judged = CliRunner().invoke(app, ["audit", "evidence", str(file), *arguments])
    assert judged.exit_code == 1 and "has 129 records" in " ".join(judged.output.split())
