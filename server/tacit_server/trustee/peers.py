"""Compare with the other trustees: has the secretariat shown all of us the same log?

A majority of witnesses rules out a fork by the secretariat alone. Should a trustee lie together with it, the others
could still be shown different logs, each cosigned by the liar. So every trustee hands out the checkpoint that it has
verified, fetches the others' every few seconds, and holds each against its own tree as soon as it has read that far.
"""

from __future__ import annotations

import threading

import httpx2
from fastapi import FastAPI
from starlette.responses import Response

from tacit_protocol import checkpoint as notes
from tacit_protocol import evidence, following, messages
from tacit_protocol.checkpoint import Checkpoint, Note
from tacit_protocol.errors import TacitError
from tacit_protocol.messages import Trustee
from tacit_server.errors import NotFoundError
from tacit_server.observing import log
from tacit_server.trustee.follower import Follower

_SECONDS = 5.0


class Peers:
    """A thread that asks the other trustees of all manifests for their checkpoints."""

    def __init__(self, follower: Follower, own_key: bytes, seconds: float = _SECONDS) -> None:
        self._follower, self._own_key, self._seconds = follower, own_key, seconds
        self._ahead: dict[bytes, Note] = {}  # by trustee: a checkpoint beyond what was read here
        self._client = httpx2.Client(trust_env=False, timeout=httpx2.Timeout(5.0, connect=2.0))
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tacit-peers", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more; the thread is not waited for."""
        self._stopped.set()
        self._client.close()

    def compare(self, trustee: Trustee, data: bytes) -> None:
        """Hold another trustee's checkpoint against the own tree; on a contradiction follow no further."""
        key = self._follower.board.secretariat_key
        note = notes.decode_note(data, f"trustee {trustee.index}")
        shown = notes.verify_log(note, notes.log_origin(key), key, f"trustee {trustee.index}")
        for each in [note, *filter(None, [self._ahead.pop(trustee.signing_key, None)])]:
            if not self._agrees(notes.decode_checkpoint(each.text)):
                self._refuse(trustee, each)
                return
        if shown.size > self._follower.board.size:
            self._ahead[trustee.signing_key] = note

    def _agrees(self, shown: Checkpoint) -> bool:
        with self._follower.lock:
            board = self._follower.board
            return shown.size > board.size or board.tree.root(shown.size) == shown.root

    def _refuse(self, trustee: Trustee, note: Note) -> None:
        follower, shown = self._follower, notes.decode_checkpoint(note.text)
        with follower.lock:
            if follower.note is None:
                return
            board = follower.board
            file = evidence.fork(board.secretariat_key, follower.note, board.tree, note, None, None, None)
            follower.keep_evidence(f"trustee-{trustee.index}-{shown.size}.json", messages.encode(file))
            follower.refuse(following.forked(shown, board.size))
        log.error("another trustee was shown another log", trustee=trustee.index, size=shown.size)

    def _others(self) -> list[Trustee]:
        with self._follower.lock:
            found = {
                trustee.signing_key: trustee
                for manifest in self._follower.board.ledger.manifests.values()
                for trustee in manifest.trustees
            }
        return [trustee for key, trustee in found.items() if key != self._own_key]

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            for trustee in self._others():
                try:
                    self.compare(trustee, self._fetch(trustee))
                except (httpx2.HTTPError, TacitError, RuntimeError) as error:  # RuntimeError: closed while we stop
                    log.debug("no checkpoint of another trustee", trustee=trustee.index, reason=type(error).__name__)

    def _fetch(self, trustee: Trustee) -> bytes:
        data = bytearray()
        with self._client.stream("GET", f"{trustee.url}/checkpoint") as answer:
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                data += piece[: notes.MAX_NOTE_BYTES + 1 - len(data)]
        return bytes(data)


def add_checkpoint_path(app: FastAPI, follower: Follower) -> None:
    """Add ``GET /checkpoint``: the checkpoint up to which this trustee has read and verified the log."""

    @app.get("/checkpoint")
    def checkpoint() -> Response:
        with follower.lock:
            note = follower.note
        if note is None:
            raise NotFoundError("this trustee has not read a checkpoint yet")
        return Response(note.encode(), media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})
