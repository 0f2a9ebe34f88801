"""Which column of a list is which field: by usual names in any order and several languages, or as the user says."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anyascii import anyascii

from tacit_client.list_cells import Cell, ListError, Row, Table
from tacit_client.list_values import text_of
from tacit_matcher.records import COLUMNS

HEADER_WITHIN = 25  # rows of title above the header at most


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", anyascii(text).lower())


_KNOWN = {_plain(header): name for name, headers in COLUMNS.items() for header in (*headers, name)}


@dataclass(frozen=True, slots=True)
class Header:
    """The header row: its number, the column of each recognised field, and what was not recognised."""

    row: int
    columns: Mapping[str, int]
    names: Mapping[str, str]
    unrecognised: tuple[str, ...]
    width: int
    twice: str = ""  # what is wrong when two columns look like the same field


def parse_columns(text: str | None) -> dict[str, str] | None:
    """Read ``name=Lieferant,city=Ort``; a pair with a comma in its header stands in quotation marks.

    Raises :class:`ListError` for an unknown field, and for a field or header that is named twice.
    """
    if not text or not text.strip():
        return None
    mapping: dict[str, str] = {}
    for part in next(csv.reader([text], skipinitialspace=True)):
        name, equals, header = part.partition("=")
        name = name.strip().lower().replace(" ", "_")
        if not equals or not header.strip():
            raise ListError('--columns takes pairs such as "name=Lieferant,city=Ort"')
        if name not in COLUMNS:
            raise ListError(f"--columns: no field is called {name!r}; the fields are {', '.join(COLUMNS)}")
        if name in mapping or _plain(header) in map(_plain, mapping.values()):
            raise ListError(f"--columns: {name} or its header is named twice")
        mapping[name] = header.strip()
    return mapping


def find_header(
    file: str, tables: Sequence[Table], required: Sequence[str], columns: Mapping[str, str] | None
) -> tuple[Table, Header]:
    """Return the sheet and header row that name the most fields.

    Raises :class:`ListError` when a column is missing or there twice, and when several sheets look like a list: reading
    one of them only would leave out half a list without a word.
    """
    found = [(table, header) for table in tables if (header := _best_header(table, required, columns)) is not None]
    if not found:
        raise ListError(f"{file} has no rows: check that it is the right file and sheet")
    whole = [(table, header) for table, header in found if all(name in header.columns for name in required)]
    if len(whole) > 1:
        names = ", ".join(repr(table.sheet) for table, _ in whole)
        raise ListError(f"{file}: the sheets {names} all look like a list: say which with --sheet, one at a time")
    table, header = whole[0] if whole else max(found, key=lambda pair: _score(pair[1], required))
    if header.twice:
        raise ListError(f"{file}, row {header.row}: {header.twice}")
    _refuse_missing(f"{file}, {table.understood}, row {header.row}", header, required, columns)
    return table, header


def _refuse_missing(place: str, header: Header, required: Sequence[str], columns: Mapping[str, str] | None) -> None:
    unknown = [name for name in columns or {} if name not in header.columns]
    if unknown:
        raise ListError(
            f"{place}: no column is headed {(columns or {})[unknown[0]]!r}, which --columns names as {unknown[0]}"
        )
    missing = [name for name in required if name not in header.columns]
    if missing:
        wanted = "; ".join(f"{name.replace('_', ' ')} (such as {COLUMNS[name][0]!r})" for name in missing)
        raise ListError(
            f"{place}: no column for {wanted}. Rename the column or map it, for example "
            f'--columns "{missing[0]}=YOUR HEADER"'
        )


def _best_header(table: Table, required: Sequence[str], columns: Mapping[str, str] | None) -> Header | None:
    headers = [_header(number, cells, columns) for number, cells in table.rows[:HEADER_WITHIN]]
    return max(headers, key=lambda header: _score(header, required), default=None)  # the first of equals


def _score(header: Header, required: Sequence[str]) -> int:
    return len(header.columns) + 10 * sum(name in header.columns for name in required)


def body(table: Table, header: Header) -> list[Row]:
    """Return the rows below the header."""
    return [row for row in table.rows if row[0] > header.row]


def _header(number: int, cells: Sequence[Cell], columns: Mapping[str, str] | None) -> Header:
    texts = [text_of(cell) for cell in cells]
    found: dict[str, int] = {}
    twice = ""
    wanted = {_plain(header): name for name, header in (columns or {}).items()}
    for position, text in enumerate(texts):
        name = wanted.get(_plain(text)) or (_KNOWN.get(_plain(text)) if text else None)
        if name is None or (name in (columns or {}) and _plain(text) not in wanted):
            continue
        if name in found:
            twice = twice or (
                f"the columns {found[name] + 1} and {position + 1} both look like {name.replace('_', ' ')}; rename "
                f'one, or say which with --columns "{name}=..."'
            )
            continue
        found[name] = position
    names = {name: texts[position] for name, position in found.items()}
    rest = tuple(text for position, text in enumerate(texts) if text and position not in found.values())
    width = max((i + 1 for i, text in enumerate(texts) if text), default=0)
    return Header(number, found, names, rest, width, twice)
