"""The log: from entries in the database to a checkpoint that the trustees have cosigned, as C2SP tlog-tiles files.

Order of writes, so that a crash at any point leaves nothing that has to be taken back:

1. the entry is committed to the database (:mod:`~tacit_server.secretariat.keeper`): the database is the truth;
2. the tiles and entry bundles of the new size are written, each whole or not at all;
3. the checkpoint is signed and kept in ``checkpoint.signed``, on disk before it leaves this process: whatever was
   signed once stays true;
4. the witnesses are asked for their cosignatures;
5. once enough have answered, ``log/checkpoint`` takes the place of the one before.

A start makes sure that the database still has the root that was signed last, compares every file with the database
and writes again what is missing or different, and goes on with step 3 or 4. No request waits for any of it but for
step 1; one checkpoint covers whatever was appended while the one before was under way.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from tacit_protocol import checkpoint as notes
from tacit_protocol import merkle, messages, tiles
from tacit_protocol.checkpoint import Checkpoint, Note
from tacit_protocol.errors import EncodingError, SignatureError
from tacit_protocol.tiles import TileName
from tacit_server.errors import ConfigurationError, NotFoundError
from tacit_server.files import write_atomically
from tacit_server.observing import log
from tacit_server.secretariat.keeper import Keeper
from tacit_server.secretariat.witnesses import Witnesses

POLL_SECONDS = 0.2  # between two looks for entries that the operator's commands appended


class LogFiles:
    """The files below ``log/``: any web server could hand them out as they are."""

    def __init__(self, home: Path) -> None:
        self._folder, self._signed = home / "log", home / "checkpoint.signed"

    def path(self, name: TileName) -> Path:
        """Return where a tile or bundle is kept."""
        return self._folder / name.path()

    def read(self, name: TileName) -> bytes:
        """Return a tile or bundle; raises :class:`NotFoundError`."""
        try:
            return self.path(name).read_bytes()
        except OSError:
            raise NotFoundError("the log has no such tile, or has the full one in its place") from None

    def write(self, name: TileName, content: bytes) -> None:
        """Write a tile or bundle. Not forced to disk: a start compares it with the database."""
        write_atomically(self.path(name), content, mode=0o644, durable=False)
        if name.width == tiles.WIDTH:
            self._drop_partial(name)

    def published(self) -> Note | None:
        """Return the checkpoint that others see."""
        return _read_note(self._folder / "checkpoint")

    def publish(self, note: Note) -> None:
        """Let others see a checkpoint."""
        write_atomically(self._folder / "checkpoint", note.encode(), mode=0o644)

    def signed(self) -> Note | None:
        """Return the checkpoint that was signed last."""
        return _read_note(self._signed)

    def keep_signed(self, note: Note) -> None:
        """Keep a checkpoint before it leaves."""
        write_atomically(self._signed, note.encode())

    def _drop_partial(self, name: TileName) -> None:
        # The specification lets them go once the full one is there.
        folder = self.path(TileName(name.level, name.index, 1)).parent
        if folder.is_dir():
            for partial in folder.iterdir():
                partial.unlink(missing_ok=True)
            folder.rmdir()


class Log:
    """A thread that takes the log from one cosigned checkpoint to the next."""

    def __init__(self, keeper: Keeper, files: LogFiles, witnesses: Witnesses) -> None:
        self._keeper, self.files, self.witnesses = keeper, files, witnesses
        self._key, self.origin = keeper.home.signing_key, notes.log_origin(keeper.home.public_key)
        self._tiled = 0  # the size whose tiles are on disk
        self._signed: Note | None = None
        self._cosigned: Note | None = None  # the same with the cosignatures that have come
        self._published: Note | None = None
        self._wake, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="tacit-log", daemon=True)
        self._collecting = threading.Lock()
        self._restore()
        keeper.appended = self.wake
        witnesses.collect = self._collect

    def start(self) -> None:
        """Start."""
        self._thread.start()

    def wake(self) -> None:
        """Look for new entries now."""
        self._wake.set()

    def stop(self) -> None:
        """Ask the thread to end; not waited for, because a start goes on from whatever it left."""
        self._stopped.set()
        self._wake.set()
        self.witnesses.close()

    def turn(self) -> None:
        """Bring everything that was appended up to now under a cosigned checkpoint, if the witnesses answer."""
        self.witnesses.look_up()
        note = self.sign()
        self._collect(note, ())
        self.witnesses.ask(note, self._prove)

    def sign(self) -> Note:
        """Write the tiles of what is new and sign it (steps 2 and 3); returns the checkpoint signed last."""
        with self._keeper.view() as board:
            size = board.size
            if self._signed is not None and notes.decode_checkpoint(self._signed.text).size == size:
                return self._signed
            root = board.tree.root()
            grown = [(name, tiles.tile(board.tree, name)) for name in _hashes(tiles.grown(self._tiled, size))]
        for name in tiles.grown(self._tiled, size):
            if name.level is None:
                self.files.write(name, self._bundle(name))
        for name, content in grown:
            self.files.write(name, content)
        self._tiled = size
        note = notes.sign_checkpoint(self._key, Checkpoint(self.origin, size, root))
        self.files.keep_signed(note)
        self._signed = note
        return note

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._wake.clear()
            try:
                self.turn()
            except Exception:
                if self._stopped.is_set():
                    return
                log.exception("the log was not brought up to date")
                self._stopped.wait(1.0)
            self._wake.wait(POLL_SECONDS)

    def _collect(self, note: Note, lines: Sequence[notes.NoteSignature]) -> None:
        """Take in what one witness answered, and publish once enough have; later ones are added (steps 4 and 5)."""
        with self._collecting:
            if self._cosigned is None or self._cosigned.text != note.text:
                if self._signed is None or note.text != self._signed.text:
                    return  # the answer to an earlier checkpoint: nobody waits for it any more
                self._cosigned = note
            self._cosigned = _newest(self._cosigned.with_signatures(lines))
            signers = {line.name for line in self._cosigned.signatures} - {self.origin}
            if len(signers) >= self.witnesses.needed and self._cosigned != self._published:
                self.files.publish(self._cosigned)
                self._published = self._cosigned

    def _prove(self, old: int, new: int) -> list[bytes]:
        with self._keeper.view() as board:
            return board.tree.consistency_proof(old, new)

    def _bundle(self, name: TileName) -> bytes:
        with self._keeper.store.reading() as session:
            start = name.index * tiles.WIDTH
            entries = list(self._keeper.store.entries(session, start, name.width))
        if len(entries) != name.width:
            raise ConfigurationError(f"the database lacks entries from {start} on: restore a backup")
        return tiles.encode_bundle(map(messages.encode_leaf, entries))

    def _restore(self) -> None:
        with self._keeper.view() as board:
            for note in (self.files.signed(), self.files.published()):
                if note is not None:
                    self._check_signed(note, board.tree)
            self._signed = self.files.signed()
            self._published = self.files.published()
            if self._signed and self._published and self._published.text == self._signed.text:
                self._cosigned = self._published
            self._tiled = min(board.size, _size(self._signed) if self._signed else 0)
            names = list(tiles.grown(0, self._tiled))
            expected = {name: tiles.tile(board.tree, name) for name in _hashes(names)}
        for name in names:
            if name.level is None:
                content = self._bundle(name)
                leaves = tiles.decode_bundle(content, name.width)
                tiles.verify_bundle(leaves, expected[TileName(0, name.index, name.width)])
            else:
                content = expected[name]
            try:
                if self.files.read(name) == content:
                    continue
                log.warning("a file of the log was changed: written again", file=name.path())
            except NotFoundError:
                pass
            self.files.write(name, content)

    def _check_signed(self, note: Note, tree: merkle.Tree) -> None:
        try:
            signed = notes.verify_log(note, self.origin, self._keeper.home.public_key)
        except SignatureError as error:
            raise ConfigurationError(f"the kept checkpoint is not this log's: {error.message}") from error
        if signed.size > tree.size or tree.root(signed.size) != signed.root:
            # Going on would sign a second history: the witnesses refuse it and everybody keeps it as evidence.
            raise ConfigurationError(
                f"the database has {tree.size} entries and is not the one whose checkpoint of {signed.size} entries "
                "was signed: it was changed or restored from an older backup; restore the latest one"
            )


def read_tile(files: LogFiles, path: str) -> tuple[bytes, TileName]:
    """Return a file of the log by its path below the prefix; raises :class:`NotFoundError`."""
    try:
        name = tiles.parse_path(path)
    except EncodingError as error:
        raise NotFoundError(error.message) from error
    return files.read(name), name


def _hashes(names: Iterable[TileName]) -> list[TileName]:
    return [name for name in names if name.level is not None]


def _size(note: Note) -> int:
    return notes.decode_checkpoint(note.text).size


def _newest(note: Note) -> Note:
    """Keep the last line of each signer: a witness asked again has signed a later time."""
    last = {(line.name, line.key_id): line for line in note.signatures}
    return Note(note.text, tuple(last.values()))


def _read_note(path: Path) -> Note | None:
    try:
        return notes.decode_note(path.read_bytes())
    except FileNotFoundError:
        return None
    except EncodingError as error:
        raise ConfigurationError(f"{path}: {error.message}; restore it from a backup") from error
