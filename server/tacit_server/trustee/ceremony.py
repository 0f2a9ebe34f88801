"""Drive the key ceremony step by step from what is on the board; a restart in the middle goes on where it was.

Every message is kept, signed, before it is sent, and the same bytes are sent until they stand on the board: a
trustee that said two different things in one step would be named a cheat.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from tacit_protocol import keygen, messages, signing
from tacit_protocol.board import Board, CeremonyRecord
from tacit_protocol.errors import CeremonyError
from tacit_protocol.group import Backend
from tacit_protocol.keygen import Ceremony, Secret
from tacit_protocol.messages import Manifest, Message, Round3
from tacit_protocol.signing import Signed
from tacit_server.home import Home
from tacit_server.observing import log
from tacit_server.trustee.keystore import Keystore
from tacit_server.trustee.store import Place, Store

_STEPS = ("ceremony-1", "ceremony-2", "ceremony-3", "ceremony-3-answer", "ceremony-4")


@dataclass(frozen=True)
class Ceremonies:
    """This trustee's part in all ceremonies that the board tells of."""

    index: int
    home: Home
    group: Backend
    store: Store
    keystore: Keystore
    _settled: set[Place] = field(default_factory=set)

    def due(self, board: Board, now: int) -> list[Signed]:
        """Return the messages that this trustee has to post now; each is kept before it is returned."""
        found = []
        for manifest in board.ledger.manifests.values():
            if now >= manifest.closes or not self.takes_part(manifest):
                continue
            for stream in manifest.streams:
                message = self._due(board, manifest, stream)
                if message is not None:
                    found.append(message)
        return found

    def takes_part(self, manifest: Manifest) -> bool:
        """Tell whether the manifest names this trustee with the keys that it has."""
        own = (self.index, self.home.public_key, self.home.agreement_key.public_key().public_bytes_raw())
        return any((t.index, t.signing_key, t.agreement_key) == own for t in manifest.trustees)

    def _due(self, board: Board, manifest: Manifest, stream: str) -> Signed | None:
        place = (manifest.epoch, stream)
        if _complete(board, self.group, place):
            self._settle(board, place)
            return None
        attempt = board.attempt_number(*place)
        record = board.ceremonies.get((*place, attempt)) or CeremonyRecord(_ceremony(manifest, stream, attempt))
        for kind in _STEPS:
            if not _turn(record, kind, self.index):
                continue
            kept = self.store.outbox(place, attempt).get(kind)
            return kept or self._make(record, place, attempt, kind)
        return None

    def _make(self, record: CeremonyRecord, place: Place, attempt: int, kind: str) -> Signed | None:
        state = self.store.ceremony(place, attempt)
        if state is not None and state.failure is not None:
            return None
        if kind == "ceremony-1":
            return self._begin(record.ceremony, place, attempt)
        secret = self.keystore.polynomial(place, attempt)
        if secret is None:
            self._fail(place, attempt, "its polynomial is not here: the home was not restored completely")
            return None
        try:
            return self._continue(record, place, kind, secret)
        except CeremonyError as error:
            self._fail(place, attempt, error.message)
            return None

    def _begin(self, ceremony: Ceremony, place: Place, attempt: int) -> Signed:
        random = secrets.token_bytes(ceremony.random_bytes())
        secret, message = keygen.round1(self.group, ceremony, self.index, random)
        signed = self.sign(message)
        self.keystore.begin(place, attempt, secret, signed)
        log.info("ceremony begun", epoch=place[0], stream=place[1], attempt=attempt)
        return signed

    def _continue(self, record: CeremonyRecord, place: Place, kind: str, secret: Secret) -> Signed:
        ceremony, transcript = record.ceremony, record.transcript()
        message: Message
        if kind == "ceremony-2":
            message = keygen.round2(ceremony, secret, transcript)
        elif kind == "ceremony-3":
            message = keygen.round3(self.group, ceremony, secret, transcript)
        elif kind == "ceremony-3-answer":
            complaints = [m for m in record.sent["ceremony-3"].values() if isinstance(m, Round3)]
            message = keygen.answer(ceremony, secret, complaints)
        else:
            share, outcome, message = keygen.round4(self.group, ceremony, secret, transcript)
            signed = self.sign(message)
            self.keystore.keep_share(place, message, share, signed)
            log.info("key share kept", epoch=place[0], stream=place[1], disqualified=sorted(outcome.disqualified))
            return signed
        signed = self.sign(message)
        self.store.keep_message(place, ceremony.attempt, signed)
        return signed

    def _settle(self, board: Board, place: Place) -> None:
        """Drop the polynomial of a ceremony that ended without this trustee: it has no use any more."""
        if place in self._settled:
            return
        for attempt in range(1, board.attempt_number(*place) + 1):
            state = self.store.ceremony(place, attempt)
            if state is not None and state.sealed is not None:
                self._fail(place, attempt, "the ceremony ended without this trustee")
        self._settled.add(place)

    def _fail(self, place: Place, attempt: int, reason: str) -> None:
        self.store.fail_ceremony(place, attempt, reason)
        log.error("ceremony failed", epoch=place[0], stream=place[1], attempt=attempt, reason=reason)

    def sign(self, message: Message) -> Signed:
        """Return a message signed by this trustee."""
        return signing.sign(self.home.signing_key, messages.kind_of(message), messages.encode(message))


def _ceremony(manifest: Manifest, stream: str, attempt: int) -> Ceremony:
    keys = {trustee.index: trustee.signing_key for trustee in manifest.trustees}
    return Ceremony(manifest.epoch, stream, attempt, manifest.threshold, keys)


def _complete(board: Board, group: Backend, place: Place) -> bool:
    try:
        board.stream_keys(group, *place)
    except CeremonyError:
        return False
    return True


def _turn(record: CeremonyRecord, kind: str, index: int) -> bool:
    if index in record.sent[kind] or record.finished(kind):
        return False
    try:
        record.verify_turn(kind, index)
    except CeremonyError:
        return False
    return True
