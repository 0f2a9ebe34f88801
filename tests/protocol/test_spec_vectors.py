"""Our own vectors: made anew they are the same bytes, and each one comes out of the code when read from its file.

The second reading of the protocol in tests/interop recomputes the same files without this code.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from support.hpke import seal_with
from support.vectors import VECTORS
from tacit_client import session
from tacit_matcher import payload, sketch
from tacit_protocol import (
    answers,
    checkpoint,
    dleq,
    grants,
    handover,
    index_file,
    keygen,
    merkle,
    messages,
    query_audit,
    request_signing,
    sealed_index,
    shuffle,
    signing,
    threshold,
    voprf,
)
from tacit_protocol.board import Board
from tacit_protocol.errors import ProofError, SealedRecordError, TacitError
from tacit_protocol.group import Backend
from tacit_protocol.index_file import IndexFile
from tacit_protocol.messages import BoardEntry
from tacit_protocol.signing import Signed
from vectors.tacit.cast import Cast
from vectors.tacit.generate import FILES, FOLDER, make

ROOT = Path(__file__).parents[2]
SPEC = (ROOT / "protocol" / "SPEC.md").read_text(encoding="utf-8")


def load(name: str) -> Any:
    return json.loads((VECTORS / "tacit" / f"{name}.json").read_text(encoding="utf-8"))


def unhex(values: list[str]) -> bytes:
    return b"".join(bytes.fromhex(value) for value in values)


def read_inputs() -> list[bytes]:
    found = []
    for text in load("batch")["inputs"]:
        unit, _, times = text.partition(" * ")
        found.append(bytes.fromhex(unit) * int(times or 1))
    return found


@pytest.fixture(scope="module")
def cast() -> Cast:
    return Cast()


@pytest.mark.parametrize("name", FILES)
def test_made_anew_a_file_has_the_same_bytes(cast: Cast, name: str) -> None:
    assert (FOLDER / f"{name}.json").read_bytes() == make(name, cast), "run 'make vectors' and look at what changed"


def test_the_specification_lists_every_file() -> None:
    listed = set(re.findall(r"^\| `(\w+\.json)` \|", SPEC, re.MULTILINE))
    assert {f"{name}.json" for name in FILES} <= listed
    assert {path.name for path in FOLDER.glob("*.json")} <= listed


def test_every_step_of_the_specification_is_named_in_the_code() -> None:
    steps = set(re.findall(r"\*\*([REUSMQ]\d)\*\*", SPEC))
    assert len(steps) == 4 + 5 + 3 + 7 + 3 + 5
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("protocol", "client_sdk", "server")
        for path in (ROOT / folder).rglob("*.py")
    )
    named = set(re.findall(r"(?:SPEC steps? |and |to )([EUSMQ]\d)\b", code)) | set(re.findall(r'"""(R\d)[:,]', code))
    assert steps <= named, f"no code names {sorted(steps - named)}"
    assert named <= steps, f"the specification has no {sorted(named - steps)}"


# --- sections 3, 4 and appendix A -----------------------------------------------------------------------------


@pytest.mark.parametrize("vector", load("signed_messages")["messages"], ids=lambda v: v["kind"])
def test_signed_messages(vector: dict[str, str]) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vector["private_key"]))
    body = messages.decode(vector["body"].encode(), messages.KINDS[vector["kind"]])
    signed = signing.sign(key, vector["kind"], messages.encode(body))
    assert (signed.signer, signed.signature.hex()) == (vector["signer"], vector["signature"])
    assert messages.encode(signed).decode() == vector["wire"]
    received = messages.decode(vector["wire"].encode(), Signed)
    signing.verify(bytes.fromhex(vector["public_key"]), received)
    assert messages.body_of(received, messages.KINDS[vector["kind"]]) == body


def test_there_is_a_signed_message_of_every_kind() -> None:
    assert [vector["kind"] for vector in load("signed_messages")["messages"]] == list(
        dict.fromkeys(vector["kind"] for vector in load("signed_messages")["messages"])
    )
    assert {vector["kind"] for vector in load("signed_messages")["messages"]} == set(messages.KINDS)


