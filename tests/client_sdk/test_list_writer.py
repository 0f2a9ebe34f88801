"""Results as files: no formula, whole or not at all, and refused beforehand when they cannot be written."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import openpyxl
import pytest

from tacit_client import vault
from tacit_client.list_cells import ListError
from tacit_client.list_writer import verify_target, write_results

COLUMNS = ("Plan ID", "Supplier name", "Sure")
NASTY = [
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\tx",
    "\r=1",
    "\n=1",
    "http://example.org",
    "mailto:a@b",
    "0012",
    "1e5",
    "{=1+1}",
    "\x1b[31mred",
    "a\x00b",
    "x" * 2000,
    "Käserei 株式会社 🧀",
]
ROWS = [{"Plan ID": f"P{i}", "Supplier name": name, "Sure": 0.5 + i / 100} for i, name in enumerate(NASTY)]


def test_no_cell_of_a_workbook_becomes_a_formula_or_a_link(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    write_results(path, ROWS, COLUMNS, about={"Epoch": "=1+1"})
    for sheet in openpyxl.load_workbook(path).worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in ("s", "n", "inlineStr"), cell.coordinate
                assert cell.hyperlink is None
    assert b"<f>" not in path.read_bytes()


def test_a_workbook_has_every_row_a_filter_a_frozen_header_and_widths_that_fit(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    write_results(path, ROWS, COLUMNS, about={"Stream": "social-audit"})
    book = openpyxl.load_workbook(path)
    sheet = book["Result"]
    assert [cell.value for cell in sheet[1]] == list(COLUMNS)
    assert sheet.max_row == len(ROWS) + 1
    assert [sheet.cell(i + 2, 1).value for i in range(len(ROWS))] == [row["Plan ID"] for row in ROWS]
    assert sheet.cell(2 + NASTY.index("0012"), 2).value == "0012"
    assert isinstance(sheet.cell(2, 3).value, float)
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B2", f"A1:C{len(ROWS) + 1}")
    assert 48 <= sheet.column_dimensions["B"].width <= 60
    assert book["About"]["B1"].value == "social-audit"


def test_csv_is_read_back_and_nothing_in_it_starts_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write_results(path, ROWS, COLUMNS)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == len(ROWS) + 1
    for row, name in zip(rows[1:], NASTY, strict=True):
        assert row[1].removeprefix("'") == name
        assert not row[1].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_results_are_for_the_owner_only(tmp_path: Path) -> None:
    write_results(tmp_path / "out.csv", ROWS, COLUMNS)
    assert (tmp_path / "out.csv").stat().st_mode & 0o077 == 0


def test_an_empty_result_is_a_file_with_a_header(tmp_path: Path) -> None:
    write_results(tmp_path / "out.xlsx", [], COLUMNS)
    assert [cell.value for cell in openpyxl.load_workbook(tmp_path / "out.xlsx")["Result"][1]] == list(COLUMNS)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("there.xlsx", "there.xlsx exists already.*--overwrite"),
        ("out.pdf", "written as .xlsx or .csv"),
        ("out", "written as"),
        ("none/out.xlsx", "folder for out.xlsx does not exist"),
        ("folder.csv", "is a folder"),
        ("list.csv", "is your list itself"),
        ("link.csv", "is your list itself"),
    ],
)
def test_what_cannot_be_written_is_known_beforehand(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "there.xlsx").write_bytes(b"old")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "list.csv").write_text("Name\n")
    (tmp_path / "link.csv").symlink_to("list.csv")
    with pytest.raises(ListError, match=message):
        verify_target(tmp_path / name, overwrite=name != "there.xlsx", source=tmp_path / "list.csv")
    assert (tmp_path / "there.xlsx").read_bytes() == b"old"


def test_a_full_disk_leaves_the_old_file_and_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vault.os, "fsync", full)
    with pytest.raises(ListError, match=r"out\.csv cannot be written \(No space left on device\)"):
        write_results(path, ROWS, COLUMNS, overwrite=True)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out.csv"]  # noqa: PTH208
