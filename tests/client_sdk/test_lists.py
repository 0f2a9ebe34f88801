"""Lists as people send them: what is understood, and every bad one refused with file, row and column."""

from __future__ import annotations

import datetime
import io
import os
import threading
import time
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import msoffcrypto
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msoffcrypto.format.ooxml import OOXMLFile

from tacit_client import list_cells, list_workbook
from tacit_client.list_cells import ListError
from tacit_client.lists import ListPreview, read_audited, read_planned

TODAY = date(2026, 11, 25)
HEADER = ["Supplier name", "Address", "City", "Postcode", "Country", "Audit date", "Scheme", "GLN"]
GOOD = ["Molkerei Alpenblick", "Hauptstrasse 1", "Kempten", "87435", "DE", "2026-03-04", "SMETA 4-pillar", ""]
SECRET = "Schokoladenwerk Geheim"  # stands in every bad list and must not come back in a message


def csv_text(*rows: list[str], separator: str = ",") -> str:
    return "".join(separator.join(row) + "\n" for row in rows)


def changed(**values: object) -> list:
    places = {name.lower().replace(" ", "_"): i for i, name in enumerate(HEADER)}
    row: list[object] = [SECRET, *GOOD[1:]]
    for name, value in values.items():
        row[places[name]] = value
    return row


def workbook(*rows: list, title: str = "List", change: Callable[[openpyxl.Workbook], None] | None = None) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    if change is not None:
        change(book)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def locked(data: bytes) -> bytes:
    buffer = io.BytesIO()
    OOXMLFile(io.BytesIO(data)).encrypt("a password", buffer)
    return buffer.getvalue()


def repacked(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return a workbook with one part changed; openpyxl writes no broken ones."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            content = old.read(part)
            new.writestr(part, change(content) if part == name else content)
    return buffer.getvalue()


def bomb(data: bytes) -> bytes:
    """300 MiB of blanks in the sheet, a few hundred kilobytes as a file, and a directory that says 100 bytes."""
    big = repacked(
        data, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"</row>", b"</row>" + b" " * (300 << 20), 1)
    )
    size = zipfile.ZipFile(io.BytesIO(big)).getinfo("xl/worksheets/sheet1.xml").file_size
    return big.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))


def far_cell(data: bytes) -> bytes:
    """A cell in the last column of the last row but a few: a grid of 1.6 billion cells for a naive reader."""
    cell = b'<row r="90000"><c r="XFD90000" t="n"><v>1</v></c></row></sheetData>'
    return repacked(data, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"</sheetData>", cell))


def many_rows(count: int) -> bytes:
    return (csv_text(HEADER) + csv_text(GOOD) * count).encode()


def merge(reference: str) -> Callable[[openpyxl.Workbook], None]:
    return lambda book: book.active.merge_cells(reference)


def second_sheet(book: openpyxl.Workbook) -> None:
    sheet = book.create_sheet("2025")
    sheet.append(HEADER)
    sheet.append(GOOD)


PLAIN = workbook(HEADER, changed())