@pytest.mark.parametrize("vector", load("signed_request")["requests"], ids=lambda v: v["method"])
def test_signed_requests(vector: dict[str, Any]) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vector["private_key"]))
    body, public = bytes.fromhex(vector["body"]), signing.public_bytes(key)
    again = request_signing.sign_request(
        key, vector["method"], vector["url"], body, now=vector["now"], nonce=vector["nonce"]
    )
    assert again == vector["headers"]
    verified = request_signing.verify_request(
        vector["method"], vector["url"], vector["headers"], body, now=vector["now"], find_key={
            signing.pseudonym(public): public
        }.get,
    )  # fmt: skip
    assert verified.nonce == vector["nonce"]
    with pytest.raises(TacitError):
        request_signing.verify_request(
            vector["method"], vector["url"] + "x", vector["headers"], body, now=vector["now"], find_key={
                signing.pseudonym(public): public
            }.get,
        )  # fmt: skip


# --- R1 to R4 --------------------------------------------------------------------------------------------------


def read_transcript(vector: dict[str, Any]) -> keygen.Transcript:
    steps = ("ceremony-1", "ceremony-2", "ceremony-3", "ceremony-3-answer")
    read = ([messages.decode(t.encode(), messages.KINDS[k]) for t in vector[k].values()] for k in steps)
    return keygen.Transcript(*read)  # type: ignore[arg-type]


@pytest.mark.parametrize("which", ["honest", "disputed"])
def test_the_ceremony(group: Backend, which: str) -> None:
    vector, needed = load("ceremony")[which], load("ceremony")["threshold"]
    keys = {int(i): bytes.fromhex(key) for i, key in vector["signing_keys"].items()}
    ceremony = keygen.Ceremony("2026-h2", "social-audit", vector["attempt"], needed, keys)
    assert ceremony.context.hex() == vector["context"]
    transcript = read_transcript(vector)
    outcome = keygen.conclude(group, ceremony, transcript)
    assert outcome.public_key.hex() == vector["public_key"]
    assert {str(i): share.hex() for i, share in outcome.public_shares.items()} == vector["public_shares"]
    assert outcome.transcript.hex() == vector["transcript"]
    for i, random in vector["random"].items():
        state, message = keygen.round1(group, ceremony, int(i), bytes.fromhex(random))
        assert messages.encode(message).decode() == vector["ceremony-1"][i]
        assert keygen.round3(group, ceremony, state, transcript) == transcript.round3[int(i) - 1]
        share, _, agreement = keygen.round4(group, ceremony, state, transcript)
        assert share.secret.hex() == vector["shares"][i]
        assert messages.encode(agreement).decode() == vector["ceremony-4"][i]
    key = bytes.fromhex(vector["key_that_nobody_holds"])
    assert group.multiply_base(key).encode().hex() == vector["public_key"]
    for pair in combinations(vector["shares"].items(), needed):
        assert threshold.interpolate_secret({int(i): bytes.fromhex(share) for i, share in pair}) == key
    assert bool(vector["ceremony-3-answer"]) == (which == "disputed")


# --- E1 to E5 ----------------------------------------------------------------------------------------------------


def test_blinding_and_the_batch_digest(group: Backend) -> None:
    vector, inputs = load("batch"), read_inputs()
    blinds = voprf.draw_blinds(group, bytes.fromhex(vector["random"]))
    assert blinds == unhex(vector["blinds"])
    assert group.hash_to_group(inputs, voprf.hash_to_group_dst()).encode() == unhex(vector["hashed_to_group"])
    blinded = voprf.blind(group, inputs, blinds).encode()
    assert blinded == unhex(vector["blinded"])
    digest = grants.batch_digest(vector["epoch"], vector["stream"], blinded)
    assert digest.hex() == vector["digest"]
    grant = messages.decode(vector["grant"].encode(), messages.GrantRequest)
    assert (grant.count, grant.digest) == (len(inputs), digest)


@pytest.mark.parametrize("vector", load("proof")["proofs"], ids=lambda v: f"trustee {v['trustee']}")
def test_proofs(group: Backend, vector: dict[str, Any]) -> None:
    blinded, public = group.decode(unhex(load("batch")["blinded"])), group.decode(bytes.fromhex(vector["public_share"]))
    binding = dleq.Binding(load("proof")["epoch"], load("proof")["stream"], vector["trustee"])
    answer = threshold.evaluate_share(
        group, bytes.fromhex(vector["share"]), public, blinded, binding, bytes.fromhex(vector["random"])
    )
    assert answer.evaluated.encode() == unhex(vector["evaluated"])
    assert answer.proof.hex() == vector["proof"]
    seed = dleq.batch_seed(public, blinded, answer.evaluated, binding)
    assert seed.hex() == vector["seed"]
    stream = b"".join(hashlib.sha512(seed + i.to_bytes(4, "big")).digest() for i in range(2))
    assert stream.startswith(unhex(vector["weights_little_endian"]))
    weights = b"".join(bytes.fromhex(weight) + bytes(16) for weight in vector["weights_little_endian"])
    assert group.weighted_sum(weights, blinded).encode().hex() == vector["composite_m"]
    assert group.weighted_sum(weights, answer.evaluated).encode().hex() == vector["composite_z"]
    dleq.verify_batch(group, public, blinded, answer.evaluated, binding, answer.proof)
    other = dleq.Binding(binding.epoch, "ecovadis", binding.trustee)
    with pytest.raises(ProofError):
        dleq.verify_batch(group, public, blinded, answer.evaluated, other, answer.proof)


