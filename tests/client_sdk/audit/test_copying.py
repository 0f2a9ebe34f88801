"""The auditor's copy: it grows with the log, fetches full tiles once, and keeps both halves of a rewritten history."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from support.audits import Case
from support.boards import STREAM
from tacit_client.audit.copying import update
from tacit_client.audit.findings import FINDING, UNCHECKED, Report
from tacit_client.audit.monitor import take_turn
from tacit_client.audit.sources import FolderSource
from tacit_client.audit.verifying import Verification
from tacit_client.cli import app
from tacit_client.errors import PartyUnavailable, Refused, VaultError
from tacit_client.parties import Secretariat
from tacit_protocol import tiles


class Server:
    """A secretariat's public files, as a transport hands them out."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.asked: list[str] = []
        self.change: Callable[[str, bytes], bytes] = lambda path, body: body
        case.write()

    def request(
        self,
        party: str,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = 2**24,
    ) -> bytes:
        path = url.removeprefix("https://secretariat.example/")
        self.asked.append(path)
        if path.startswith("v1/indexes/"):
            window = int(path.rpartition("/")[2])
            first, last = map(int, re.findall(r"\d+", (headers or {})["Range"]))
            return self.case.made.files[window][first : last + 1]
        if path.startswith("v1/handovers/") and int(path.rpartition("/")[2]) in self.case.made.lists:
            first, last = map(int, re.findall(r"\d+", (headers or {})["Range"]))
            return self.change(path, self.case.made.lists[int(path.rpartition("/")[2])][first : last + 1])
        file = self.case.folder / path
        if not file.is_file():
            raise Refused("secretariat refuses: no such file", party="secretariat", evidence={"status": 404})
        return self.change(path, file.read_bytes())


