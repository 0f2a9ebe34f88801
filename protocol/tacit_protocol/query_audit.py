"""Query audits: positions in a logged batch, openings for the auditor alone, their verification (SPEC section 11).

``B = r * HashToGroup(m)`` binds: who opens one B as two inputs knows the discrete logarithm between their hashes. An
opened blind says nothing of the others, and a blinded element nothing of its input. So a member sends the auditor
*all* blinded elements of a batch, 32 bytes each, with the few openings asked for, and the auditor repeats the very
hash that the trustees made. A Merkle root in place of that hash would save a quarter of a megabyte in a file that is
sent once a year, and would cost every batch of every check twice the hashing; so the digest stays plain.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Meta

from tacit_protocol import grants, hpke, messages, scalars, voprf
from tacit_protocol.errors import EncodingError, QueryAuditError
from tacit_protocol.group import ELEMENT_BYTES, Backend
from tacit_protocol.messages import Count, GrantRequest, Key32, Message, QueryAuditOrder

MAGIC = b"tacit-query-audit/1\n"
PADDING_BYTES = 65536  # an answer's size says nothing about how long the opened inputs are
MAX_ANSWER_BYTES = 128 * 2**20
_POSITIONS_LABEL = b"tacit/1 query-audit positions\x00"
_LENGTH_BYTES = 8
_WORD_BYTES = 4


class Opening(Message, frozen=True):
    """One opened element: its position in the batch, the input m and the blind r."""

    position: Annotated[int, Meta(ge=0, lt=grants.BLOCK)]
    value: Annotated[bytes, Meta(min_length=1, max_length=65535)]
    blind: Key32


class OpenedBatch(Message, frozen=True):
    """All blinded elements of one granted batch and the openings at the positions that were chosen."""

    grant: Count  # the grant's entry number
    blinded: Annotated[bytes, Meta(min_length=ELEMENT_BYTES, max_length=ELEMENT_BYTES * grants.BLOCK)]
    openings: Annotated[tuple[Opening, ...], Meta(max_length=messages.MAX_POSITIONS)]


class AuditAnswer(Message, frozen=True):
    """What a member discloses to the auditor: the batches in the order in which the order names their grants."""

    order: Count  # the order's entry number
    batches: Annotated[tuple[OpenedBatch, ...], Meta(min_length=1, max_length=messages.MAX_AUDITED_GRANTS)]


def choose_positions(root: bytes, nonce: bytes, digest: bytes, count: int, number: int) -> tuple[int, ...]:
    """Return ``number`` different positions below ``count``, in ascending order (SPEC step Q2).

    ``seed = SHA-512(label || root || nonce || digest || I2OSP(count, 4))``; block i is
    ``SHA-512(seed || I2OSP(i, 4))``, read as 16 big-endian words. A word not below the largest multiple of ``count``
    is passed over (no modulo bias), any other gives the position ``word mod count``; a position that came before is
    passed over.

    The root stands for the log at a time after the batch was granted: a member cannot fit a batch to positions it does
    not know yet. The auditor draws the nonce after that root is fixed, so a secretariat that tries out many roots for
    a member steers nothing.
    """
    if not 0 < number <= count:
        raise ValueError(f"{number} positions cannot be chosen among {count}")
    limit = 2 ** (8 * _WORD_BYTES) // count * count
    seed = hashlib.sha512(_POSITIONS_LABEL + root + nonce + digest + count.to_bytes(4, "big")).digest()
    chosen: dict[int, None] = {}
    block = 0
    while len(chosen) < number:
        stream = hashlib.sha512(seed + block.to_bytes(4, "big")).digest()
        words = (int.from_bytes(stream[i : i + _WORD_BYTES], "big") for i in range(0, len(stream), _WORD_BYTES))
        for word in words:
            if word < limit and len(chosen) < number:
                chosen[word % count] = None
        block += 1
    return tuple(sorted(chosen))


def positions_of(order: QueryAuditOrder, request: GrantRequest) -> tuple[int, ...]:
    """Return the positions that an order chooses in one granted batch; all of them in a batch that is smaller."""
    number = min(order.positions, request.count)
    return choose_positions(order.root, order.nonce, request.digest, request.count, number)


def open_batch(
    group: Backend, grant: int, inputs: Sequence[bytes], blinds: bytes, positions: Sequence[int]
) -> OpenedBatch:
    """Open a batch of the own vault at ``positions`` (SPEC step Q3)."""
    blinded = voprf.blind(group, inputs, blinds).encode()
    openings = tuple(Opening(i, inputs[i], blinds[ELEMENT_BYTES * i : ELEMENT_BYTES * (i + 1)]) for i in positions)
    return OpenedBatch(grant, blinded, openings)


def verify_openings(
    group: Backend, member: str, request: GrantRequest, order: QueryAuditOrder, opened: OpenedBatch
) -> None:
    """Raise :class:`QueryAuditError` unless the openings are those of the batch that was granted (SPEC step Q4)."""
    place = f"the batch of member {member} granted in entry {opened.grant}"
    digest = grants.batch_digest(request.epoch, request.stream, opened.blinded)
    if len(opened.blinded) != ELEMENT_BYTES * request.count or not hmac.compare_digest(digest, request.digest):
        # Also what a replayed answer of another batch comes to.
        raise QueryAuditError(
            f"{place}: the blinded elements sent are not those that were granted",
            party=member,
            evidence={"grant": opened.grant, "granted": request.digest.hex(), "sent": digest.hex()},
        )
    expected = positions_of(order, request)
    if tuple(opening.position for opening in opened.openings) != expected:
        raise QueryAuditError(
            f"{place}: other positions were opened than the order chooses",
            party=member,
            evidence={"grant": opened.grant},
        )
    try:
        blinds = b"".join(scalars.check(o.blind, f"{place}, position {o.position}") for o in opened.openings)
    except EncodingError as error:
        raise QueryAuditError(error.message, party=member, evidence={"grant": opened.grant}) from error
    repeated = voprf.blind(group, [opening.value for opening in opened.openings], blinds).encode()
    for i, position in enumerate(expected):
        logged = opened.blinded[ELEMENT_BYTES * position : ELEMENT_BYTES * (position + 1)]
        if repeated[ELEMENT_BYTES * i : ELEMENT_BYTES * (i + 1)] != logged:
            raise QueryAuditError(
                f"{place}: the opening of position {position} does not give the element that was granted",
                party=member,
                evidence={"grant": opened.grant, "position": position, "element": logged.hex()},
            )


def seal_answer(agreement_key: bytes, order: QueryAuditOrder, answer: AuditAnswer) -> bytes:
    """Encrypt an answer to the auditor's key, padded: the file that travels (SPEC step Q3)."""
    body = messages.encode(answer)
    plaintext = len(body).to_bytes(_LENGTH_BYTES, "big") + body
    return MAGIC + hpke.seal(agreement_key, plaintext + bytes(-len(plaintext) % PADDING_BYTES), _info(order))


