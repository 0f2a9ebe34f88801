"""Which column is which field: usual names in any order and language, or as the member says."""

from __future__ import annotations

import pytest

from tacit_client.list_cells import ListError, Table
from tacit_client.list_columns import Header, find_header, parse_columns
from tacit_matcher.records import COLUMNS


def header(*rows: list[str], required: tuple[str, ...] = ("name",), columns: dict[str, str] | None = None) -> Header:
    table = Table("CSV", [(number, list(row)) for number, row in enumerate(rows, 1)])
    return find_header("list.csv", [table], required, columns)[1]


def test_every_known_header_is_recognised_however_it_is_written() -> None:
    for name, headers in COLUMNS.items():
        for one in headers:
            for spelling in (one, one.upper(), f" {one}: ", one.replace(" ", "_")):
                assert header([spelling], required=(name,)).columns == {name: 0}, spelling


def test_no_header_belongs_to_two_fields() -> None:
    seen: dict[str, str] = {}
    for name, headers in COLUMNS.items():
        for one in headers:
            assert seen.setdefault(one.casefold(), name) == name


def test_columns_come_in_any_order_and_unknown_ones_are_reported() -> None:
    found = header(["Remark", "PLZ", "Ort", "Lieferant", "Umsatz"])
    assert found.columns == {"postcode": 1, "city": 2, "name": 3}
    assert found.names["name"] == "Lieferant"
    assert found.unrecognised == ("Remark", "Umsatz")


def test_a_title_above_the_header_is_passed_over() -> None:
    found = header(
        ["Audits of 2026"], ["as of November", "City"], ["Supplier", "City", "Country"], ["Nestor", "Ulm", "DE"]
    )
    assert found.row == 3


def test_a_row_of_data_that_looks_like_two_headers_is_no_problem() -> None:
    found = header(["Supplier", "City", "Country"], ["Standort", "Ort", "Stadt"])
    assert (found.row, found.twice) == (1, "")


def test_a_missing_column_is_named_with_an_example() -> None:
    with pytest.raises(ListError, match=r"list\.csv, CSV, row 1: no column for name .*--columns \"name=YOUR HEADER\""):
        header(["City", "Country"])


def test_two_columns_for_one_field_are_refused_unless_one_is_named() -> None:
    with pytest.raises(ListError, match="the columns 1 and 2 both look like name"):
        header(["Supplier name", "Site name"])
    found = header(["Supplier name", "Site name"], columns={"name": "Site name"})
    assert found.columns == {"name": 1}


def test_a_mapped_header_that_is_not_there_is_an_error_not_a_guess() -> None:
    with pytest.raises(ListError, match="no column is headed 'Otr', which --columns names as city"):
        header(["Name", "Ort"], columns={"city": "Otr"})


def test_pairs_of_columns_are_read() -> None:
    assert parse_columns(None) is None
    assert parse_columns("  ") is None
    assert parse_columns("name=Lieferant, City = Ort") == {"name": "Lieferant", "city": "Ort"}
    assert parse_columns('"name=Supplier, full name",city=Ort') == {"name": "Supplier, full name", "city": "Ort"}
    assert parse_columns("audit date=Tag") == {"audit_date": "Tag"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name", "takes pairs"),
        ("name=", "takes pairs"),
        ("=Ort", "no field is called ''"),
        ("town=Ort", "no field is called"),
        ("name=A,name=B", "named twice"),
        ("name=A,city=a", "named twice"),
        ("name=A,,", "takes pairs"),
    ],
)
def test_pairs_that_make_no_sense_are_refused(text: str, message: str) -> None:
    with pytest.raises(ListError, match=message):
        parse_columns(text)
