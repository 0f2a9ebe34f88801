"""Cells as values: text as typed, dates in every usual form, and cells that cannot be used."""

from __future__ import annotations

import contextlib
import datetime
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit_client.list_values import (
    FAILED_FORMULA,
    MAX_TEXT,
    MERGED,
    TO_DO,
    TOO_LONG,
    DateError,
    date_of,
    day_first,
    fault_of,
    is_blank,
    text_of,
)

FOURTH_OF_MARCH = date(2026, 3, 4)


@pytest.mark.parametrize(
    "cell",
    [
        "2026-03-04", "2026/3/4", "2026.03.04", "2026-03-04T10:00:00Z", "2026-03-04 10:00", "04.03.2026", "4.3.26",
        "04/03/2026", "4-3-2026", "4 March 2026", "4. März 2026", "4 mars 2026", "4 de marzo de 2026", "4 marca 2026",
        "March 4, 2026", "Mar 4 2026", "4-Mar-2026", " 04/03/2026 ", "20260304", 20260304.0, 46085, 46085.7, "46085",
        FOURTH_OF_MARCH, datetime.datetime(2026, 3, 4, 23, 59),
    ],
)  # fmt: skip
def test_dates_in_every_usual_form(cell: object) -> None:
    assert date_of(cell, True) == FOURTH_OF_MARCH  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "cell",
    [
        "", "soon", "2026-13-01", "2026-02-30", "31.02.2026", "32/01/2026", "2026", "Q1 2026", "4 Foo 2026", "1", True,
        12.0, 99999, -1.0, float("nan"), float("inf"), 20261301, datetime.time(1), datetime.timedelta(days=1),
        "0000-00-00", "9999999999", "٣٤",
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused_without_being_repeated(cell: object) -> None:
    with pytest.raises(DateError) as caught:
        date_of(cell, True)  # type: ignore[arg-type]
    if len(str(cell)) > 3:
        assert str(cell) not in str(caught.value)


def test_a_column_tells_which_of_two_numbers_is_the_day() -> None:
    assert day_first(["03/04/2026", "25/12/2025"]) is True
    assert day_first(["03/04/2026", "12/25/2025"]) is False
    assert day_first(["03.04.2026"]) is True
    assert day_first(["03/04/2026", 46085, date(2026, 1, 1)]) is None
    assert day_first(["25/12/2025", "12/25/2025"]) is None


def test_where_the_column_does_not_tell_only_clear_dates_are_taken() -> None:
    with pytest.raises(DateError, match="told apart"):
        date_of("03/04/2026", None)
    assert date_of("25/12/2025", None) == date_of("12/25/2025", None) == date(2025, 12, 25)
    assert date_of("04/04/2026", None) == date(2026, 4, 4)
    assert date_of("03/04/2026", False) == FOURTH_OF_MARCH


@given(st.dates(date(1990, 1, 1), date(2119, 1, 1)))
def test_a_date_comes_back_from_its_serial_number_and_its_spellings(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    assert date_of(serial, None) == date_of(float(serial), None) == date_of(day.isoformat(), None) == day
    assert date_of(f"{day:%d.%m.%Y}", True) == date_of(f"{day:%m/%d/%Y}", False) == day


@given(st.text(max_size=40) | st.floats() | st.integers() | st.booleans(), st.sampled_from([True, False, None]))
def test_any_cell_is_a_date_or_a_date_error(cell: object, hint: bool | None) -> None:
    with contextlib.suppress(DateError):
        assert isinstance(date_of(cell, hint), date)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (1067.0, "1067"),
        (4012345000009.0, "4012345000009"),
        (1.5, "1.5"),
        (3, "3"),
        (True, "True"),
        ("  a \n b ", "a b"),
        (datetime.datetime(2026, 3, 4), "2026-03-04"),
        (date(2026, 3, 4), "2026-03-04"),
        ("", ""),
        (float("inf"), "inf"),
    ],
)
def test_cells_as_text(cell: object, text: str) -> None:
    assert text_of(cell) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "cell", ["=A1", " =SUM(A1:A2)", '="007"', "#N/A", "#REF!", "#DIV/0!", "#NAME?", FAILED_FORMULA]
)
def test_formulas_and_their_errors_are_told(cell: str) -> None:
    assert fault_of(cell) == FAILED_FORMULA


@pytest.mark.parametrize("cell", ["", "a = b", "#1 Factory", "# 12", 1.0, date(2026, 1, 1), "-", "@home", "a\tb\nc"])
def test_what_only_looks_like_a_formula_is_text(cell: object) -> None:
    assert fault_of(cell) is None  # type: ignore[arg-type]


def test_a_cell_without_end_and_one_that_drives_terminals_are_told() -> None:
    assert fault_of("x" * (MAX_TEXT + 1)) == TOO_LONG
    assert fault_of("x" * MAX_TEXT) is None
    assert fault_of("a\x1b[2Jb") == fault_of("a\x9bb") == fault_of("a\0b") != None  # noqa: E711


def test_every_fault_says_what_to_do() -> None:
    assert all(TO_DO.values())
    assert {fault_of(MERGED), fault_of("=x"), fault_of("\x07"), fault_of("x" * 2000)} == set(TO_DO)


def test_blank_cells() -> None:
    assert is_blank("") and is_blank(" \n\u00a0")
    assert not is_blank(0) and not is_blank(MERGED) and not is_blank(False)
