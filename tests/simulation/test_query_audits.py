"""Query audits with real servers: an honest member passes, a trawler is caught, a liar and a silent one are named."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import openpyxl
import pytest
from benchmarks.attack import word
from typer.testing import CliRunner, Result

from support.world import EPOCH, STREAM, World, meddle, site
from tacit_client import Member
from tacit_client.answering import Answerer, Disclosure
from tacit_client.audit.findings import FINDING, Report
from tacit_client.audit.home import AuditorHome, read_pins
from tacit_client.audit.sources import FolderSource
from tacit_client.audit.verifying import Verification
from tacit_client.cli import app
from tacit_client.errors import VaultError
from tacit_matcher.records import PlannedAudit
from tacit_protocol.audit_ledger import ANSWER_SECONDS, AUDIT_PERIOD_SECONDS
from tacit_protocol.board import Board
from tacit_protocol.errors import QueryAuditError
from tacit_protocol.query_audit import AuditAnswer

pytestmark = pytest.mark.xdist_group("query-audits")


class Office:
    """The auditor's office: its folder and its commands."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        keys = sorted((world.folder / "invitations").glob("*.json"))[0]
        assert self.run("init", "--keys", str(keys)).exit_code == 0
        self.home = AuditorHome.open(folder)
        world.command("appoint-auditor", str(folder / "card.json"))
        world.wait(lambda: world.any_member.board().audits.key_of(self.home.pseudonym))  # type: ignore[attr-defined]

    def run(self, *arguments: str) -> Result:
        """Run one of `tacit audit`'s commands."""
        return CliRunner().invoke(app, ["audit", *arguments, "--home", str(self.folder)])

    def order(self, member: Member, positions: int = 48) -> int:
        """Order an audit of all batches of a member and return its entry."""
        arguments = ("query-audit", "order", "--member", member.pseudonym, "--positions", str(positions), "--yes")
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return max(member.board().audits.orders)

    def judge(self, order: int, answer: Path, *extra: str) -> Result:
        return self.run("query-audit", "judge", str(order), str(answer), *extra)

    def verify(self, ahead: int = 0) -> Report:
        """Verify the copy as `tacit audit verify` does, at a later time."""
        self.run("verify")
        pins, report = read_pins(self.folder / "pins.json"), Report("copy")
        group = self.world.any_member.group  # type: ignore[attr-defined]
        now = int(time.time()) + ahead
        source = FolderSource(self.home.copy)
        checks = Verification(group, source, report, now, pins.secretariat_key, pins.trustee_keys)
        checks.read_entries()
        return checks.conclude()


@pytest.fixture(scope="module")
def office(world: World) -> Office:
    world.any_member = world.member("bystander")  # type: ignore[attr-defined]
    return Office(world, world.folder / "auditor")


def plans(start: int, number: int, name: Callable[[int], str] | None = None) -> list[PlannedAudit]:
    """Return plans whose names, towns and postcodes lie all over the country."""
    made = []
    for i in range(start, start + number):
        changes = {"postcode": f"{(i * 7919) % 90000 + 10000}", "city": word(i * 13 + 1)}
        made.append(PlannedAudit(f"P{i}", site(i, **changes, **({"name": name(i)} if name else {}))))
    return made


def spend(world: World, member: Member, asked: list[PlannedAudit]) -> None:
    """Have the keys of plans evaluated; there need be no index for that."""
    from tacit_matcher.keys import match_keys

    board = member.board()
    manifest, context = member._stream(board, STREAM, EPOCH)
    member._evaluator(manifest, context).outputs(key.encode() for plan in asked for key in match_keys(plan.site))


def answer(member: Member, office: Office, folder: Path) -> Path:
    """Answer by the command and return the file for the auditor."""
    folder.mkdir(exist_ok=True)
    result = CliRunner().invoke(
        app,
        ["answer-audit", "--home", str(member.home), "-o", str(folder), "--auditor", office.home.pseudonym, "--yes"],
    )
    assert result.exit_code == 0, result.output
    (path,) = folder.glob("answer-*.tacit-audit")
    return path


