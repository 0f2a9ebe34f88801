"""Read an XLSX workbook: sheets, cells, and what a spreadsheet program would show as an error.

A workbook is a foreign archive. Before the reader sees it, everything in it is unpacked once and counted: a few
kilobytes can unpack to gigabytes, and one cell in the last row and column makes a reader allocate the whole grid.
The reader returns formulas that failed or were never computed as empty cells; they are looked for here and marked,
so that they do not pass as "nothing known".
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from xml.etree import ElementTree

import python_calamine

from tacit_client.list_cells import MAX_ROWS, Cell, ListError, Row, Table, too_many_rows
from tacit_client.list_values import FAILED_FORMULA, MERGED, is_blank

MAX_UNPACKED = 1 << 28  # 256 MiB
MAX_CELLS = 10_000_000  # of the grid that spans all cells with content
_PART_LIMIT = 1 << 20
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_LOCAL_HEADER = 30
_REF = rb'[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"'
_CELL = rb"<(?:\w+:)?c(?=\s)"
_OPEN = rb"[^>]*?(?<!/)>"
_FORMULA = rb"\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)"
_NO_VALUE = rb"\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
_FILLED = re.compile(_CELL + _REF + _OPEN)
_ERROR_CELL = re.compile(_CELL + rb'(?=[^>]*?\bt="e")' + _REF)
_UNCOMPUTED = re.compile(_CELL + rb'(?![^>]*?\bt="str")' + _REF + _OPEN + _FORMULA + _NO_VALUE)


def read_workbook(name: str, data: bytes, sheet: str | None) -> list[Table]:
    """Return the visible sheets, or the one named; raises :class:`ListError` that names file and sheet."""
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise ListError(f"{name} is protected with a password: save a copy without one and use that")
        raise ListError(f"{name} is an old workbook with a new ending: save it again as .xlsx")
    try:
        parts = _unpack(name, data)
        with python_calamine.load_workbook(io.BytesIO(data)) as workbook:
            return [_table(name, workbook, each, parts) for each in _chosen(name, workbook, sheet)]
    except ListError:
        raise
    except python_calamine.PasswordError:
        raise ListError(f"{name} is protected with a password: save a copy without one and use that") from None
    except Exception as error:  # calamine raises its own errors and, for broken archives, others
        raise ListError(
            f"{name} cannot be read as a workbook ({type(error).__name__}): open it in a spreadsheet program and save "
            "it again as .xlsx"
        ) from None


def _chosen(name: str, workbook: python_calamine.CalamineWorkbook, sheet: str | None) -> list[str]:
    if sheet is not None and sheet not in workbook.sheet_names:
        raise ListError(f"{name} has no sheet {sheet!r}, only: {', '.join(workbook.sheet_names)}")
    visible = [
        each.name
        for each in workbook.sheets_metadata
        if each.visible is python_calamine.SheetVisibleEnum.Visible
        and each.typ is python_calamine.SheetTypeEnum.WorkSheet
    ]
    return [sheet] if sheet is not None else visible


def _table(name: str, workbook: python_calamine.CalamineWorkbook, title: str, parts: dict[str, bytes]) -> Table:
    xml = parts.get(title, b"")
    _verify_grid(name, title, xml)
    sheet = workbook.get_sheet_by_name(title)
    if sheet.total_height > MAX_ROWS + 1:
        raise too_many_rows(f"{name}, sheet {title!r},")
    grid: list[list[Cell]] = [list(cells) for cells in sheet.to_python(skip_empty_area=False)]
    for row, column in _failed(xml):
        if row < len(grid) and column < len(grid[row]):
            grid[row][column] = FAILED_FORMULA
    for (top, left), (bottom, _) in sheet.merged_cell_ranges or ():
        # Only the first cell of a merged block has a value: the rows below it would silently lack theirs.
        for row in range(top + 1, min(bottom + 1, len(grid))):
            if left < len(grid[row]) and any(not is_blank(cell) for cell in grid[row]):
                grid[row][left] = MERGED
    rows: list[Row] = [
        (number, cells) for number, cells in enumerate(grid, start=1) if any(not is_blank(cell) for cell in cells)
    ]
    return Table(f"workbook, sheet {title!r}", rows, title)


def _verify_grid(name: str, title: str, xml: bytes) -> None:
    columns, height = set[bytes](), 0
    for match in _FILLED.finditer(xml):
        columns.add(match[1])
        height = max(height, int(match[2]))
    width = max((_column(letters) + 1 for letters in columns), default=0)
    if height > MAX_ROWS + 1:
        raise too_many_rows(f"{name}, sheet {title!r},")
    if width * height > MAX_CELLS:
        raise ListError(f"{name}, sheet {title!r}: it reaches to column {width:,}; delete what stands outside the list")


def _failed(xml: bytes) -> Iterator[tuple[int, int]]:
    for pattern in (_ERROR_CELL, _UNCOMPUTED):
        for match in pattern.finditer(xml):
            yield int(match[2]) - 1, _column(match[1])


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number - 1


def _unpack(name: str, data: bytes) -> dict[str, bytes]:
    """Unpack every member of the archive and count; return the XML of each sheet by the sheet's title."""
    room, wanted = MAX_UNPACKED, {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            size, content = _inflate(data, member, room, keep=member.filename.endswith((".xml", ".rels")))
            room -= size
            if room < 0:
                raise ListError(f"{name} unpacks to more than {MAX_UNPACKED >> 20} MiB: split the list")
            wanted[member.filename] = content
    targets = {
        node.get("Id", ""): posixpath.normpath(posixpath.join("/xl", node.get("Target", "")))[1:]
        for node in _xml(wanted.get("xl/_rels/workbook.xml.rels", b"")).iter()
    }
    sheets = {}
    for node in _xml(wanted.get("xl/workbook.xml", b"")).iter():
        if node.tag.endswith("}sheet"):
            relation = next((value for key, value in node.attrib.items() if key.endswith("}id")), "")
            sheets[node.get("name", "")] = wanted.get(targets.get(relation, ""), b"")
    return sheets


def _xml(part: bytes) -> ElementTree.Element:
    if not part or len(part) > _PART_LIMIT or b"<!DOCTYPE" in part:
        raise zipfile.BadZipFile("no workbook part")
    return ElementTree.fromstring(part)  # noqa: S314  (small, and without a document type no entity expands)


def _inflate(data: bytes, member: zipfile.ZipInfo, room: int, *, keep: bool) -> tuple[int, bytes]:
    """Return how much a member unpacks to, at most ``room`` + 1, and its content; its own word on it is not trusted."""
    at = member.header_offset + _LOCAL_HEADER
    lengths = data[at - 4 : at]
    at += int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
    packed = memoryview(data)[at : at + member.compress_size]
    if member.compress_type == zipfile.ZIP_STORED:
        return len(packed), bytes(packed) if keep else b""
    if member.compress_type != zipfile.ZIP_DEFLATED or member.flag_bits & 1:
        raise zipfile.BadZipFile("not packed as a workbook is")
    engine, pieces, size = zlib.decompressobj(-15), [], 0
    piece = engine.decompress(packed, 1 << 20)
    while piece and size <= room:
        size += len(piece)
        if keep:
            pieces.append(piece)
        piece = engine.decompress(engine.unconsumed_tail, 1 << 20)
    return size, b"".join(pieces)
