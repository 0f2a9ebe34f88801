"""Vectors of the log and of query audits: the entries of a whole round, their tree, a checkpoint, an opened batch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from support.vectors import draw_from
from tacit_protocol import checkpoint, grants, merkle, messages, signing, voprf
from tacit_protocol import query_audit as audit
from tacit_protocol.board import Board
from tacit_protocol.messages import BoardEntry, Message
from tacit_protocol.signing import Signed
from vectors.tacit.cast import GROUP, NOW, TRUSTEES, Cast, E, S, fixed_hpke

Json = dict[str, Any]


def board(cast: Cast) -> Json:
    """Section 10: a board from the manifest to an erasure, and the root of the log after each entry."""
    view = Board(signing.public_bytes(cast.secretariat))
    lines = []
    for entry in _entries(cast):
        view.apply(entry)
        lines.append({"entry": messages.encode(entry).decode(), "root": view.head.hex()})
    keys = view.stream_keys(GROUP, E, S)
    return {
        "secretariat_key": signing.public_bytes(cast.secretariat).hex(),
        "entries": lines,
        "public_key": keys.public_key.hex(),
        "public_shares": {str(i): share.hex() for i, share in keys.public_shares.items()},
    }


def _entries(cast: Cast) -> Iterator[BoardEntry]:
    for sequence, (key, message) in enumerate(_story(cast)):
        signed: Signed = signing.sign(key, messages.kind_of(message), messages.encode(message))
        yield BoardEntry(sequence, NOW + sequence, signed)


def log(cast: Cast) -> Json:
    """Section 10: leaves, proofs, a checkpoint and its cosignatures, over the entries of board.json."""
    tree, leaves = merkle.Tree(), [messages.encode_leaf(entry) for entry in _entries(cast)]
    for leaf in leaves:
        tree.append(merkle.leaf_hash(leaf))
    log_key = signing.public_bytes(cast.secretariat)
    origin, size = checkpoint.log_origin(log_key), tree.size
    note = checkpoint.sign_checkpoint(cast.secretariat, checkpoint.Checkpoint(origin, size, tree.root()))
    witnesses = []
    for i, key in cast.trustees.items():
        public_key = signing.public_bytes(key)
        name = checkpoint.witness_name(public_key)
        line = checkpoint.cosign(key, name, note.text, NOW + 100 + i)
        note = note.with_signatures([line])
        vkey = checkpoint.verifier_key(name, checkpoint.COSIGNATURE_V1, public_key)
        witnesses.append({"name": name, "public_key": public_key.hex(), "vkey": vkey, "time": NOW + 100 + i})
    return {
        "origin": origin,
        "log_key": log_key.hex(),
        "vkey": checkpoint.verifier_key(origin, checkpoint.ED25519, log_key),
        "first_leaf": leaves[0].decode(),
        "leaf_hashes": [merkle.leaf_hash(leaf).hex() for leaf in leaves],
        "size": size,
        "root": tree.root().hex(),
        "note": note.encode().decode(),
        "witnesses": witnesses,
        "inclusion_of_3": [step.hex() for step in tree.inclusion_proof(3, size)],
        "consistency_from_5": [step.hex() for step in tree.consistency_proof(5, size)],
    }


def query_audit(cast: Cast) -> Json:
    """Q2 to Q4: four positions of the batch of batch.json, opened for the auditor."""
    inputs = cast.inputs[:6]  # without the longest, so that this file stays small; and none may be empty
    inputs[3] = b"\x01"
    blinds = cast.blinds[: 32 * len(inputs)]
    blinded = voprf.blind(GROUP, inputs, blinds).encode()
    request = messages.GrantRequest(E, S, len(inputs), grants.batch_digest(E, S, blinded))
    positions = audit.positions_of(cast.order, request)
    opened = audit.open_batch(GROUP, 15, inputs, blinds, positions)
    audit.verify_openings(GROUP, cast.order.member, request, cast.order, opened)
    ephemeral = draw_from("tacit vectors: answer")(32)
    with fixed_hpke(lambda _: ephemeral):
        sealed = audit.seal_answer(cast.auditor_key, cast.order, audit.AuditAnswer(20, (opened,)))
    return {
        "order": messages.encode(cast.order).decode(),
        "grant": messages.encode(request).decode(),
        "inputs": [value.hex() for value in inputs],
        "blinds": [blinds[i : i + 32].hex() for i in range(0, len(blinds), 32)],
        "positions": list(positions),
        "positions_by_count": {
            str(count): list(audit.choose_positions(bytes(32), bytes(range(32)), bytes(64), count, 8))
            for count in (8, 2048, 6144, 8192)
        },
        "answer": messages.encode(audit.AuditAnswer(20, (opened,))).decode(),
        "auditor_private_key": cast.auditor_agreement.private_bytes_raw().hex(),
        "ephemeral_key": ephemeral.hex(),
        "sealed_sha512": hashlib.sha512(sealed).hexdigest(),
        "sealed_size": len(sealed),
        "digest": audit.answer_digest(sealed).hex(),
    }


def _story(cast: Cast) -> Iterator[tuple[Ed25519PrivateKey, Message]]:
    yield cast.secretariat, cast.manifest
    for number, member in enumerate(cast.members):
        yield member, messages.Enrolment(signing.public_bytes(member), bytes([64 + number]) * 32)
    transcript = cast.honest.transcript
    for step in (transcript.round1, transcript.round2, transcript.round3):
        for message in step:
            yield cast.trustees[message.sender], message
    for _, _, agreement in cast.honest.results.values():
        yield cast.trustees[agreement.sender], agreement
    first_upload = 3 + 4 * len(TRUSTEES) + 1
    yield cast.members[0], messages.GrantRequest(E, S, 2048, bytes(range(64)))
    for member in cast.members:
        yield member, messages.UploadCommitment(E, S, 1, 64, bytes(64))
    yield cast.secretariat, messages.WindowClose(E, S, 1)
    entries = (first_upload, first_upload + 1)
    yield cast.trustees[3], messages.Handover(E, S, 1, entries, 128, bytes(range(64)))
    yield cast.secretariat, messages.IndexRoot(E, S, 1, bytes(range(32)), 127_000, 127, 1778)
    yield cast.trustees[1], messages.Erasure(E, 1)