def fill(path: Path, relation: str, reference: str) -> None:
    book = openpyxl.load_workbook(path)
    for row in range(2, book.worksheets[0].max_row + 1):
        book.worksheets[0].cell(row, 7).value = relation
        book.worksheets[0].cell(row, 8).value = reference
    book.save(path)


def test_an_honest_member_passes_and_nothing_else_is_learnt(world: World, office: Office, tmp_path: Path) -> None:
    member = world.member("honest")
    spend(world, member, plans(0, 150))
    order = office.order(member)
    member.status()
    assert any("waits for an answer" in warning for warning in member.warnings)
    hops = meddle(member)
    path = answer(member, office, tmp_path)
    # The member's own program told what it discloses; on the way nobody can read it.
    opened = member.query_audits().prepare(member.board(), member.board().audits.orders[order]).opened
    values = [key.value.encode() for _, _, key in opened if key.kind == "key"]
    assert len(values) > 10 and not any(value in path.read_bytes() for value in values)
    assert not any("audit" in url for _, _, url in hops.requests)
    questions = tmp_path / "questions.xlsx"
    result = office.judge(order, path, "--worksheet", str(questions))
    assert result.exit_code == 0 and "plausible" in result.output, result.output
    fill(questions, "yes", "frame contract 12")
    result = office.judge(order, path, "--filled", str(questions), "--post")
    assert result.exit_code == 0, result.output
    assert member.board().audits.results[order].outcome == "plausible"
    assert member.pseudonym not in {party for f in office.verify().of(FINDING) for party in f.parties}


def test_a_member_that_trawled_a_directory_is_caught(world: World, office: Office, tmp_path: Path) -> None:
    member = world.member("trawler")
    spend(world, member, plans(5000, 200, name=lambda i: f"Ab{word(i)} A{word(i + 1)}"))
    order = office.order(member, positions=256)
    path = answer(member, office, tmp_path)
    questions = tmp_path / "questions.xlsx"
    result = office.judge(order, path, "--worksheet", str(questions))
    assert result.exit_code == 1 and "alphabetical" in result.output, result.output
    fill(questions, "no", "")
    openings = tmp_path / "openings.csv"
    result = office.judge(order, path, "--filled", str(questions), "--post", "--list", str(openings))
    assert result.exit_code == 1 and "\n0 plausible" in result.output, result.output
    rows = openings.read_text().splitlines()[1:]
    assert len(rows) == 256 and sum("no purchase relation" in row for row in rows) > 150
    assert not any(",plausible," in row for row in rows)
    verdict = office.run("verify", "--json", str(tmp_path / "report.json"))
    assert verdict.exit_code == 1
    findings = json.loads((tmp_path / "report.json").read_bytes())["findings"]
    assert [member.pseudonym] in [finding.get("parties") for finding in findings]
    assert not any(word(5000) in str(finding) for finding in findings)  # no supplier is named on the log


def lying(change: Callable[[Disclosure], AuditAnswer]) -> Callable[..., Disclosure]:
    honest = Answerer.prepare

    def prepare(self: Answerer, board: Board, ordered: object) -> Disclosure:
        disclosure = honest(self, board, ordered)  # type: ignore[arg-type]
        return Disclosure(disclosure.ordered, change(disclosure), disclosure.opened)

    return prepare


def another_input(disclosure: Disclosure) -> AuditAnswer:
    """Open the first element as something harmless."""
    batch = disclosure.answer.batches[0]
    first = msgspec.structs.replace(batch.openings[0], value=b"\x00\x07tacit/1\x00\x05dummy\x00\x20" + bytes(32))
    changed = msgspec.structs.replace(batch, openings=(first, *batch.openings[1:]))
    return AuditAnswer(disclosure.answer.order, (changed, *disclosure.answer.batches[1:]))


