"""Ask the trustees, as witnesses, to cosign a checkpoint (C2SP tlog-witness): all at once, each in its own time.

A round ends when all have answered, or a moment after enough have. Whoever is slow is not waited for: its answer is
added when it comes, and until then it is left out of further rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import httpx2

from tacit_protocol import checkpoint as notes
from tacit_protocol import witnessing
from tacit_protocol.checkpoint import Note, NoteSignature
from tacit_protocol.errors import TacitError
from tacit_protocol.witnessing import AddCheckpoint
from tacit_server.home import TrusteeCard
from tacit_server.observing import log

ROUND_SECONDS = 2.0  # for as many as are needed
GRACE_SECONDS = 0.1  # for the rest, once enough have answered
REFRESH_SECONDS = 300.0  # a log at rest is cosigned again, so that readers can tell it from one that hides news
RETRY_SECONDS = 2.0  # before a witness that failed is asked again
_ANSWER_BYTES = 64 * 1024
Prove = Callable[[int, int], list[bytes]]


class WitnessFailedError(TacitError):
    """A witness does not answer, or not with its cosignature."""


@dataclass
class Witness:
    """One trustee in its second role; ``size`` is the checkpoint that it cosigned last, as far as is known."""

    card: TrusteeCard
    client: httpx2.Client
    size: int = 0
    text: str = ""  # the checkpoint that it cosigned last
    since: float = 0.0  # when
    not_before: float = 0.0
    pending: Future[bool] | None = None

    @property
    def name(self) -> str:
        """Return the name in its cosignatures."""
        return notes.witness_name(self.card.signing_key)

    def ask(self, note: Note, prove: Prove) -> Sequence[NoteSignature]:
        """Return its cosignature; raises :class:`WitnessFailedError`, or the protocol's errors for a wrong answer."""
        size = notes.decode_checkpoint(note.text).size
        for _ in range(3):
            if self.size > size:
                raise WitnessFailedError(
                    f"it has cosigned {self.size} entries of this log, more than the {size} there are: was the "
                    "database restored from an older backup?"
                )
            request = AddCheckpoint(self.size, tuple(prove(self.size, size)), note)
            status, media_type, body = self._post(request.encode())
            if status == 409 and media_type.startswith(witnessing.SIZE_TYPE):
                self.size = _decode_size(body)
                continue
            if status != 200:
                raise WitnessFailedError(f"it answers with status {status}")
            lines = witnessing.verify_answer(note, body, self.name, self.card.signing_key)
            self.size, self.text, self.since = size, note.text, time.monotonic()
            return lines
        raise WitnessFailedError("it names another size every time")

    def _post(self, body: bytes) -> tuple[int, str, bytes]:
        data = bytearray()
        try:
            with self.client.stream("POST", f"{self.card.url}/add-checkpoint", content=body) as answer:
                for piece in answer.iter_bytes():
                    data += piece
                    if len(data) > _ANSWER_BYTES:
                        raise WitnessFailedError("it sends more than an answer has")
        except (httpx2.HTTPError, RuntimeError) as error:  # RuntimeError: the client was closed while we stop
            raise WitnessFailedError(f"it does not answer ({type(error).__name__})") from error
        return answer.status_code, answer.headers.get("content-type", ""), bytes(data)


@dataclass
class Witnesses:
    """All registered trustees; ``cards`` is asked at every round, so that a new one is a witness from then on."""

    cards: Callable[[], Sequence[TrusteeCard]]
    collect: Callable[[Note, Sequence[NoteSignature]], None] = lambda note, lines: None  # called for every answer
    _known: dict[bytes, Witness] = field(default_factory=dict)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(16, "tacit-witness"))
    _client: httpx2.Client = field(
        default_factory=lambda: httpx2.Client(trust_env=False, timeout=httpx2.Timeout(10.0, connect=2.0))
    )

    @property
    def needed(self) -> int:
        """Return how many cosignatures a checkpoint needs before others see it; none without trustees."""
        count = len(self._known)
        return witnessing.majority(count) if count else 0

    def ask(self, note: Note, prove: Prove) -> None:
        """Ask whoever has not cosigned this checkpoint yet; returns when the round is over."""
        now = time.monotonic()
        due = [each for each in self._known.values() if self._is_due(each, note, now)]
        for witness in due:
            witness.pending = self._pool.submit(self._ask_one, witness, note, prove)
        asked = [each.pending for each in due if each.pending is not None]
        deadline = now + ROUND_SECONDS
        while asked and (left := deadline - time.monotonic()) > 0:
            done, waiting = wait(asked, timeout=left, return_when="FIRST_COMPLETED")
            if not waiting or sum(each.result() for each in done) >= self.needed:
                wait(waiting, timeout=GRACE_SECONDS)
                return
            if len(done) == len(asked):
                return
            wait(waiting, timeout=max(0.0, deadline - time.monotonic()), return_when="FIRST_COMPLETED")

    def close(self) -> None:
        """Stop asking."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _is_due(self, witness: Witness, note: Note, now: float) -> bool:
        if witness.pending is not None and not witness.pending.done():
            return False
        if witness.text == note.text:
            return now - witness.since > REFRESH_SECONDS
        return now >= witness.not_before

    def _ask_one(self, witness: Witness, note: Note, prove: Prove) -> bool:
        try:
            lines = witness.ask(note, prove)
        except TacitError as error:
            witness.not_before = time.monotonic() + RETRY_SECONDS
            log.warning("not cosigned", trustee=witness.card.index, reason=error.message)
            return False
        self.collect(note, lines)
        return True

    def look_up(self) -> None:
        """Take in which trustees are registered now."""
        cards = self.cards()
        for card in cards:
            known = self._known.get(card.signing_key)
            if known is None:
                self._known[card.signing_key] = Witness(card, self._client)
            elif known.card != card:
                known.card = card
        for gone in set(self._known) - {card.signing_key for card in cards}:
            del self._known[gone]


def _decode_size(body: bytes) -> int:
    text = body.decode("ascii", "replace").removesuffix("\n")
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise WitnessFailedError("it names a size that is none")
    return int(text)
