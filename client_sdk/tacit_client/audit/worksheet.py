"""The worksheet by which a member explains opened keys: whether it buys there, and where that can be looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tacit_client.list_cells import ListError, read_file, read_tables
from tacit_client.list_writer import write_results

COLUMNS = (
    "No.", "Batch granted in entry", "Position", "Kind of key", "Key", "Why it is asked",
    "Purchase relation (yes, planned, no)", "Reference (order, contract, offer)", "Remark",
)  # fmt: skip
_YES = frozenset({"yes", "y", "planned", "ja", "geplant", "oui", "prévu", "sí", "si"})
_NO = frozenset({"no", "n", "nein", "non", ""})


@dataclass(frozen=True, slots=True)
class Row:
    """One opened key to be explained."""

    grant: int
    position: int
    label: str
    value: str
    why: str


def write(path: Path, rows: Sequence[Row], member: str, order: int) -> None:
    """Write the worksheet for the member to fill in."""
    about = {
        "Member": member,
        "Order": f"entry {order} of the log",
        "What to do": "Fill in the last three columns for every row and give the file back to the auditor.",
        "yes, planned": "You buy there or plan to: say in 'Reference' where the auditor can look that up.",
        "no": "You neither buy there nor plan to.",
        "Confidential": "This file names suppliers. It is between you and the auditor.",
    }
    cells = [
        dict(zip(COLUMNS, (i, row.grant, row.position, row.label, row.value, row.why), strict=False))
        for i, row in enumerate(rows, 1)
    ]
    write_results(path, cells, COLUMNS, about=about)


def read(path: Path) -> Mapping[tuple[int, int], bool]:
    """Return by (grant, position) whether the member explained the key: a relation, and a reference to look it up.

    Raises :class:`ListError` that names the row when an answer is neither yes nor no.
    """
    table = read_tables(read_file(path), None)[0]
    header, *rows = [(number, [_text(cell) for cell in cells]) for number, cells in table.rows]
    places = {name: header[1].index(name) for name in COLUMNS if name in header[1]}
    missing = [name for name in COLUMNS[1:3] + COLUMNS[6:8] if name not in places]
    if missing:
        raise ListError(f"{path.name} has no column {missing[0]!r}: use the worksheet that was handed out")
    answers = {}
    for number, cells in rows:
        padded = [*cells, *[""] * len(COLUMNS)]
        grant, position, relation, reference = (padded[places[name]] for name in COLUMNS[1:3] + COLUMNS[6:8])
        if not grant.isdecimal() or not position.isdecimal():
            raise ListError(f"{path.name}, row {number}: the batch or the position was changed")
        if relation.lower() not in _YES | _NO:
            raise ListError(f"{path.name}, row {number}, column {COLUMNS[6]!r}: write yes, planned or no")
        answers[int(grant), int(position)] = relation.lower() in _YES and bool(reference)
    return answers


def _text(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