def test_a_member_that_opens_another_input_is_caught(
    world: World, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = world.member("liar")
    spend(world, member, plans(10_000, 60))
    order = office.order(member)
    monkeypatch.setattr(Answerer, "prepare", lying(another_input))
    path = answer(member, office, tmp_path)
    result = office.judge(order, path, "--post")
    assert result.exit_code == 1 and "does not give the element" in " ".join(result.output.split()), result.output
    assert member.board().audits.results[order].outcome == "false"
    assert (member.pseudonym,) in [finding.parties for finding in office.verify().of(FINDING)]


def test_a_member_that_replays_the_answer_of_another_batch_is_caught(
    world: World, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = world.member("replayer")
    spend(world, member, plans(11_000, 20))
    office.order(member)
    earlier = member.query_audits().prepare(member.board(), member.query_audits().waiting(member.board())[0])
    answer(member, office, tmp_path / "first")
    spend(world, member, plans(12_000, 20))
    order = office.order(member)

    def replay(disclosure: Disclosure) -> AuditAnswer:
        grant = disclosure.answer.batches[0].grant
        return AuditAnswer(order, (msgspec.structs.replace(earlier.answer.batches[0], grant=grant),))

    monkeypatch.setattr(Answerer, "prepare", lying(replay))
    path = answer(member, office, tmp_path / "second")
    result = office.judge(order, path)
    assert result.exit_code == 1 and "not those that were granted" in " ".join(result.output.split()), result.output
    # The earlier file itself, sealed for the earlier order, is not what was signed for this one.
    (old,) = (tmp_path / "first").glob("*")
    assert "is not the answer" in " ".join(office.judge(order, old).output.split())


def test_a_member_that_does_not_answer_is_reported_by_name(world: World, office: Office) -> None:
    member = world.member("silent")
    spend(world, member, plans(13_000, 10))
    order = office.order(member)
    assert "still has time" in " ".join(office.run("query-audit", "refused", str(order)).output.split())
    report = office.verify(ahead=ANSWER_SECONDS + 60)
    late = [finding for finding in report.of(FINDING) if "did not answer" in finding.text]
    assert (member.pseudonym,) in [finding.parties for finding in late]
    assert member.pseudonym not in {party for f in office.verify().of(FINDING) for party in f.parties}


def test_nothing_is_disclosed_to_an_auditor_that_only_the_secretariat_vouches_for(
    world: World, office: Office, tmp_path: Path
) -> None:
    member = world.member("wary")
    spend(world, member, plans(14_000, 10))
    office.order(member)
    arguments = ["answer-audit", "--home", str(member.home), "-o", str(tmp_path), "--yes"]
    for extra in ([], ["--auditor", "abcdefghijklmnop"]):
        result = CliRunner().invoke(app, [*arguments, *extra])
        assert result.exit_code == 1 and "is not confirmed as your auditor" in " ".join(result.output.split())
    assert list(tmp_path.iterdir()) == [] and member.query_audits().waiting(member.board())
    answerer = member.query_audits()
    disclosure = answerer.prepare(member.board(), answerer.waiting(member.board())[0])
    with pytest.raises(QueryAuditError, match="nobody has confirmed"):
        answerer.answer(member.board(), disclosure, tmp_path)


def test_showing_and_declining_send_nothing(world: World, office: Office, tmp_path: Path) -> None:
    member = world.member("curious")
    spend(world, member, plans(15_000, 10))
    office.order(member)
    listing = tmp_path / "disclosed.csv"
    arguments = ["answer-audit", "--home", str(member.home), "-o", str(tmp_path), "--list", str(listing)]
    shown = CliRunner().invoke(app, [*arguments, "--show"])
    assert shown.exit_code == 0 and "Nothing was sent" in shown.output
    assert len(listing.read_text().splitlines()) == 1 + 48
    declined = CliRunner().invoke(app, [*arguments, "--auditor", office.home.pseudonym])  # nobody says yes
    assert "Nothing was sent" in declined.output
    assert member.query_audits().waiting(member.board())


def test_a_lost_file_is_written_again_byte_for_byte(world: World, office: Office, tmp_path: Path) -> None:
    member = world.member("forgetful")
    spend(world, member, plans(16_000, 10))
    order = office.order(member)
    path = answer(member, office, tmp_path)
    first = path.read_bytes()
    path.unlink()
    result = CliRunner().invoke(
        app, ["answer-audit", "--home", str(member.home), "-o", str(tmp_path), "--again", str(order)]
    )
    assert result.exit_code == 0 and path.read_bytes() == first
    assert office.judge(order, path).exit_code == 0


def test_batches_are_kept_for_the_audit_period_and_purged_after(world: World, office: Office) -> None:
    member = world.member("tidy")
    spend(world, member, plans(17_000, 10))
    answerer, board = member.query_audits(), member.board()
    end = board.manifest(EPOCH).closes + AUDIT_PERIOD_SECONDS
    assert answerer.purge(board, end - 1) == 0
    office.order(member)
    board = member.board()
    assert answerer.purge(board, end) == 0  # an order waits
    (ordered,) = answerer.waiting(board)
    assert answerer.prepare(board, ordered).opened
    board.audits.orders.clear()
    assert answerer.purge(board, end) == 1
    with pytest.raises(VaultError, match="not in this vault"):
        answerer.prepare(board, ordered)


def test_the_monitor_follows_and_tells_everything_once(world: World, office: Office, tmp_path: Path) -> None:
    watcher = Office(world, tmp_path / "watcher")
    first = watcher.run("monitor", "--json", str(tmp_path / "report.json"))
    found = [f for f in json.loads((tmp_path / "report.json").read_bytes())["findings"] if f["severity"] == "finding"]
    assert first.exit_code == (1 if found else 0)
    again = watcher.run("monitor")
    assert again.exit_code == 0 and again.output.strip() == ""


def test_whoever_has_no_auditors_keys_verifies_the_log_all_the_same(
    world: World, office: Office, tmp_path: Path
) -> None:
    keys = str(office.folder / "pins.json")
    url = world.any_member._settings.secretariat.url  # type: ignore[attr-defined]
    nobody = tmp_path / "nobody"
    report = tmp_path / "report.json"
    arguments = ["--secretariat", url, "--trustee-keys", keys, "--home", str(nobody), "--json", str(report)]
    assert CliRunner().invoke(app, ["audit", "verify", *arguments]).exit_code in (0, 1)
    facts = json.loads(report.read_bytes())
    assert {finding["check"] for finding in facts["findings"]} <= {"query audits"}
    assert [witness["age"] is not None for witness in facts["witnesses"]].count(True) >= 2
    assert not nobody.exists()
    CliRunner().invoke(app, ["audit", "monitor", *arguments])
    assert CliRunner().invoke(app, ["audit", "monitor", *arguments]).exit_code == 0
    # The secretariat's own files, copied by any means, are verified alike.
    folder = ["audit", "verify", "--folder", str(world.parties.home), "--trustee-keys", keys, "--json", str(report)]
    CliRunner().invoke(app, folder)
    again = json.loads(report.read_bytes())
    assert {finding["check"] for finding in again["findings"]} <= {"query audits"}
    assert {check["name"] for check in again["checks"]} >= {"files of the log", "checkpoint", "cosignatures"}


def test_explain_reads_from_the_server(world: World, office: Office) -> None:
    result = office.run("explain", "0")
    assert result.exit_code == 0 and f"opens epoch {EPOCH}" in result.output
    assert office.run("explain", "99999").exit_code == 2


def test_a_server_that_is_down_is_not_a_pass(office: Office) -> None:
    result = office.run("verify", "--secretariat", "http://127.0.0.1:9")
    assert result.exit_code == 2
