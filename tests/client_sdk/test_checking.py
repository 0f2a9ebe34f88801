"""Checking: what a report says, what an index may not do to a member, and what the file looks like."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import openpyxl
import pytest
from benchmarks.demo import numbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from support.memory import MemoryRound, fresh
from support.trustees import EPOCH, STREAM, Trustees
from support.world import audited, planned, site
from tacit_client.checking import COLUMNS, CheckReport, ReportRow, policy_with
from tacit_client.list_cells import ListError
from tacit_client.vault import Vault
from tacit_matcher.keys import KEY_TYPES
from tacit_matcher.policy import Policy
from tacit_matcher.records import AuditedSite, PlannedAudit, Site
from tacit_protocol.board import BoardError
from tacit_protocol.errors import IndexFileError

TRUSTEES = Trustees.after_ceremony()
TODAY = date.today()
GLN = "4012345000009"
LEI = "5493001KJTIIGC8Y1R12"


@pytest.fixture(scope="module")
def parties(tmp_path_factory: pytest.TempPathFactory) -> MemoryRound:
    """A round in which others have contributed."""
    parties = MemoryRound(TRUSTEES)
    one, two = (fresh(tmp_path_factory.mktemp("others"), parties) for _ in range(2))
    first = [audited(number) for number in range(5)]
    named = replace(site(20), identifiers={"gln": GLN})
    company = Site("Nestor Holding SE", "Ring 1", "Ulm", "89073", "DE", {"lei": LEI})
    first += [AuditedSite(named, TODAY, "amfori BSCI"), AuditedSite(company, TODAY, "EcoVadis", platform="EcoVadis")]
    parties.contributor(*one).contribute(parties.board, first)
    parties.contributor(*two).contribute(parties.board, [audited(3, days_ago=1)])
    parties.close_window()
    return parties


@pytest.fixture(scope="module")
def member(parties: MemoryRound, tmp_path_factory: pytest.TempPathFactory) -> tuple[Vault, Ed25519PrivateKey]:
    return fresh(tmp_path_factory.mktemp("member"), parties)


def check(
    parties: MemoryRound,
    member: tuple[Vault, Ed25519PrivateKey],
    plans: list[PlannedAudit],
    folder: Path,
    policy: Policy | None = None,
) -> CheckReport:
    parties.change = lambda party, called, body: body
    return parties.checker(*member, folder / "cache", policy).check(parties.board, plans, TODAY)


@pytest.fixture(scope="module")
def report(
    parties: MemoryRound, member: tuple[Vault, Ed25519PrivateKey], tmp_path_factory: pytest.TempPathFactory
) -> CheckReport:
    plans = [
        *planned(3, 4),
        PlannedAudit("P900", Site("Kaffeerösterei Meyer", "Hafenweg 1", "Bremen", "28195", "DE")),
        PlannedAudit("identified", Site("Ganz Anders AG", "", "Kempten", "", "DE", {"gln": GLN})),
        PlannedAudit("company", Site("Nestor Werk Zwei", "Weg 9", "Bonn", "53111", "DE", {"lei": LEI})),
        PlannedAudit("poor", Site("X")),
    ]
    return check(parties, member, plans, tmp_path_factory.mktemp("report"))


def row(report: CheckReport, plan_id: str) -> ReportRow:
    return next(row for row in report.rows if row.plan_id == plan_id)


def test_every_plan_gets_one_row_in_order(report: CheckReport) -> None:
    assert [row.plan_id for row in report.rows] == ["P3", "P4", "P900", "identified", "company", "poor"]
    assert (report.window, report.index_records) == (1, 128)


def test_an_assessed_site_says_when_what_where_how_and_what_next(report: CheckReport) -> None:
    found = row(report, "P4")
    assert (found.status, found.scheme, found.scheme_version) == ("assessed", "SMETA 4-pillar", "7.0")
    assert (found.scope, found.held_at) == ("site", "Sedex")
    assert found.matched_by.split("; ")[0] in {kind.label for kind in KEY_TYPES.values()}
    assert 0.7 <= found.probability <= 1
    assert found.next_step == f"ask the supplier, on Sedex for the report of {found.assessed_in}"


def test_of_several_assessments_the_latest_quarter_is_shown_and_not_how_many(report: CheckReport) -> None:
    latest = f"{TODAY.year}-Q"
    assert row(report, "P3").assessed_in >= row(report, "P4").assessed_in
    assert row(report, "P3").assessed_in.startswith((latest, f"{TODAY.year - 1}-Q4"))
    assert not {"contributors", "count", "hits"} & set(vars(row(report, "P3")))


def test_what_nobody_contributed_is_not_found_and_planned(report: CheckReport) -> None:
    missing = row(report, "P900")
    assert (missing.status, missing.assessed_in, missing.held_at) == ("not found", "", "")
    assert missing.next_step == "plan your own audit"


def test_a_company_that_was_assessed_never_means_that_the_site_was(report: CheckReport) -> None:
    company = row(report, "company")
    assert company.status in ("possible", "not found")
    if company.status == "possible":
        assert company.scope == "entity"
        assert "not this site" in company.next_step


def test_a_plan_with_too_little_on_it_is_told_apart_from_one_that_was_not_found(report: CheckReport) -> None:
    assert report.without_keys == (5,)
    assert "add country and city" in row(report, "poor").next_step


def test_the_workbook_has_a_row_for_every_plan_and_no_formula(report: CheckReport, tmp_path: Path) -> None:
    report.save(tmp_path / "overlaps.xlsx")
    book = openpyxl.load_workbook(tmp_path / "overlaps.xlsx")
    sheet = book["Result"]
    assert [cell.value for cell in sheet[1]] == list(COLUMNS)
    assert sheet.max_row == len(report.rows) + 1
    assert all(cell.data_type != "f" for each in book.worksheets for line in each.iter_rows() for cell in line)
    assert sheet.auto_filter.ref == f"A1:O{len(report.rows) + 1}"
    values = dict(zip(COLUMNS, (cell.value for cell in sheet[3]), strict=True))
    assert (values["Plan ID"], values["Status"], values["Report held at"]) == ("P4", "assessed", "Sedex")
    assert 0.7 <= values["Sure"] <= 1
    about = {line[0].value: line[1].value for line in book["About"].iter_rows()}
    assert (about["Epoch"], about["Stream"]) == (EPOCH, STREAM)
    text = str([cell.value for each in book.worksheets for line in each.iter_rows() for cell in line]).lower()
    assert "contributor" not in text


def test_the_csv_says_the_same(report: CheckReport, tmp_path: Path) -> None:
    report.save(tmp_path / "overlaps.csv")
    with (tmp_path / "overlaps.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [line["Status"] for line in rows] == [row.status for row in report.rows]


def test_a_members_own_records_are_left_out(parties: MemoryRound, tmp_path: Path) -> None:
    own = MemoryRound(TRUSTEES)
    one, two = (fresh(tmp_path, own) for _ in range(2))
    own.contributor(*one).contribute(own.board, [audited(8)])
    own.close_window()
    assert check(own, one, planned(8), tmp_path / "one").rows[0].status == "not found"
    assert check(own, two, planned(8), tmp_path / "two").rows[0].status == "assessed"


def test_a_threshold_makes_an_assessed_site_a_possible_one(
    parties: MemoryRound, member: tuple[Vault, Ed25519PrivateKey], tmp_path: Path
) -> None:
    strict = check(parties, member, planned(4), tmp_path, policy_with(1.0))
    usual = check(parties, member, planned(4), tmp_path, policy_with(None))
    assert usual.rows[0].status == "assessed"
    assert strict.rows[0].status == ("assessed" if usual.rows[0].probability == 1.0 else "possible")


def test_before_the_first_window_closes_there_is_nothing_to_check(tmp_path: Path) -> None:
    young = MemoryRound(TRUSTEES)
    key = fresh(tmp_path, young)
    with pytest.raises(BoardError, match="no index of 2026-h2/social-audit has been published yet"):
        check(young, key, planned(1), tmp_path)
    assert young.used(key[1]) == 0


def test_a_damaged_index_is_fetched_once_more_and_then_blamed_on_the_secretariat(
    parties: MemoryRound, member: tuple[Vault, Ed25519PrivateKey], tmp_path: Path
) -> None:
    checker = parties.checker(*member, tmp_path)
    parties.change = lambda party, called, body: body[:-1] + bytes([body[-1] ^ 1]) if "/indexes/" in called else body
    with pytest.raises(IndexFileError, match="not the one announced") as caught:
        checker.check(parties.board, planned(3), TODAY)
    assert caught.value.party == "secretariat"
    assert list(tmp_path.rglob("*.index")) == []
    assert check(parties, member, planned(3), tmp_path).rows[0].status == "assessed"


def test_a_download_that_was_cut_is_continued(
    parties: MemoryRound, member: tuple[Vault, Ed25519PrivateKey], tmp_path: Path
) -> None:
    root = parties.board.indexes[EPOCH, STREAM, 1]
    folder = tmp_path / "cache" / EPOCH / STREAM
    folder.mkdir(parents=True)
    (folder / f"{root.root.hex()}.index").write_bytes(parties.index[:1000])
    parties.asked.clear()
    seen: list[str] = []
    parties.before = lambda party, called: seen.append(called)
    assert check(parties, member, planned(3), tmp_path).rows[0].status == "assessed"
    parties.before = lambda party, called: None
    check(parties, member, planned(3), tmp_path)
    assert sum("/indexes/" in called for called in seen) == 1
    assert sum("/indexes/" in called for _, called in parties.asked) == 1  # and then it is in the cache


@pytest.mark.parametrize("size", [0, 1, 2**40])
def test_an_index_that_would_fill_the_disk_is_refused_before_a_byte_is_fetched(
    size: int, parties: MemoryRound, member: tuple[Vault, Ed25519PrivateKey], tmp_path: Path
) -> None:
    true = parties.board.indexes[EPOCH, STREAM, 1]
    parties.board.indexes[EPOCH, STREAM, 1] = type(true)(
        true.epoch, true.stream, true.window, true.root, size, true.records, true.entries
    )
    try:
        parties.asked.clear()
        with pytest.raises(IndexFileError, match=f"an index of {size} bytes for 128 records") as caught:
            check(parties, member, planned(3), tmp_path)
        assert caught.value.party == "secretariat"
        assert not any("/indexes/" in called for _, called in parties.asked)
    finally:
        parties.board.indexes[EPOCH, STREAM, 1] = true


def test_an_older_window_leaves_the_cache_and_another_stream_stays(
    parties: MemoryRound, member: tuple[Vault, Ed25519PrivateKey], tmp_path: Path
) -> None:
    old = tmp_path / "cache" / EPOCH / STREAM / "00.index"
    other = tmp_path / "cache" / EPOCH / "ecovadis" / "11.index"
    for path in (old, other):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
    check(parties, member, planned(3), tmp_path)
    assert not old.exists() and other.exists()


def test_a_member_accepts_what_it_wants_and_is_told_of_a_scheme_that_does_not_exist() -> None:
    policy = policy_with(0.8, 13, ["smeta 4-Pillar", "amfori BSCI"])
    assert policy.accepted_schemes == {"SMETA 4-pillar", "amfori BSCI"}
    assert (policy.max_age_quarters, policy.min_probability) == (5, 0.8)
    assert policy_with() == Policy()
    with pytest.raises(ListError, match=r"no scheme is called that; there are .*SMETA 4-pillar"):
        policy_with(None, None, ["SMETTA"])


def test_a_site_contributed_under_a_retired_os_id_is_found_under_the_current_one(tmp_path: Path) -> None:
    round_ = MemoryRound(Trustees.after_ceremony())
    retired, current = (numbers.os_id("DE", Random(seed)) for seed in (1, 2))
    vault, key = fresh(tmp_path, round_)
    contributor = round_.contributor(vault, key)
    contributor.aliases = {retired: current}
    listed = replace(audited(1), site=replace(site(1), identifiers={"os_id": retired}))
    contributor.contribute(round_.board, [listed])
    round_.close_window()
    plan = PlannedAudit("P", Site("Quite Another Name Ltd", "Elsewhere 9", "Kiel", "24103", "DE", {"os_id": current}))
    vault, key = fresh(tmp_path, round_)
    report = round_.checker(vault, key, tmp_path / "cache").check(round_.board, [plan], TODAY)
    assert [(row.status, row.matched_by) for row in report.rows] == [("assessed", "OS ID")]
