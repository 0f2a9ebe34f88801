"""C2SP signed notes, checkpoints and cosignatures (signed-note, tlog-checkpoint, tlog-cosignature; Ed25519).

A checkpoint is a note whose text is origin, tree size and root hash. The log signs the text (type 0x01); a witness
signs a time stamp and the text (type 0x04), which says that this was the largest consistent tree it had seen.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tacit_protocol import signing
from tacit_protocol.errors import EncodingError, SignatureError
from tacit_protocol.merkle import HASH_BYTES

ED25519, COSIGNATURE_V1 = 1, 4  # signature types of signed-note
KEY_ID_BYTES, TIME_BYTES = 4, 8
MAX_NOTE_BYTES, MAX_SIGNATURES = 64 * 1024, 100
_LINE = re.compile("— ([^ ]+) ([A-Za-z0-9+/]+=*)")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: the signer's name, the id of its key, and the bytes of the signature."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """Return the line as it stands in a note."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a line break, and the signatures under it."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def encode(self) -> bytes:
        """Return the bytes of the note."""
        return (self.text + "\n" + "".join(each.line() for each in self.signatures)).encode()

    def with_signatures(self, more: Sequence[NoteSignature]) -> Note:
        """Return the note with further signatures; a line that is there already is not repeated."""
        return Note(self.text, tuple(dict.fromkeys((*self.signatures, *more))))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: which log, how many leaves, which root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the note text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def log_origin(public_key: bytes) -> str:
    """Return the origin of the log that the secretariat with this signing key keeps.

    From the key and not from an address: an address may change, and everybody has pinned the key.
    """
    return f"tacit.log/{signing.pseudonym(public_key)}"


def witness_name(public_key: bytes) -> str:
    """Return the name under which the trustee with this signing key cosigns."""
    return f"tacit.witness/{signing.pseudonym(public_key)}"