def test_a_signed_answer(group: Backend) -> None:
    vector = load("answer")
    question = answers.Question(vector["epoch"], vector["stream"], vector["trustee"], bytes.fromhex(vector["digest"]))
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vector["private_key"]))
    public, signed = signing.public_bytes(key), bytes.fromhex(vector["answer"])
    content = answers.verify(public, question, signed)
    assert public.hex() == vector["public_key"] and vector["digest"] == load("batch")["digest"]
    assert hashlib.sha512(content).hexdigest() == vector["content_sha512"]
    assert question.transcript(content).hex() == vector["signed_bytes"]
    assert answers.sign(key, question, content) == signed
    proof = next(one for one in load("proof")["proofs"] if one["trustee"] == vector["trustee"])
    assert content == bytes.fromhex(proof["proof"]) + unhex(proof["evaluated"])
    share, blinded = bytes.fromhex(proof["public_share"]), group.decode(unhex(load("batch")["blinded"]))
    answers.judge(group, public, share, question, blinded, signed)
    with pytest.raises(answers.WrongAnswerError):
        answers.judge(group, public, share, question, blinded, bytes.fromhex(vector["wrong_answer"]))


@pytest.mark.parametrize("pair", load("outputs")["pairs"], ids=lambda v: str(v["trustees"]))
def test_outputs(group: Backend, pair: dict[str, Any]) -> None:
    inputs, blinds = read_inputs(), unhex(load("batch")["blinds"])
    proofs = {vector["trustee"]: vector for vector in load("proof")["proofs"]}
    evaluated = {i: group.decode(unhex(proofs[i]["evaluated"])) for i in pair["trustees"]}
    answers = [threshold.ShareAnswer(i, evaluated[i], b"") for i in pair["trustees"]]
    assert threshold.combine(group, 2, answers, inputs, blinds) == unhex(pair["outputs"])
    coefficients = b"".join(bytes.fromhex(pair["coefficients"][str(i)]) for i in pair["trustees"])
    unblinded = group.unblind(coefficients, list(evaluated.values()), blinds)
    assert group.finalise(inputs, unblinded) == unhex(pair["outputs"])
    key = bytes.fromhex(load("ceremony")["honest"]["key_that_nobody_holds"])
    blinded = group.decode(unhex(load("batch")["blinded"]))
    assert voprf.finalize(group, inputs, blinds, group.multiply(key, blinded)) == unhex(pair["outputs"])


# --- S1 to S3, U1 to U6, M1 to M3 --------------------------------------------------------------------------------


def test_a_sealed_record() -> None:
    vector = load("sealed_record")
    epoch, stream, record_key = vector["epoch"], vector["stream"], bytes.fromhex(vector["record_key"])
    context = sealed_index.entry_context(epoch, stream, bytes.fromhex(vector["public_key"]))
    keys = [sealed_index.entry_key(context, bytes.fromhex(key["output"])) for key in vector["keys"]]
    for key, made in zip(vector["keys"], keys, strict=True):
        assert (made.tag.hex(), made.wrap.hex()) == (key["tag"], key["wrap"])
    derived = sealed_index.record_keys(record_key)
    assert [derived.commitment.hex(), derived.encryption.hex(), derived.sketch.hex()] == [
        vector[name] for name in ("commitment", "encryption", "sketch")
    ]
    sealed = bytes.fromhex(vector["sealed"])
    payload, random = bytes.fromhex(vector["payload"]), bytes.fromhex(vector["random"])
    assert sealed_index.seal_record(epoch, stream, record_key, payload, keys, random) == sealed
    entries = [sealed[i : i + 52] for i in range(272, 1000, 52)]
    assert entries == sorted(entries)
    for key in keys:
        (entry,) = [entry for entry in entries if entry.startswith(key.tag)]
        assert sealed_index.unwrap(key, entry[12:20], entry[20:]) == record_key
    assert sealed_index.open_record(epoch, stream, record_key, sealed[:272]) == payload
    with pytest.raises(SealedRecordError):
        sealed_index.open_record(epoch, "ecovadis", record_key, sealed[:272])


