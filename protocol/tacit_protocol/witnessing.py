"""Witnesses: what one checks before it cosigns (C2SP tlog-witness), and which cosignatures a reader demands.

Without input or output: :func:`judge` takes what the witness holds and what was asked, and gives what it must hold
before its cosignature leaves the machine.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tacit_protocol import checkpoint as notes
from tacit_protocol import merkle
from tacit_protocol.checkpoint import Checkpoint, Note
from tacit_protocol.errors import EncodingError, ProofError, SignatureError, TacitError

MAX_PROOF_LINES = 63
REQUEST_BYTES = notes.MAX_NOTE_BYTES + 64 * (MAX_PROOF_LINES + 1)
SIZE_TYPE = "text/x.tlog.size"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


class UnknownLogError(TacitError):
    """The witness does not know a log of this origin (404)."""


class OldSizeError(TacitError):
    """The request builds on another size than the witness holds (409); ``size`` is what it holds."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the latest checkpoint cosigned here has {size} leaves", evidence={"size": size})
        self.size = size


class ForkError(TacitError):
    """The log signed two trees of which neither is a beginning of the other (409 or 422)."""


class WitnessError(TacitError):
    """Fewer witnesses than demanded have cosigned the checkpoint."""


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """The body of ``add-checkpoint``: the size built on, the consistency proof, and the signed checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: Note

    def encode(self) -> bytes:
        """Return the bytes of the request's body."""
        lines = [f"old {self.old}", *(base64.b64encode(step).decode() for step in self.proof), ""]
        return "".join(line + "\n" for line in lines).encode() + self.note.encode()


def decode_add_checkpoint(body: bytes) -> AddCheckpoint:
    """Decode a request; raises :class:`EncodingError` (400)."""
    head, separator, note = body.partition(b"\n\n")
    lines = head.decode("ascii", "replace").split("\n")
    match = _OLD.fullmatch(lines[0])
    if not separator or match is None:
        raise EncodingError("the request begins with 'old', a size and the lines of a proof, and an empty line")
    if len(lines) - 1 > MAX_PROOF_LINES:
        raise EncodingError(f"a consistency proof has at most {MAX_PROOF_LINES} lines")
    return AddCheckpoint(int(match[1]), tuple(map(_decode_hash, lines[1:])), notes.decode_note(note))


def judge(held: Checkpoint | None, request: AddCheckpoint, keys: Mapping[str, bytes]) -> Checkpoint:
    """Return the checkpoint to hold from now on and to cosign; ``keys`` are the logs' keys by origin.

    Raises, in the order of the specification, :class:`UnknownLogError` (404), :class:`SignatureError` (403),
    :class:`EncodingError` (400: the old size is beyond the new one), :class:`OldSizeError` (409), :class:`ForkError`
    (409 with equal sizes) and :class:`ProofError` (422). Whoever calls it must hold the result before anything leaves.
    """
    shown = notes.decode_checkpoint(request.note.text)
    key = keys.get(shown.origin)
    if key is None:
        raise UnknownLogError("this witness does not know a log of that origin")
    notes.verify_log(request.note, shown.origin, key)
    if request.old > shown.size:
        raise EncodingError("the old size is beyond the checkpoint's")
    held = held or Checkpoint(shown.origin, 0, merkle.EMPTY_ROOT)
    if request.old != held.size:
        raise OldSizeError(held.size)
    if held.size == shown.size and held.root != shown.root:
        raise ForkError(
            f"the log signed two different trees of {held.size} leaves",
            party="secretariat",
            evidence={"held": held.root.hex(), "shown": shown.root.hex()},
        )
    try:
        merkle.verify_consistency(held.size, held.root, shown.size, shown.root, request.proof)
    except ProofError as error:
        raise ProofError(error.message, party="secretariat", evidence=error.evidence) from error
    return shown


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint that a reader's policy accepts, with the note and the times of the cosignatures by witness."""

    checkpoint: Checkpoint
    note: Note
    times: Mapping[str, int]

    @property
    def latest(self) -> int:
        """Return when the last of the witnesses cosigned (Unix seconds)."""
        return max(self.times.values(), default=0)


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    """Whom a reader believes: the log's key, the witnesses' keys by name, and how many of them must have cosigned.

    With n witnesses of which f lie together with the log, two readers cannot be shown different logs when more than
    (n + f) / 2 cosignatures are demanded.
    """

    log_key: bytes
    witnesses: Mapping[str, bytes]
    needed: int
    maximum_age: int | None = None  # seconds; None: a checkpoint of any age will do

    def verify(self, note: Note, now: int) -> Cosigned:
        """Return the checkpoint; raises :class:`SignatureError`, or :class:`WitnessError` that names who is behind."""
        checkpoint = notes.verify_log(note, notes.log_origin(self.log_key), self.log_key)
        times, old = {}, []
        for name, key in self.witnesses.items():
            timestamp = notes.verify_cosignature(note, name, key)
            if timestamp is None:
                continue
            if self.maximum_age is not None and timestamp < now - self.maximum_age:
                old.append(name)
            else:
                times[name] = timestamp
        if len(times) < self.needed:
            behind = sorted(set(self.witnesses) - set(times))
            raise WitnessError(
                f"{self.needed} witnesses must have cosigned the log's checkpoint of {checkpoint.size} entries, "
                f"{len(times)} have: wait a moment and run the command again; if it stays so, ask the secretariat "
                "whether these trustees are running",
                party=", ".join(behind),
                evidence={name: "its cosignature is too old" if name in old else "has not cosigned" for name in behind},
            )
        return Cosigned(checkpoint, note, times)


def majority(count: int) -> int:
    """Return how many of ``count`` witnesses are demanded by default: two such groups share one at least."""
    return count // 2 + 1


def verify_answer(note: Note, answer: bytes, name: str, public_key: bytes) -> Sequence[notes.NoteSignature]:
    """Return the cosignatures of one witness out of its answer; raises when none of them verifies."""
    try:
        lines = notes.decode_signatures(answer.decode("utf-8"), name)
    except UnicodeDecodeError:
        raise EncodingError("a witness answered with something that is not UTF-8", party=name) from None
    mine = [each for each in lines if each.name == name]
    if notes.verify_cosignature(Note(note.text, tuple(mine)), name, public_key) is None:
        raise SignatureError(f"{name} answered without its cosignature", party=name)
    return mine


def _decode_hash(line: str) -> bytes:
    try:
        step = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raise EncodingError("a line of the consistency proof is no base64") from None
    if len(step) != merkle.HASH_BYTES or base64.b64encode(step).decode() != line:
        raise EncodingError("a line of the consistency proof is no hash")
    return step