class Desk:
    """An auditor's copy of what a :class:`Server` shows."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case, self.folder, self.server = case, folder, Server(case)
        self.secretariat = Secretariat(self.server, "https://secretariat.example")  # type: ignore[arg-type]

    def look(self) -> Report:
        """Bring the copy up to date and verify it but for the index files."""
        report, made = Report("server"), self.case.made
        source = update(self.folder, self.secretariat, report, made.secretariat_key)
        keys = (made.secretariat_key, made.trustee_keys)
        Verification(made.group, source, report, made.time, *keys).read_entries()
        return report

    def grow(self, count: int) -> None:
        for _ in range(count):
            self.case.made.member()
        self.case.write()


@pytest.fixture
def desk(case: Case, tmp_path: Path) -> Desk:
    return Desk(case, tmp_path / "copy")


def test_the_copy_grows_and_full_tiles_are_fetched_once(desk: Desk) -> None:
    for count in (0, 100, 300, 1, 0, 250):
        desk.grow(count)
        report = desk.look()
        assert report.exit_code == 0 and report.size == len(desk.case.made.entries)
    full = [path for path in desk.server.asked if path.startswith("log/tile") and ".p/" not in path]
    assert len(full) == len(set(full)) > 2


def test_a_partial_tile_that_the_log_dropped_is_cut_from_the_full_one(desk: Desk) -> None:
    size = len(desk.case.made.entries)
    old = desk.case.note
    desk.grow(tiles.WIDTH + 10 - size)
    # The checkpoint of the size before is still served, its partial tiles are gone.
    (desk.case.folder / "log" / "checkpoint").write_bytes(old.encode())
    report = desk.look()
    assert report.exit_code == 0 and report.size == size


def test_a_rewritten_history_is_a_finding_with_both_halves(desk: Desk) -> None:
    desk.look()
    kept = (desk.folder / "log" / "checkpoint").read_bytes()
    number = desk.case.find("enrolment")
    del desk.case.made.entries[number]
    desk.case.resequence()
    desk.grow(5)
    report = desk.look()
    assert report.exit_code == 1
    (finding,) = [f for f in report.of(FINDING) if f.check == "one history"]
    assert finding.entry == number and finding.parties == ("secretariat",)
    assert (desk.folder / "log" / "checkpoint").read_bytes() == kept, "what was shown first stays"
    (evidence,) = (desk.folder / "evidence").iterdir()
    judged = CliRunner().invoke(app, ["audit", "evidence", str(evidence), "--home", str(desk.folder)])
    assert judged.exit_code == 1 and f"different entries {number}" in " ".join(judged.output.split())


def test_two_checkpoints_of_one_size_are_a_finding(desk: Desk) -> None:
    desk.look()
    desk.case.made.entries[-1] = msgspec.structs.replace(
        desk.case.made.entries[-1], time=desk.case.made.entries[-1].time + 1
    )
    desk.case.write()
    report = desk.look()
    assert report.exit_code == 1
    (evidence,) = (desk.folder / "evidence").iterdir()
    assert CliRunner().invoke(app, ["audit", "evidence", str(evidence), "--home", str(desk.folder)]).exit_code == 1


def test_a_shorter_log_that_is_a_beginning_is_stale_and_no_proof(desk: Desk) -> None:
    earlier = desk.case.folder.parent / "earlier"
    shutil.copytree(desk.case.folder / "log", earlier)
    desk.grow(20)
    size = desk.look().size
    shutil.rmtree(desk.case.folder / "log")
    shutil.copytree(earlier, desk.case.folder / "log")
    report = desk.look()
    assert report.exit_code == 2 and "ask again later" in report.of(UNCHECKED)[0].text
    assert report.size == size, "the copy stays what it was"


def test_a_shorter_log_that_is_another_is_a_fork(desk: Desk) -> None:
    desk.grow(20)
    desk.look()
    del desk.case.made.entries[-30:]
    desk.grow(2)
    assert desk.look().exit_code == 1
    assert list((desk.folder / "evidence").iterdir())


def test_entries_that_do_not_fit_the_checkpoint_are_a_finding(desk: Desk) -> None:
    desk.look()
    desk.grow(5)
    desk.server.change = lambda path, body: body.replace(b'"time":178', b'"time":177') if "entries" in path else body
    assert desk.look().exit_code == 1


def test_a_log_that_hides_a_file_is_a_finding(desk: Desk) -> None:
    (path,) = (desk.case.folder / "log" / "tile" / "entries").rglob("*.p/*")
    path.unlink()
    report = desk.look()
    assert report.exit_code == 1 and "tile/entries" in report.of(FINDING)[0].text


def test_a_log_that_has_grown_and_hides_a_file_is_a_finding(desk: Desk) -> None:
    size = desk.look().size
    desk.grow(3)
    (path,) = (desk.case.folder / "log" / "tile" / "entries").rglob("*.p/*")
    path.unlink()
    report = desk.look()
    assert report.exit_code == 1 and report.of(FINDING)[0].parties == ("secretariat",)
    assert report.size == size, "what was shown before is verified again"


def test_a_copy_that_lost_a_file_says_so(desk: Desk) -> None:
    desk.look()
    shutil.rmtree(desk.folder / "log" / "tile" / "entries")
    desk.grow(1)
    with pytest.raises(PartyUnavailable, match="lacks tile/entries"):
        desk.look()


def test_a_server_without_a_log_is_not_a_pass(desk: Desk) -> None:
    shutil.rmtree(desk.case.folder / "log")
    with pytest.raises(Refused):
        desk.look()


def test_indexes_are_fetched_and_checked(desk: Desk) -> None:
    from tacit_client.audit.copying import add_indexes, add_lists

    report, made = Report("server"), desk.case.made
    source = update(desk.folder, desk.secretariat, report, made.secretariat_key)
    checks = Verification(made.group, source, report, made.time, made.secretariat_key, made.trustee_keys)
    board = checks.read_entries()
    add_indexes(source, desk.secretariat, list(board.indexes.values()))
    add_lists(source, desk.secretariat, list(board.handovers.values()))
    assert checks.conclude().exit_code == 0
    assert (desk.folder / "indexes" / "2026-h2" / STREAM / "1.tacit-handover").read_bytes() == made.lists[1]
    assert (desk.folder / "indexes" / "2026-h2" / STREAM / "1.tacit-index").read_bytes() == made.files[1]


def test_lists_that_the_secretariat_does_not_show_or_changes_are_findings(desk: Desk) -> None:
    from tacit_client.audit.copying import add_lists

    made = desk.case.made

    def judged() -> list[tuple[str, tuple[str, ...]]]:
        report = Report("server")
        source = update(desk.folder, desk.secretariat, report, made.secretariat_key)
        checks = Verification(made.group, source, report, made.time, made.secretariat_key, made.trustee_keys)
        add_lists(source, desk.secretariat, list(checks.read_entries().handovers.values()))
        checks.conclude()
        return [(finding.text, finding.parties) for finding in report.of(FINDING)]

    whole = made.lists.pop(1)
    ((text, parties),) = judged()
    assert "is not shown by the secretariat" in text and parties == ("secretariat",)
    made.lists[1] = whole[32:]
    ((text, parties),) = judged()
    assert "not the one that the shuffler signed" in text and parties == ("secretariat",)
    made.lists[1] = whole
    assert judged() == []  # a copy that is not the signed one is fetched again


# --- the monitor's memory -----------------------------------------------------------------------------------

NOW = 1_790_000_000


def report_with(*texts: str, size: int = 10) -> Report:
    report = Report("x", size=size)
    for text in texts:
        report.add(FINDING, "rules", text, "secretariat")
    return report


def test_a_finding_is_told_once_and_a_new_one_again(tmp_path: Path) -> None:
    assert [f.text for f in take_turn(tmp_path, report_with("a", "b"), NOW)] == ["a", "b"]
    assert take_turn(tmp_path, report_with("a", "b"), NOW) == []
    assert [f.text for f in take_turn(tmp_path, report_with("a", "b", "c"), NOW)] == ["c"]


def test_what_could_not_be_checked_is_told_each_time(tmp_path: Path) -> None:
    report = Report("x", size=1)
    report.add(UNCHECKED, "files", "no file")
    assert take_turn(tmp_path, report, NOW) and take_turn(tmp_path, report, NOW)


def test_notes_are_not_told(tmp_path: Path) -> None:
    report = Report("x", size=1)
    report.add("note", "files", "by the way")
    assert take_turn(tmp_path, report, NOW) == []


def test_a_log_that_shrank_is_a_finding_of_the_monitor(tmp_path: Path) -> None:
    take_turn(tmp_path, report_with(size=10), NOW)
    report = report_with(size=9)
    (finding,) = take_turn(tmp_path, report, NOW)
    assert "had 10 entries" in finding.text and report.exit_code == 1


def test_a_damaged_state_is_said(tmp_path: Path) -> None:
    (tmp_path / "monitor.json").write_text("{")
    with pytest.raises(VaultError, match=r"monitor\.json is damaged"):
        take_turn(tmp_path, report_with(), NOW)


def test_a_source_needs_a_log(tmp_path: Path) -> None:
    with pytest.raises(PartyUnavailable, match="holds neither"):
        FolderSource(tmp_path)