def key_id(name: str, signature_type: int, public_key: bytes) -> bytes:
    """Return the four bytes that tell one key of a name from another."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([signature_type]) + public_key).digest()[:KEY_ID_BYTES]


def verifier_key(name: str, signature_type: int, public_key: bytes) -> str:
    """Return the key in the form that other tools take (signed-note's vkey)."""
    coded = base64.b64encode(bytes([signature_type]) + public_key).decode()
    return f"{name}+{key_id(name, signature_type, public_key).hex()}+{coded}"


def sign_checkpoint(private_key: Ed25519PrivateKey, checkpoint: Checkpoint) -> Note:
    """Return the checkpoint signed by its log; the key's name is the origin."""
    text = checkpoint.text()
    public = signing.public_bytes(private_key)
    return Note(
        text,
        (
            NoteSignature(
                checkpoint.origin, key_id(checkpoint.origin, ED25519, public), private_key.sign(text.encode())
            ),
        ),
    )


def cosign(private_key: Ed25519PrivateKey, name: str, text: str, timestamp: int) -> NoteSignature:
    """Return a witness's cosignature on a checkpoint's whole text at ``timestamp`` (Unix seconds)."""
    public = signing.public_bytes(private_key)
    signature = private_key.sign(_cosigned(text, timestamp))
    return NoteSignature(name, key_id(name, COSIGNATURE_V1, public), timestamp.to_bytes(TIME_BYTES, "big") + signature)


def decode_note(data: bytes, party: str | None = None) -> Note:
    """Decode a signed note; raises :class:`EncodingError` that says what is wrong with it."""
    if len(data) > MAX_NOTE_BYTES:
        raise EncodingError(f"a note of {len(data)} bytes is larger than {MAX_NOTE_BYTES}", party=party)
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError:
        raise EncodingError("a note is not UTF-8", party=party) from None
    if any(ord(character) < 0x20 and character != "\n" for character in whole):
        raise EncodingError("a note holds a control character", party=party)
    text, separator, lines = whole.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise EncodingError(
            "a note has a text, an empty line and signature lines, each ended by a line break", party=party
        )
    return Note(text + "\n", decode_signatures(lines, party))


def decode_signatures(lines: str, party: str | None = None) -> tuple[NoteSignature, ...]:
    """Decode signature lines: what stands under a note, and what a witness answers."""
    if not lines.endswith("\n"):
        raise EncodingError("the last signature line is not ended by a line break", party=party)
    found = [_decode_line(line, party) for line in lines[:-1].split("\n")]
    if len(found) > MAX_SIGNATURES:
        raise EncodingError(f"a note has more than {MAX_SIGNATURES} signatures", party=party)
    return tuple(found)


def decode_checkpoint(text: str, party: str | None = None) -> Checkpoint:
    """Decode a checkpoint's text; extension lines are let pass, as the specification asks."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise EncodingError("a checkpoint has at least three lines, none of them empty", party=party)
    if not _SIZE.fullmatch(lines[1]) or int(lines[1]) >= 2**63:
        raise EncodingError("a checkpoint's second line is the tree size in decimal", party=party)
    root = _decode_base64(lines[2], party)
    if len(root) != HASH_BYTES:
        raise EncodingError(f"a checkpoint's third line is a root hash of {HASH_BYTES} bytes", party=party)
    return Checkpoint(lines[0], int(lines[1]), root)


def verify_log(note: Note, origin: str, public_key: bytes, party: str = "secretariat") -> Checkpoint:
    """Return the checkpoint that the log's key signed; raises :class:`SignatureError` otherwise.

    Signatures of unknown keys are ignored; one under the known name and key id must verify.
    """
    checkpoint = decode_checkpoint(note.text, party)
    if checkpoint.origin != origin:
        raise SignatureError("the checkpoint is of another log than the one pinned", party=party)
    identity = (origin, key_id(origin, ED25519, public_key))
    mine = [each.signature for each in note.signatures if (each.name, each.key_id) == identity]
    if not mine:
        raise SignatureError("the checkpoint is not signed with the log's key", party=party)
    for signature in mine:
        _verify(
            public_key, signature, note.text.encode(), f"the log's signature on checkpoint {checkpoint.size}", party
        )
    return checkpoint


def verify_cosignature(note: Note, name: str, public_key: bytes) -> int | None:
    """Return when the witness cosigned the checkpoint (Unix seconds, the latest time), or None when it did not.

    Raises :class:`SignatureError` for a line under its name and key id that does not verify.
    """
    identity = (name, key_id(name, COSIGNATURE_V1, public_key))
    times = []
    for each in note.signatures:
        if (each.name, each.key_id) != identity:
            continue
        timestamp = int.from_bytes(each.signature[:TIME_BYTES], "big")
        if timestamp >= 2**63:
            raise SignatureError(f"the cosignature of {name} has an impossible time", party=name)
        _verify(
            public_key, each.signature[TIME_BYTES:], _cosigned(note.text, timestamp), f"the cosignature of {name}", name
        )
        times.append(timestamp)
    return max(times, default=None)


def check_name(name: str) -> str:
    """Return a key name that may stand in a signature line; raises :class:`EncodingError` otherwise."""
    if not name or "+" in name or any(character.isspace() or ord(character) < 0x20 for character in name):
        raise EncodingError("a key name is not empty and holds no space, no plus sign and no control character")
    return name


def _cosigned(text: str, timestamp: int) -> bytes:
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def _verify(public_key: bytes, signature: bytes, message: bytes, what: str, party: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise SignatureError(f"{what} does not verify", party=party) from error


def _decode_line(line: str, party: str | None) -> NoteSignature:
    match = _LINE.fullmatch(line)
    if match is None:
        raise EncodingError("a signature line has a dash, a name and base64", party=party)
    packed = _decode_base64(match[2], party)
    if len(packed) <= KEY_ID_BYTES:
        raise EncodingError("a signature line holds no signature", party=party)
    return NoteSignature(check_name(match[1]), packed[:KEY_ID_BYTES], packed[KEY_ID_BYTES:])


def _decode_base64(text: str, party: str | None) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise EncodingError("a note holds base64 that is none", party=party) from None
    if base64.b64encode(data).decode() != text:  # one value, one form
        raise EncodingError("a note holds base64 that is not in its one form", party=party)
    return data
