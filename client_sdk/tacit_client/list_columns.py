"""Which column of a list is which field: by usual names in any order and several languages, or as the user says."""

from __future__ import annotations

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


def parse_columns(text: str | None) -> dict[str, str] | None:
    """Read ``name=Lieferant,city=Ort``; raises :class:`ListError` for an unknown field."""
    if not text:
        return None
    mapping = {}
    for part in text.split(","):
        name, equals, header = part.partition("=")
        name = name.strip().lower().replace(" ", "_")
        if not equals or not header.strip():
            raise ListError('--columns takes pairs such as "name=Lieferant,city=Ort"')
        if name not in COLUMNS:
            raise ListError(f"--columns: no field is called {name!r}; the fields are {', '.join(COLUMNS)}")
        mapping[name] = header.strip()
    return mapping


def find_header(
    file: str, tables: Sequence[Table], required: Sequence[str], columns: Mapping[str, str] | None
) -> tuple[Table, Header]:
    """Return the sheet and header row that name the most fields; raises :class:`ListError` when a column is missing."""
    best: tuple[int, Table, Header] | None = None
    for table in tables:
        for number, cells in table.rows[:HEADER_WITHIN]:
            header = _header(file, number, cells, columns)
            score = len(header.columns) + 10 * sum(name in header.columns for name in required)
            if best is None or score > best[0]:
                best = (score, table, header)
    if best is None:
        raise ListError(f"{file} has no rows: check that it is the right file and sheet")
    _, table, header = best
    missing = [name for name in required if name not in header.columns]
    if missing:
        wanted = "; ".join(f"{name.replace('_', ' ')} (such as {COLUMNS[name][0]!r})" for name in missing)
        raise ListError(
            f"{file}, {table.understood}, row {header.row}: no column for {wanted}. Rename the column or map it, for "
            f'example --columns "{missing[0]}=YOUR HEADER"'
        )
    return table, header


def body(table: Table, header: Header) -> list[Row]:
    """Return the rows below the header."""
    return [row for row in table.rows if row[0] > header.row]


def _header(file: str, number: int, cells: Sequence[Cell], columns: Mapping[str, str] | None) -> Header:
    texts = [text_of(cell) for cell in cells]
    found: dict[str, int] = {}
    wanted = {_plain(header): name for name, header in (columns or {}).items()}
    for position, text in enumerate(texts):
        name = wanted.get(_plain(text)) or (_KNOWN.get(_plain(text)) if text else None)
        if name is None or (name in (columns or {}) and _plain(text) not in wanted):
            continue
        if name in found:
            raise ListError(
                f"{file}, row {number}: the columns {texts[found[name]]!r} and {text!r} both look like "
                f'{name.replace("_", " ")}; say which with --columns "{name}=..."'
            )
        found[name] = position
    names = {name: texts[position] for name, position in found.items()}
    rest = tuple(text for position, text in enumerate(texts) if text and position not in found.values())
    width = max((i + 1 for i, text in enumerate(texts) if text), default=0)
    return Header(number, found, names, rest, width)
