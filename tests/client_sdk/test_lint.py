"""`tacit lint`: the weak rows of a list by row number, what they cost, and nothing of what stands in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from tacit_client.cli import app
from tacit_client.lint import WEAKNESSES, LintReport, PoorRow, lint, show_lint
from tacit_client.lists import read_planned

HEADER = "Supplier name,Address,City,Postcode,Country,GLN,LEI"
GOOD = "Molkerei Alpsee GmbH,Seestraße 10,Füssen,87629,DE,,"


def report_of(tmp_path: Path, *rows: str) -> LintReport:
    path = tmp_path / "list.csv"
    path.write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    return lint(read_planned(path))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Molkerei Alpsee,Seestraße 10,Füssen,87629,,,", "no country"),
        ("Molkerei Alpsee,,,,DE,,", "name only"),
        ("Molkerei Alpsee,Postfach 12,Füssen,87629,DE,,", "headquarters address"),
        ("Molkerei Alpsee,c/o Treuhand Weber,Füssen,87629,DE,,", "headquarters address"),
        ("Molkerei Alpsee,,Füssen,,DE,,", "city only"),
        ("Molkerei Alpsee,Seestraße 10,,,DE,,", "no city and no postcode"),
        ("Molkerei GmbH,Seestraße 10,Füssen,87629,DE,,", "name of trade words only"),
        ("Molkerei Alpsee,Seestraße 10,Füssen,,DE,,", "no postcode"),
        ("Molkerei Alpsee,,Füssen,87629,DE,,", "no street"),
        ("Molkerei Alpsee,Seestraße 10,,87629,DE,,", "no city"),
    ],
)
def test_each_weakness_is_seen(tmp_path: Path, row: str, reason: str) -> None:
    report = report_of(tmp_path, GOOD, row)
    assert [(poor.row, poor.reasons[0]) for poor in report.poor] == [(3, reason)]
    assert report.lost == pytest.approx(WEAKNESSES[reason].lost / 2)


def test_a_good_list_costs_nothing(tmp_path: Path) -> None:
    report = report_of(tmp_path, GOOD)
    assert report == LintReport(1, [], [], 0) and report.lost == 0.0


def test_an_address_in_one_column_is_no_weakness(tmp_path: Path) -> None:
    row = '"Delta Knit Ltd","Plot 12, Perundurai Road, Tiruppur 641604, Tamil Nadu",,,IN,,'
    assert report_of(tmp_path, row).poor == []


def test_a_sites_own_identifier_makes_up_for_the_rest(tmp_path: Path) -> None:
    report = report_of(tmp_path, "Molkerei Alpsee,,,,DE,4006381333931,")
    assert report.poor == [] and report.with_identifier == 1


def test_an_entitys_identifier_does_not(tmp_path: Path) -> None:
    report = report_of(tmp_path, "Molkerei Alpsee,,,,DE,,213800KUD8LAJWSQ9D15")
    assert [poor.reasons[0] for poor in report.poor] == ["name only"]


def test_a_failed_check_digit_is_named_by_row_and_column(tmp_path: Path) -> None:
    report = report_of(tmp_path, GOOD, "Molkerei Alpsee,,,,DE,4006381333932,")
    assert [(row, column) for row, column, _ in report.failed] == [(3, "GLN")]
    assert [poor.row for poor in report.poor] == [3]


def test_many_sites_at_one_address_are_a_headquarters(tmp_path: Path) -> None:
    rows = [f"Alpsee {name} GmbH,Seestraße 10,Füssen,87629,DE,," for name in ("Nord", "Suedwerk", "Westhof")]
    assert [poor.reasons[0] for poor in report_of(tmp_path, *rows).poor] == ["headquarters address"] * 3
    assert report_of(tmp_path, *rows[:2]).poor == []


def test_the_gravest_reason_is_counted_once(tmp_path: Path) -> None:
    report = report_of(tmp_path, "GmbH,,,,,,")
    assert report.poor[0].reasons[:2] == ("no country", "name only")
    assert report.lost == 1.0 and report.counts() == {"no country": 1}


def test_weaknesses_stand_in_the_order_of_what_they_cost() -> None:
    lost = [weakness.lost for weakness in WEAKNESSES.values()]
    assert lost == sorted(lost, reverse=True) and all(0 < share <= 1 for share in lost)


def test_what_is_printed_names_rows_and_no_supplier() -> None:
    console = Console(record=True, width=200)
    poor = [PoorRow(row, ("name only",)) for row in range(2, 42)]
    show_lint(console, LintReport(80, poor, [(7, "GLN", "its check digit is wrong")], 3), "list.xlsx")
    text = console.export_text()
    assert "row 2: name only" in text and "and 25 more" in text and "row 7, GLN: its check digit is wrong" in text
    assert "40 of 80 rows match poorly: about 50%" in text


def test_the_command(tmp_path: Path) -> None:
    path = tmp_path / "audited.csv"
    path.write_text("Lieferant,Ort,Land\nBeispiel Obst,Bonn,DE\nGeheimnis Kelterei,Bonn,DE\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["lint", str(path)])
    assert result.exit_code == 0 and "row 3: city only" in result.output and "Nothing was sent" in result.output
    assert "Kelterei" not in result.output  # rows are named by number; the first row alone is shown, as an example


def test_a_file_that_is_no_list(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    assert CliRunner().invoke(app, ["lint", str(path)]).exit_code == 1
