"""The demonstration's lists: the same for the same seed, readable, with right check digits and a truth that holds."""

from __future__ import annotations

import csv
import datetime
import random
from collections import Counter
from pathlib import Path

import pytest
from benchmarks.demo import numbers
from benchmarks.demo.generator import OVERLAPS, generate
from benchmarks.demo.handwriting import as_printed, by_another_hand
from benchmarks.demo.sites import draw_site, neighbour, sister_plant

from tacit_client.lists import read_audited, read_planned
from tacit_matcher.identifiers import normalise_identifier

TODAY = datetime.date(2026, 11, 23)
MEMBERS, RECORDS, PLANS = 9, 1200, 100


def write(folder: Path, seed: int = 7) -> Path:
    generate(folder, seed=seed, members=MEMBERS, records=RECORDS, plans=PLANS, today=TODAY)
    return folder


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("lists"))


def test_the_same_seed_gives_the_same_lists(lists: Path, tmp_path: Path) -> None:
    again, other = write(tmp_path / "again"), write(tmp_path / "other", seed=8)
    for path in sorted(lists.rglob("*.csv")):
        name = path.relative_to(lists)
        assert (again / name).read_bytes() == path.read_bytes()
    assert (other / "planned.csv").read_bytes() != (lists / "planned.csv").read_bytes()


def test_every_list_is_read_without_a_problem_in_its_own_form(lists: Path) -> None:
    previews = [read_audited(path, today=TODAY) for path in sorted((lists / "members").iterdir())]
    assert [preview.problems for preview in previews] == [[] for _ in range(MEMBERS)]
    assert sum(len(preview.rows) for preview in previews) == RECORDS
    assert sum(len(preview.too_old) for preview in previews) == RECORDS // 50
    assert {path.suffix for path in (lists / "members").iterdir()} == {".csv", ".xlsx"}
    assert len({preview.mapping["name"] for preview in previews}) > 2  # headers in several languages


def test_the_truth_answers_every_plan(lists: Path) -> None:
    with (lists / "truth.csv").open(encoding="utf-8") as file:
        truth = {row["Plan ID"]: row for row in csv.DictReader(file)}
    plans = [plan for _, plan in read_planned(lists / "planned.csv").rows]
    assert [plan.plan_id for plan in plans] == list(truth)
    assert Counter(row["assessed"] for row in truth.values()) == {"1": OVERLAPS * PLANS, "0": PLANS - OVERLAPS * PLANS}
    assert {"another plant", "another company at the address", "too old"} <= {
        row["what differs"] for row in truth.values() if row["assessed"] == "0"
    }


def test_several_scripts_are_on_the_lists(lists: Path) -> None:
    names = "".join(
        record.site.name for path in (lists / "members").iterdir() for _, record in read_audited(path, today=TODAY).rows
    )
    for first, last in (("一", "龥"), ("α", "ω"), ("а", "я"), ("ก", "ฮ"), ("ا", "ي"), ("가", "힣"), ("A", "z")):
        assert any(first <= letter <= last for letter in names), f"{first} to {last}"


@pytest.mark.parametrize("kind", numbers.IDENTIFIER_MAKERS)
def test_identifiers_have_right_check_digits(kind: str) -> None:
    draw = random.Random(3)
    for _ in range(200):
        made = numbers.IDENTIFIER_MAKERS[kind][1]("DE", draw)
        assert normalise_identifier(kind, made) == made


def test_decoys_are_other_sites() -> None:
    draw = random.Random(5)
    for _ in range(200):
        site = draw_site(draw)
        plant, other = sister_plant(site, draw), neighbour(site, draw)
        assert plant.words["towns"] == site.words["towns"] and plant.address(False) != site.address(False)
        assert other.address(False) == site.address(False) and other.company(False) != site.company(False)


def test_another_hand_names_what_it_changed() -> None:
    draw = random.Random(11)
    for _ in range(300):
        site = draw_site(draw)
        written = by_another_hand(site, draw)
        if written.differences == ():
            assert written == as_printed(site, False)