def test_uploads_and_their_digests() -> None:
    vector = load("upload")
    epoch, stream = vector["epoch"], vector["stream"]
    key = X25519PrivateKey.from_private_bytes(bytes.fromhex(vector["private_key"]))
    assert key.public_key().public_bytes_raw().hex() == vector["public_key"]
    uploads = [bytes.fromhex(upload) for upload in vector["uploads"]]
    opened = [shuffle.open_at_secretariat(key, epoch, stream, upload) for upload in uploads]
    assert [one.hex() for one in opened] == vector["sealed"]
    salt = bytes.fromhex(vector["salt"])
    hashes = list(shuffle.record_hashes(uploads))
    assert [one.hex() for one in hashes] == vector["hashes"]
    assert shuffle.salted_hashes(salt, b"".join(hashes)).hex() == vector["salted_hashes"]
    assert shuffle.upload_digest(salt, epoch, stream, b"".join(hashes)).hex() == vector["upload_digest"]
    packed = handover.make_list(shuffle.record_hashes([b"".join(reversed(uploads))]))  # order and pages do not matter
    assert packed.hex() == vector["handover_list"]
    assert handover.list_digest(epoch, stream, vector["window"], packed).hex() == vector["handover_digest"]
    assert handover.list_digest(epoch, stream, vector["window"], b"").hex() == vector["empty_handover_digest"]


def test_the_index() -> None:
    vector = load("index")
    data = bytes.fromhex(vector["file"])
    found = IndexFile(data)
    root = bytes.fromhex(vector["root"])
    found.verify(messages.IndexRoot("2026-h2", "social-audit", 1, root, len(data), 2, 28))
    for look_up in vector["look_ups"]:
        entries = [(salt.hex(), wrapped.hex()) for salt, wrapped in found.find(bytes.fromhex(look_up["tag"]))]
        assert entries == [(entry["salt"], entry["wrapped"]) for entry in look_up["entries"]]
    assert [len(look_up["entries"]) for look_up in vector["look_ups"]] == [1, 2, 0]
    for sealed in map(bytes.fromhex, vector["sealed"]):
        assert found.record(sealed[:32]) == sealed[:272]
    for size, expected in vector["roots_by_size"].items():
        made = bytes(i % 251 for i in range(int(size)))
        assert index_file.root_of(index_file.chunks(made)).hex() == expected


def test_the_board(group: Backend) -> None:
    vector = load("board")
    board = Board(bytes.fromhex(vector["secretariat_key"]))
    for line in vector["entries"]:
        board.apply(messages.decode(line["entry"].encode(), BoardEntry))
        assert board.head.hex() == line["root"]
    keys = board.stream_keys(group, "2026-h2", "social-audit")
    assert keys.public_key.hex() == vector["public_key"] == load("ceremony")["honest"]["public_key"]
    assert {str(i): share.hex() for i, share in keys.public_shares.items()} == vector["public_shares"]
    assert board.latest_index("2026-h2", "social-audit") is not None


def test_the_log() -> None:
    vector = load("log")
    leaves = [b"tacit/1 entry\n" + line["entry"].encode() for line in load("board")["entries"]]
    assert leaves[0].decode() == vector["first_leaf"]
    assert [merkle.leaf_hash(leaf).hex() for leaf in leaves] == vector["leaf_hashes"]
    assert messages.encode_leaf(messages.decode_leaf(leaves[3])) == leaves[3]
    log_key, root = bytes.fromhex(vector["log_key"]), bytes.fromhex(vector["root"])
    note = checkpoint.decode_note(vector["note"].encode())
    assert note.encode().decode() == vector["note"]
    shown = checkpoint.verify_log(note, checkpoint.log_origin(log_key), log_key)
    assert (shown.origin, shown.size, shown.root) == (vector["origin"], vector["size"], root)
    for witness in vector["witnesses"]:
        public = bytes.fromhex(witness["public_key"])
        name = checkpoint.witness_name(public)
        assert (name, checkpoint.verifier_key(name, 4, public)) == (witness["name"], witness["vkey"])
        assert checkpoint.verify_cosignature(note, name, public) == witness["time"]
    inclusion, consistency = ([bytes.fromhex(s) for s in vector[n]] for n in ("inclusion_of_3", "consistency_from_5"))
    merkle.verify_inclusion(root, shown.size, 3, merkle.leaf_hash(leaves[3]), inclusion)
    merkle.verify_consistency(5, merkle.tree_hash(leaves[:5]), shown.size, root, consistency)


