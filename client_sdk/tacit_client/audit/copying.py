"""An auditor's own copy of the log: what was shown once must be shown again, or both versions are kept as evidence.

The copy holds the log's files as they are. A full tile never changes, so each is fetched once; were the log rewritten,
the old tiles would not lead to the new checkpoint, and then everything is fetched anew into ``contradicting/``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from tacit_client.audit.findings import FINDING, UNCHECKED, Report
from tacit_client.audit.sources import CHECKPOINT, LOG, FolderSource, index_path, list_path
from tacit_client.audit.verifying import first_key
from tacit_client.errors import PartyUnavailable, Refused
from tacit_client.parties import Secretariat
from tacit_client.vault import write_atomically
from tacit_protocol import checkpoint as notes
from tacit_protocol import following, handover, merkle, messages, tiles
from tacit_protocol.board import Board
from tacit_protocol.checkpoint import Checkpoint, Note
from tacit_protocol.errors import EncodingError, IndexFileError
from tacit_protocol.messages import BoardEntry, Handover, IndexRoot
from tacit_protocol.tiles import TileName

CONSISTENCY = "one history"
_LIMIT = (tiles.MAX_ENTRY_BYTES + 2) * tiles.WIDTH


def update(folder: Path, secretariat: Secretariat, report: Report, log_key: bytes | None) -> FolderSource:
    """Bring the copy in ``folder`` up to the log's present checkpoint and return what is to be verified.

    A log that contradicts the copy is a finding; both halves are put into an evidence file beside it.
    """
    shown = notes.decode_note(_get(secretariat, CHECKPOINT), "secretariat")
    head = notes.decode_checkpoint(shown.text, "secretariat")
    held = FolderSource(folder).note() if (folder / LOG / CHECKPOINT).is_file() else None
    report.checked(CONSISTENCY)
    if held is None:
        _fetch(folder, secretariat, shown, head, keep_full=True)
        return FolderSource(folder, secretariat.url)
    before = notes.decode_checkpoint(held.text, "secretariat")
    old = _tree(folder, before.size)
    if head.size <= before.size and old.root(head.size) == head.root:
        if head.size < before.size:
            text = f"the log is shown with {head.size} entries, {before.size} were shown before: ask again later"
            report.add(UNCHECKED, CONSISTENCY, text, "secretariat")
        else:
            write_atomically(folder / LOG / CHECKPOINT, shown.encode())  # newer cosignatures
        return FolderSource(folder, secretariat.url)
    if head.size > before.size:
        hidden = _fetch(folder, secretariat, shown, head, keep_full=True, publish=False)
        if hidden:
            text = f"the log of {head.size} entries does not show its file {hidden[0].path()}"
            report.add(FINDING, CONSISTENCY, text, "secretariat")
            return FolderSource(folder, secretariat.url)
        new = _tree(folder, head.size)
        if new.root() == head.root and new.root(before.size) == before.root:
            write_atomically(folder / LOG / CHECKPOINT, shown.encode())
            return FolderSource(folder, secretariat.url)
    return _contradicted(folder, secretariat, report, held, shown, log_key)


def wait_for(secretariat: Secretariat, size: int, seconds: float) -> bool:
    """Wait until the log's checkpoint covers ``size`` entries; returns False when it does not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        note = notes.decode_note(_get(secretariat, CHECKPOINT), "secretariat")
        if notes.decode_checkpoint(note.text, "secretariat").size >= size:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)


def add_indexes(source: FolderSource, secretariat: Secretariat, roots: list[IndexRoot]) -> None:
    """Fetch the published indexes that the copy lacks; what is refused is left out, and the verification says so."""
    for root in roots:
        path = index_path(source.folder, root)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            secretariat.download_index(root, path, lambda _: None)
        except (Refused, IndexFileError):
            path.unlink(missing_ok=True)


def add_lists(source: FolderSource, secretariat: Secretariat, handovers: list[Handover]) -> None:
    """Fetch the lists of hand-overs that the copy lacks; the source remembers those that the secretariat lacks too.

    A list that is there is fetched again if it is not the signed one, because the copy may be damaged.
    """
    for each in handovers:
        held = source.handover_list(each)
        if held is not None and handover.is_signed(each, held):
            continue
        path = list_path(source.folder, each)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_atomically(path, secretariat.handover_list(each))
        except Refused as error:
            path.unlink(missing_ok=True)
            if error.evidence.get("status") == 404:
                source.withheld.add((each.epoch, each.stream, each.window))


