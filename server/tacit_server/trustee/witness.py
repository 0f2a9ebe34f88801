"""This trustee as a witness of the secretariat's log (C2SP tlog-witness, add-checkpoint).

The checkpoint held is replaced in one transaction that first reads it, on disk before the cosignature leaves. A
checkpoint that contradicts it, or what this trustee read of the log itself, is kept as evidence and never cosigned.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from tacit_protocol import checkpoint as notes
from tacit_protocol import evidence, messages, witnessing
from tacit_protocol.board import BoardError
from tacit_protocol.checkpoint import Checkpoint, Note
from tacit_protocol.errors import EncodingError, ProofError, SignatureError, TacitError
from tacit_protocol.following import ForkedLogError, forked
from tacit_protocol.witnessing import AddCheckpoint, ForkError, OldSizeError, UnknownLogError
from tacit_server.home import Home
from tacit_server.http import Clock, Guard
from tacit_server.observing import log
from tacit_server.trustee.follower import Follower
from tacit_server.trustee.store import Store


@dataclass(frozen=True)
class Witness:
    """Cosigns the checkpoints of the one log whose key is pinned in this home."""

    home: Home
    store: Store
    follower: Follower
    log_key: bytes
    clock: Clock

    @property
    def name(self) -> str:
        """Return the name that stands in the cosignatures."""
        return notes.witness_name(self.home.public_key)

    def add_checkpoint(self, request: AddCheckpoint) -> str:
        """Return the line with the cosignature; raises as :func:`tacit_protocol.witnessing.judge` does."""
        if self.follower.broken is not None:
            raise self.follower.broken
        origin, held = notes.log_origin(self.log_key), None
        try:
            if notes.decode_checkpoint(request.note.text).origin == origin:
                self._compare_with_followed(notes.verify_log(request.note, origin, self.log_key))
            with self.store.witnessing(origin) as row:
                held = notes.decode_note(row.note) if row.note else None
                before = notes.decode_checkpoint(held.text) if held else None
                witnessing.judge(before, request, {origin: self.log_key})
                row.note = request.note.encode()
        except (ForkError, ProofError, ForkedLogError) as error:
            self._keep_evidence(held or self.follower.note, request.note, error)
            raise
        line = notes.cosign(self.home.signing_key, self.name, request.note.text, int(self.clock()))
        self.follower.wake()  # there are new entries, and a cosigned checkpoint is about to be published
        return line.line()

    def _compare_with_followed(self, shown: Checkpoint) -> None:
        # The secretariat may tell its witness one thing and whoever reads the log another.
        with self.follower.lock:
            board = self.follower.board
            if shown.size <= board.size and board.tree.root(shown.size) != shown.root:
                raise forked(shown, board.size)

    def _keep_evidence(self, held: Note | None, shown: Note, error: TacitError) -> None:
        log.error("checkpoint refused", reason=error.message, **error.evidence)
        if held is None:
            return
        sizes = [notes.decode_checkpoint(note.text).size for note in (held, shown)]
        file = evidence.fork(self.log_key, held, self.follower.board.tree, shown, None, None, None)
        slip = isinstance(error, ProofError)  # a proof that does not hold may be one; two signed trees are not
        self.follower.keep_evidence(
            f"{'refused' if slip else 'fork'}-{sizes[0]}-{sizes[1]}.json", messages.encode(file)
        )
        if not slip:
            self.follower.refuse(error)


def add_witness(app: FastAPI, guard: Guard, witness: Witness) -> None:
    """Add ``POST /add-checkpoint``; the request is authenticated by the log's signature on the checkpoint alone."""

    @app.post("/add-checkpoint")
    async def add_checkpoint(request: Request) -> Response:
        body = await guard.read(request, witnessing.REQUEST_BYTES)
        try:
            line = await run_in_threadpool(lambda: witness.add_checkpoint(witnessing.decode_add_checkpoint(body)))
        except OldSizeError as error:
            return Response(f"{error.size}\n", 409, headers={"Content-Type": witnessing.SIZE_TYPE})
        except TacitError as error:
            return Response(f"{error.message}\n", _status(error), media_type="text/plain; charset=utf-8")
        return Response(line, media_type="text/plain; charset=utf-8")


def _status(error: TacitError) -> int:
    for kind, status in (
        (UnknownLogError, 404),
        (SignatureError, 403),
        (EncodingError, 400),
        (ProofError, 422),
        (ForkError, 409),
        (BoardError, 409),
    ):
        if isinstance(error, kind):
            return status
    return 500