BAD_FILES: dict[str, tuple[str, bytes, str]] = {
    "an empty file": ("list.csv", b"", "list.csv has no rows"),
    "only blank lines": ("list.csv", b"\n \n,,\n", "list.csv has no rows"),
    "a header and no row": ("list.csv", csv_text(HEADER).encode(), "list.csv, CSV.*no rows below the header in row 1"),
    "an empty sheet": ("list.xlsx", workbook(), "list.xlsx has no rows"),
    "a header and no row in a workbook": ("list.xlsx", workbook(HEADER), "list.xlsx, workbook, sheet 'List'.*no rows"),
    "a workbook with a password": ("list.xlsx", locked(PLAIN), "list.xlsx is protected with a password"),
    "a workbook cut off in the middle": ("list.xlsx", PLAIN[: len(PLAIN) // 2], "list.xlsx cannot be read as a workb"),
    "a workbook that is none": ("list.xlsx", csv_text(HEADER, changed()).encode(), "list.xlsx cannot be read as a wor"),
    "an old .xls": ("list.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "list.xls is in the format .xls"),
    "an old .xls called .xlsx": ("list.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an old workbook"),
    "a workbook called .csv": ("list.csv", PLAIN, "list.csv is a workbook.*ending .xlsx"),
    "a picture called .csv": ("list.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)), "list.csv"),
    "a workbook that unpacks to gigabytes": ("list.xlsx", bomb(PLAIN), "list.xlsx unpacks to more than 256 MiB"),
    "a workbook with a cell at the end of the world": ("list.xlsx", far_cell(PLAIN), "reaches to column 16,384"),
    "a workbook whose parts are entities": (
        "list.xlsx",
        repacked(PLAIN, "xl/workbook.xml", lambda xml: b'<!DOCTYPE a [<!ENTITY b "c">]>' + xml),
        "list.xlsx cannot be read as a workbook",
    ),
    "a million rows": ("list.csv", many_rows(1_000_000), "list.csv has more than 100,000 rows: split"),
    "one row too many": ("list.csv", many_rows(100_001), "list.csv has more than 100,000 rows: split"),
    "more bytes than a list has": ("list.csv", bytes(list_cells.MAX_BYTES + 1), "list.csv is larger than 128 MiB"),
    "a missing column": (
        "list.csv",
        csv_text([*HEADER[:5], "Remark", "Scheme", "GLN"], changed()).encode(),
        "list.csv, CSV.*row 1: no column for audit date",
    ),
    "the same header twice": (
        "list.csv",
        csv_text([*HEADER[:7], "City"], changed()).encode(),
        r"list.csv, row 1: the columns 3 and 8 both look like city.*--columns",
    ),
    "two sheets that look like lists": (
        "list.xlsx",
        workbook(HEADER, changed(), change=second_sheet),
        "list.xlsx: the sheets 'List', '2025' all look like a list: say which with --sheet",
    ),
    "lines in two encodings": (
        "list.csv",
        csv_text(HEADER).encode() + "Käserei\n".encode() + "Bäckerei\n".encode("cp1252"),
        "list.csv: line 2 is in UTF-8 and line 3 in another encoding",
    ),
    "Cyrillic in Windows-1251": (
        "list.csv",
        csv_text(HEADER).encode() + "Молочный завод\n".encode("cp1251"),
        "list.csv, line 2: neither UTF-8 nor Windows-1252",
    ),
    "Japanese in Shift-JIS": (
        "list.csv",
        csv_text(HEADER).encode() + "株式会社チョコレート\n".encode("shift-jis"),
        "list.csv, line 2: neither UTF-8 nor Windows-1252",
    ),
    "UTF-16 with half a character": (
        "list.csv",
        csv_text(HEADER, changed()).encode("utf-16") + b"x",
        "list.csv looks like UTF-16 and is damaged",
    ),
    "a quotation mark that is not closed": (
        "list.csv",
        (csv_text(HEADER, GOOD) + '"' + csv_text(changed(), changed())).encode(),
        "list.csv, row 3: not readable as CSV: a quotation mark",
    ),
    "quotation marks inside a cell": (
        "list.csv",
        (csv_text(HEADER) + '"Molkerei "Alpen" GmbH",a,b,c,DE,2026-01-01,BSCI,\n').encode(),
        "list.csv, row 2: not readable as CSV",
    ),
}


@pytest.mark.parametrize("what", BAD_FILES)
def test_a_bad_file_is_refused_by_name(what: str, tmp_path: Path) -> None:
    name, data, message = BAD_FILES[what]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ListError, match=message) as caught:
        read_audited(path, today=TODAY)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None  # a chained error could quote the file


BAD_ROWS: dict[str, tuple[list, str, str]] = {
    "no name": (changed(supplier_name=""), "Supplier name", "name is missing"),
    "a date that is none": (changed(audit_date="soon"), "Audit date", "no date"),
    "a day that does not exist": (changed(audit_date="2026-02-30"), "Audit date", "no such day"),
    "no date": (changed(audit_date=""), "Audit date", "date is missing"),
    "a date in the future": (changed(audit_date="2027-01-01"), "Audit date", "future"),
    "a date before there were audits": (changed(audit_date="1066-10-14"), "Audit date", "before 1990"),
    "a day and a month that cannot be told apart": (changed(audit_date="03/04/2026"), "Audit date", "told apart"),
    "a number that is no date": (changed(audit_date=12), "Audit date", "no date"),
    "no scheme": (changed(scheme=""), "Scheme", "scheme is missing"),
    "a formula": (changed(city="=A1&B1"), "City", "formula"),
    "a formula that failed": (changed(city="#N/A"), "City", "formula"),
    "a formula in the date": (changed(audit_date="=TODAY()"), "Audit date", "formula"),
    "an identifier that failed to be looked up": (changed(gln="#REF!"), "GLN", "formula"),
    "a name without end": (changed(supplier_name="x" * 5000), "Supplier name", "more than 1,000 characters"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("what", BAD_ROWS)
def test_a_bad_row_is_named_with_its_column_and_nothing_is_used(what: str, kind: str, tmp_path: Path) -> None:
    row, column, why = BAD_ROWS[what]
    preview = read(tmp_path, kind, [HEADER, GOOD, row])
    assert [(p.row, p.column, p.severity) for p in preview.problems] == [(3, column, "error")]
    assert why in preview.problems[0].why
    assert preview.problems[0].what_to_do
    with pytest.raises(ListError, match=rf"list\.{kind}.*row 3, column {column}") as caught:
        preview.raise_for_errors()
    assert SECRET not in str(caught.value)


def read(folder: Path, kind: str, rows: list[list], **options: object) -> ListPreview:
    path = folder / f"list.{kind}"
    if kind == "xlsx":
        path.write_bytes(workbook(*rows))
    else:
        path.write_text(csv_text(*([str(cell) for cell in row] for row in rows)), encoding="utf-8")
    return read_audited(path, today=TODAY, **options)  # type: ignore[arg-type]


def test_escape_sequences_in_a_list_do_not_reach_the_terminal(tmp_path: Path) -> None:
    preview = read(tmp_path, "csv", [HEADER, GOOD, changed(city="\x1b]0;owned\x07Kempten")])
    assert [(p.row, p.column) for p in preview.problems] == [(3, "City")]
    assert "control characters" in preview.problems[0].why


def test_a_failed_check_digit_is_a_warning_and_the_row_is_used_without_it(tmp_path: Path) -> None:
    preview = read(tmp_path, "xlsx", [HEADER, changed(gln="4012345000010"), changed(gln=4012345000009, city="Füssen")])
    (problem,) = preview.problems
    assert (problem.row, problem.column, problem.severity) == (2, "GLN", "warning")
    assert "4012345000010" not in problem.why + problem.what_to_do
    assert [dict(record.site.identifiers) for _, record in preview.rows] == [{}, {"gln": "4012345000009"}]
    preview.raise_for_errors()


def test_a_formula_that_was_computed_counts_by_its_value(tmp_path: Path) -> None:
    data = repacked(
        workbook(HEADER, changed(city="=A1")),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"<f>A1</f><v />", b"<f>A1</f><v>Kempten</v>").replace(b'r="C2"', b'r="C2" t="str"'),
    )
    path = tmp_path / "list.xlsx"
    path.write_bytes(data)
    preview = read_audited(path, today=TODAY)
    assert (preview.problems, preview.rows[0][1].site.city) == ([], "Kempten")


def test_a_formula_that_came_to_nothing_is_an_empty_cell(tmp_path: Path) -> None:
    data = repacked(
        workbook(HEADER, changed(city='=""')),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b'r="C2"', b'r="C2" t="str"'),
    )
    path = tmp_path / "list.xlsx"
    path.write_bytes(data)
    preview = read_audited(path, today=TODAY)
    assert (preview.problems, preview.rows[0][1].site.city) == ([], "")


def test_cells_merged_over_rows_are_named(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    path.write_bytes(workbook(HEADER, GOOD, changed(), change=merge("C2:C3")))
    (problem,) = read_audited(path, today=TODAY).problems
    assert (problem.row, problem.column) == (3, "City")
    assert "merged" in problem.why


def test_a_title_merged_over_columns_and_notes_beside_the_list_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    title = ["Audits 2026"]
    path.write_bytes(workbook(title, [], HEADER, GOOD, [*changed(), "", "call them"], change=merge("A1:F1")))
    preview = read_audited(path, today=TODAY)
    assert ([row for row, _ in preview.rows], preview.problems) == ([4, 5], [])


def test_hidden_sheets_are_not_read_and_one_can_be_named(tmp_path: Path) -> None:
    def hide(book: openpyxl.Workbook) -> None:
        second_sheet(book)
        book["2025"].sheet_state = "hidden"

    path = tmp_path / "list.xlsx"
    path.write_bytes(workbook(HEADER, GOOD, changed(), change=hide))
    assert "'List'" in read_audited(path, today=TODAY).understood
    path.write_bytes(workbook(HEADER, GOOD, changed(), change=second_sheet))
    assert len(read_audited(path, today=TODAY, sheet="2025").rows) == 1
    with pytest.raises(ListError, match="no sheet '2024', only: List, 2025"):
        read_audited(path, today=TODAY, sheet="2024")


def test_a_sheet_of_a_csv_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="has no sheets"):
        read(tmp_path, "csv", [HEADER, GOOD], sheet="List")


SPELLINGS: dict[str, tuple[bytes, str]] = {
    "semicolons": (csv_text(HEADER, GOOD, separator=";").encode(), "UTF-8, separated by semicolon"),
    "tabs": (csv_text(HEADER, GOOD, separator="\t").encode(), "UTF-8, separated by tab"),
    "bars": (csv_text(HEADER, GOOD, separator="|").encode(), "UTF-8, separated by bar"),
    "a byte order mark": (csv_text(HEADER, GOOD).encode("utf-8-sig"), "UTF-8, separated by comma"),
    "UTF-16": (csv_text(HEADER, GOOD, separator="\t").encode("utf-16"), "UTF-16, separated by tab"),
    "UTF-16 without a mark": (csv_text(HEADER, GOOD).encode("utf-16-le"), "UTF-16, separated by comma"),
    "UTF-16, the big end first": (csv_text(HEADER, GOOD).encode("utf-16-be"), "UTF-16, separated by comma"),
    "Windows line ends": (csv_text(HEADER, GOOD).replace("\n", "\r\n").encode(), "UTF-8, separated by comma"),
    "old Macintosh line ends": (csv_text(HEADER, GOOD).replace("\n", "\r").encode(), "UTF-8, separated by comma"),
    "no line end at the end": (csv_text(HEADER, GOOD).strip().encode(), "UTF-8, separated by comma"),
}


@pytest.mark.parametrize("how", SPELLINGS)
def test_the_same_list_in_many_spellings_gives_the_same_rows(how: str, tmp_path: Path) -> None:
    data, understood = SPELLINGS[how]
    path = tmp_path / "list.csv"
    path.write_bytes(data)
    preview = read_audited(path, today=TODAY)
    assert (preview.understood, preview.problems) == (f"CSV, {understood}", [])
    ((row, record),) = preview.rows
    assert (row, record.site.name, record.site.postcode, record.audit_date) == (2, GOOD[0], "87435", date(2026, 3, 4))


@pytest.mark.parametrize(("encoding", "shown"), [("utf-8", "UTF-8"), ("cp1252", "Windows-1252"), ("utf-16", "UTF-16")])
def test_umlauts_survive_the_usual_encodings(encoding: str, shown: str, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(
        csv_text(HEADER, changed(supplier_name="Käserei Süß & Fils, Orléans".replace(",", ""))).encode(encoding)
    )
    preview = read_audited(path, today=TODAY)
    assert shown in preview.understood
    assert preview.rows[0][1].site.name == "Käserei Süß & Fils Orléans"


def test_line_breaks_of_every_kind_inside_cells_keep_rows_and_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    row = ",".join(['"Molkerei\nAlpenblick"', '"Hof\u2028 1\x0b"', *GOOD[2:]])
    bad = ",".join(changed(audit_date="never"))
    path.write_text(csv_text(HEADER) + row + "\n\n" + bad + "\n", newline="")
    preview = read_audited(path, today=TODAY)
    assert preview.rows[0][1].site.name == "Molkerei Alpenblick"
    # A spreadsheet program shows the bad row as row 4, whatever line of the file it stands in.
    assert [(problem.row, problem.column) for problem in preview.problems] == [(4, "Audit date")]


def test_serial_numbers_are_dates(tmp_path: Path) -> None:
    preview = read(
        tmp_path, "xlsx", [HEADER, changed(audit_date=46085), changed(audit_date=datetime.datetime(2026, 3, 5, 9))]
    )
    assert [record.audit_date for _, record in preview.rows] == [date(2026, 3, 4), date(2026, 3, 5)]


def test_an_assessment_that_expired_before_it_was_made_is_named(tmp_path: Path) -> None:
    preview = read(tmp_path, "csv", [[*HEADER, "Valid until"], [*changed(), "2025-01-01"]])
    assert [(p.row, p.column) for p in preview.problems] == [(2, "Valid until")]


def test_old_rows_and_repeated_rows_are_counted_and_left_out(tmp_path: Path) -> None:
    old, edge = changed(audit_date="2023-11-24"), changed(audit_date="2023-11-25")
    preview = read(tmp_path, "csv", [HEADER, GOOD, GOOD, old, edge])
    assert ([row for row, _ in preview.rows], preview.too_old, preview.duplicates) == ([2, 5], [4], [3])
    only_old = read(tmp_path, "csv", [HEADER, old])
    with pytest.raises(ListError, match=r"list\.csv has no row to use, 1 are older than 3 years"):
        only_old.raise_for_errors()


def test_a_row_with_more_cells_than_the_header_is_named(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(csv_text(HEADER, [SECRET, "Nord", *GOOD[1:], "x"]))
    assert "whole row" in {problem.column for problem in read_audited(path, today=TODAY).problems}


def test_a_folder_a_pipe_and_nothing_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for name, message in (("", "is a folder"), ("pipe.csv", "pipe or device"), ("none.csv", "does not exist")):
        with pytest.raises(ListError, match=message):
            read_planned(tmp_path / name)
    with pytest.raises(ListError, match="pipe or device"):
        read_planned("/dev/null")


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.csv"
    path.write_text("Name\nx\n")

    def refuse(self: Path, *arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything
    with pytest.raises(ListError, match=r"list\.csv cannot be read: Permission denied"):
        read_planned(path)


def test_a_list_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.csv"
    path.write_text(csv_text(HEADER, GOOD))
    parse = list_cells._csv

    def slow(name: str, data: bytes) -> list_cells.Table:
        path.write_text(csv_text(HEADER, changed()))
        return parse(name, data)

    monkeypatch.setattr(list_cells, "_csv", slow)
    with pytest.raises(ListError, match=r"list\.csv changed while it was read"):
        read_audited(path, today=TODAY)


def test_a_list_that_another_program_keeps_writing_is_never_half_old_half_new(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    versions = [
        csv_text(HEADER, *[changed(supplier_name=f"{name} {i}") for i in range(300)]) for name in ("Old", "New")
    ]
    path.write_text(versions[0])
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for version in versions:
                path.write_text(version)
            time.sleep(0.001)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(30):
            try:
                preview = read_audited(path, today=TODAY)
            except ListError:
                continue
            names = {record.site.name.split()[0] for _, record in preview.rows}
            assert len(names) == 1 and not preview.problems
    finally:
        stop.set()
        writer.join()


def test_a_long_list_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(csv_text(HEADER, *[changed(supplier_name=f"Molkerei {i}") for i in range(20_000)]))
    assert len(read_audited(path, today=TODAY).rows) == 20_000


def test_plans_get_an_identifier_and_keep_it(tmp_path: Path) -> None:
    path = tmp_path / "plans.csv"
    path.write_text("Plan ID,Supplier name\nA,Molkerei\n,Mühle\nA,Brauhaus\n", encoding="utf-8")
    preview = read_planned(path)
    assert [(row, plan.plan_id) for row, plan in preview.rows] == [(2, "A"), (3, "row 3")]
    assert [(p.row, p.column) for p in preview.problems if p.severity == "error"] == [(4, "Plan ID")]
    assert "row 2" in next(p.why for p in preview.problems if p.severity == "error")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([".csv", ".xlsx", ".txt"]))
def test_any_bytes_are_a_list_or_a_list_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("any") / f"list{suffix}"
    path.write_bytes(data)
    try:
        read_audited(path, today=TODAY)
    except ListError as error:
        assert path.name in str(error)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_workbook_with_any_byte_changed_is_a_list_or_a_list_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    octets = bytearray(PLAIN)
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("any") / "list.xlsx"
    path.write_bytes(octets)
    try:
        read_audited(path, today=TODAY)
    except ListError as error:
        assert path.name in str(error)


def test_the_password_protected_file_is_a_real_one() -> None:
    book = msoffcrypto.OfficeFile(io.BytesIO(locked(PLAIN)))
    assert book.is_encrypted()
    assert list_workbook._ENCRYPTED in locked(PLAIN)
