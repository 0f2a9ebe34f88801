"""The binary frames between member and trustee, and where their foreign bytes become elements and scalars.

A batch is n packed 32-byte elements. An answer is the trustee's 64-byte signature, the 64-byte proof and then n packed
elements; what the signature says is in :mod:`tacit_protocol.answers`. Every size is checked before a byte is decoded;
elements are decoded by :meth:`~tacit_protocol.group.Backend.decode` and scalars by
:func:`~tacit_protocol.scalars.check` alone, and no other module calls them on what came from elsewhere. The messages
in JSON have their own decoder, :func:`tacit_protocol.messages.decode`.
"""

from __future__ import annotations

from tacit_protocol import dleq
from tacit_protocol.errors import EncodingError
from tacit_protocol.grants import BLOCK
from tacit_protocol.group import ELEMENT_BYTES, Backend, Elements
from tacit_protocol.signing import SIGNATURE_BYTES
from tacit_protocol.threshold import ShareAnswer

BATCH_BYTES = BLOCK * ELEMENT_BYTES


def batch_count(body: bytes) -> int:
    """Return how many elements a batch holds; raises :class:`EncodingError` when it is not 1 to 8,192 whole ones."""
    if not 0 < len(body) <= BATCH_BYTES or len(body) % ELEMENT_BYTES:
        raise EncodingError(f"a batch has 1 to {BLOCK} elements of {ELEMENT_BYTES} bytes, got {len(body)} bytes")
    return len(body) // ELEMENT_BYTES


def decode_batch(group: Backend, body: bytes) -> Elements:
    """Decode a member's blinded batch; raises :class:`EncodingError` with the position of the first bad element."""
    batch_count(body)
    return group.decode(body)


def answer_bytes(count: int) -> int:
    """Return the size of the answer to a batch of ``count`` elements."""
    return SIGNATURE_BYTES + content_bytes(count)


def content_bytes(count: int) -> int:
    """Return the size of what is signed in the answer to a batch of ``count`` elements."""
    return dleq.PROOF_BYTES + ELEMENT_BYTES * count


def encode_content(answer: ShareAnswer) -> bytes:
    """Return proof || evaluated elements, which the trustee signs."""
    return answer.proof + answer.evaluated.encode()


def encode_answer(answer: ShareAnswer) -> bytes:
    """Return signature || proof || evaluated elements."""
    return answer.signature + encode_content(answer)


def split_answer(body: bytes) -> tuple[bytes, bytes]:
    """Return signature and content of an answer; of one that is too short for a signature, what there is."""
    return body[:SIGNATURE_BYTES], body[SIGNATURE_BYTES:]


def decode_answer(group: Backend, trustee: int, count: int, content: bytes, signature: bytes = b"") -> ShareAnswer:
    """Decode the content of a trustee's answer to ``count`` elements; it is still to be verified.

    Raises :class:`EncodingError` that names the trustee on a wrong size, a non-canonical element or scalar, or the
    identity.
    """
    party = f"trustee {trustee}"
    if len(content) != content_bytes(count):
        raise EncodingError(
            f"{party} answered {count} elements with {len(content)} bytes, expected {content_bytes(count)}",
            party=party,
        )
    proof = content[: dleq.PROOF_BYTES]
    try:
        dleq.decode_proof(proof)
        return ShareAnswer(trustee, group.decode(content[dleq.PROOF_BYTES :]), proof, signature)
    except EncodingError as error:
        message = f"{party} answered with something else than agreed: {error.message}"
        raise EncodingError(message, position=error.position, party=party) from error