def _contradicted(
    folder: Path, secretariat: Secretariat, report: Report, held: Note, shown: Note, log_key: bytes | None
) -> FolderSource:
    """Fetch the other history whole, and keep both checkpoints and the first entry in which they differ."""
    aside = folder / "contradicting"
    head, before = (notes.decode_checkpoint(note.text, "secretariat") for note in (shown, held))
    _fetch(aside, secretariat, shown, head, keep_full=False)
    first = next(FolderSource(folder).entries(), None)
    board = Board(log_key or (first_key(first) if isinstance(first, BoardEntry) else bytes(32)))
    for leaf in _leaves(folder, before.size):
        board.step_over(merkle.leaf_hash(leaf))
    theirs = (messages.decode_leaf(leaf) for leaf in _leaves(aside, head.size))
    ours = (messages.decode_leaf(leaf) for leaf in _leaves(folder, before.size))
    try:
        file = following.find_fork(board, held, ours, shown, _whole(theirs))
        name = f"fork-{before.size}-{head.size}.json"
        (folder / "evidence").mkdir(exist_ok=True)
        write_atomically(folder / "evidence" / name, messages.encode(file))
        entry, kept = file.entry, f"evidence/{name} holds both halves: judge it with 'tacit audit evidence'"
    except EncodingError as error:
        entry, kept = None, f"what it shows now cannot even be read: {error.message}"
    text = (
        f"the secretariat's checkpoint of {head.size} entries contradicts the one of {before.size} shown before; {kept}"
    )
    report.add(FINDING, CONSISTENCY, text, "secretariat", entry=entry)
    return FolderSource(aside, secretariat.url)


def _whole(entries: Iterator[BoardEntry]) -> Iterator[BoardEntry]:
    return iter(list(entries))  # read before anything is built on it: it may end in an error


def _fetch(
    folder: Path, secretariat: Secretariat, shown: Note, head: Checkpoint, *, keep_full: bool, publish: bool = True
) -> list[TileName]:
    """Fetch the files of a log and return those that it refuses; full tiles that are there already are kept.

    The checkpoint is written last.
    """
    hidden = []
    for name in tiles.grown(0, head.size):
        path = folder / LOG / name.path()
        if keep_full and name.width == tiles.WIDTH and path.is_file():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_atomically(path, _file(secretariat, name))
        except Refused:
            path.unlink(missing_ok=True)
            hidden.append(name)
    if publish:
        (folder / LOG).mkdir(parents=True, exist_ok=True)
        write_atomically(folder / LOG / CHECKPOINT, shown.encode())
    return hidden


def _file(secretariat: Secretariat, name: TileName) -> bytes:
    """Fetch a tile or bundle; a partial one that the log has dropped is cut out of the full one in its place."""
    try:
        return _get(secretariat, name.path())
    except Refused:
        if name.width == tiles.WIDTH:
            raise
    full = _get(secretariat, TileName(name.level, name.index).path())
    if name.level is not None:
        return full[: merkle.HASH_BYTES * name.width]
    return tiles.encode_bundle(tiles.decode_bundle(full, tiles.WIDTH)[: name.width])


def _get(secretariat: Secretariat, path: str) -> bytes:
    return secretariat.transport.request("secretariat", "GET", f"{secretariat.url}/log/{path}", limit=_LIMIT)


def _leaves(folder: Path, size: int) -> Iterator[bytes]:
    for name in tiles.grown(0, size):
        if name.level is None:
            yield from tiles.decode_bundle(_read(folder, name, size), name.width)


def _read(folder: Path, name: TileName, size: int) -> bytes:
    """Return a bundle; one that was partial when it was fetched may since have become a wider one."""
    path = folder / LOG / name.path()
    if path.is_file():
        return path.read_bytes()
    raise PartyUnavailable(
        f"the copy of the log lacks {name.path()} of its {size} entries: remove the copy and try again"
    )


def _tree(folder: Path, size: int) -> merkle.Tree:
    tree = merkle.Tree()
    for leaf in _leaves(folder, size):
        tree.append(merkle.leaf_hash(leaf))
    return tree