def open_answer(private_key: X25519PrivateKey, order: QueryAuditOrder, sealed: bytes) -> AuditAnswer:
    """Decrypt an answer to ``order``; raises :class:`QueryAuditError` when it is none or is for another order."""
    if not sealed.startswith(MAGIC) or len(sealed) > MAX_ANSWER_BYTES:
        raise QueryAuditError("this file is no sealed answer to a query audit", party=order.member)
    try:
        plaintext = hpke.unseal(private_key, sealed[len(MAGIC) :], _info(order))
        length = int.from_bytes(plaintext[:_LENGTH_BYTES], "big")
        if len(plaintext) % PADDING_BYTES or not 0 < length <= len(plaintext) - _LENGTH_BYTES:
            raise EncodingError("its length is wrong")
        return messages.decode(plaintext[_LENGTH_BYTES : _LENGTH_BYTES + length], AuditAnswer, f"member {order.member}")
    except EncodingError as error:
        raise QueryAuditError(
            f"the answer of member {order.member} cannot be read ({error.message}): it is sealed to another key or "
            "answers another order",
            party=order.member,
        ) from error


def answer_digest(sealed: bytes) -> bytes:
    """Return the digest of a sealed answer that the member signs on the log: neither side can exchange it later."""
    return hashlib.sha512(b"tacit/1 query-audit answer\x00" + sealed).digest()


def _info(order: QueryAuditOrder) -> bytes:
    # The order holds a nonce, so its digest names this order and no other.
    return b"tacit/1 query-audit answer|" + hashlib.sha512(messages.encode(order)).digest()