def test_a_query_audit(group: Backend) -> None:
    vector = load("query_audit")
    order = messages.decode(vector["order"].encode(), messages.QueryAuditOrder)
    grant = messages.decode(vector["grant"].encode(), messages.GrantRequest)
    answer = messages.decode(vector["answer"].encode(), query_audit.AuditAnswer)
    assert list(query_audit.positions_of(order, grant)) == vector["positions"]
    for count, positions in vector["positions_by_count"].items():
        chosen = query_audit.choose_positions(bytes(32), bytes(range(32)), bytes(64), int(count), 8)
        assert list(chosen) == positions
    inputs = [bytes.fromhex(value) for value in vector["inputs"]]
    opened = query_audit.open_batch(group, order.grants[0], inputs, unhex(vector["blinds"]), vector["positions"])
    assert messages.encode(query_audit.AuditAnswer(20, (opened,))).decode() == vector["answer"]
    query_audit.verify_openings(group, order.member, grant, order, answer.batches[0])
    auditor = X25519PrivateKey.from_private_bytes(bytes.fromhex(vector["auditor_private_key"]))
    body = messages.encode(answer)
    plaintext = len(body).to_bytes(8, "big") + body
    ephemeral = X25519PrivateKey.from_private_bytes(bytes.fromhex(vector["ephemeral_key"]))
    sealed = b"tacit-query-audit/1\n" + seal_with(
        ephemeral,
        auditor.public_key().public_bytes_raw(),
        plaintext + bytes(-len(plaintext) % 65536),
        b"tacit/1 query-audit answer|" + hashlib.sha512(messages.encode(order)).digest(),
    )
    assert (len(sealed), hashlib.sha512(sealed).hexdigest()) == (vector["sealed_size"], vector["sealed_sha512"])
    assert query_audit.answer_digest(sealed).hex() == vector["digest"]
    assert query_audit.open_answer(auditor, order, sealed) == answer


def test_the_example_of_a_signature_base_in_the_specification() -> None:
    digest = base64.b64encode(hashlib.sha256(b"abc").digest()).decode()
    assert f'"content-digest": sha-256=:{digest}:' in SPEC


# --- the tables of the specification ---------------------------------------------------------------------------------


def test_the_message_table_is_the_code() -> None:
    rows = dict(re.findall(r"^\| `([a-z0-9-]+)` \| (?:the )?[a-z]+ \| (.*) \|$", SPEC, re.MULTILINE))
    listed = {kind: tuple(re.findall(r"`(\w+)`", fields)) for kind, fields in rows.items() if kind in messages.KINDS}
    assert listed == {kind: message.__struct_fields__ for kind, message in messages.KINDS.items()}


def test_the_constants_are_the_code() -> None:
    constants = dict(re.findall(r"^\| ([^|`]+) \| ([^|`]+) \|$", SPEC[SPEC.index("## Appendix D") :], re.MULTILINE))

    def numbers(name: str) -> list[int]:
        return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", constants[name])]

    assert numbers("batch, padding step") == [grants.BLOCK, grants.PADDING]
    assert numbers("canaries") == [session.CANARIES]
    assert numbers("entries, bytes of entry, tag, salt, record, sealed record, upload") == [
        sealed_index.ENTRIES_PER_RECORD, sealed_index.ENTRY_BYTES, sealed_index.TAG_BYTES, sealed_index.SALT_BYTES,
        sealed_index.RECORD_BYTES, sealed_index.SEALED_BYTES, shuffle.UPLOAD_BYTES,
    ]  # fmt: skip
    assert numbers("payload, of it facts, sketch") == [
        sealed_index.PAYLOAD_BYTES, payload.METADATA_BYTES, sketch.SKETCH_BYTES
    ]  # fmt: skip
    assert numbers("record bucket") == [sealed_index.RECORD_BUCKET]
    assert numbers("page") == [shuffle.PAGE_RECORDS]
    assert numbers("chunk of the index") == [index_file.CHUNK_BYTES]
    assert numbers("validity of a request, clock difference") == [
        request_signing.VALIDITY_SECONDS, request_signing.CLOCK_SKEW_SECONDS
    ]  # fmt: skip
