"""Make Tacit's own test vectors, one file for each step of protocol/SPEC.md: the same bytes in every run.

    python tests/vectors/tacit/generate.py        (or: make vectors)

Values are hexadecimal; a message's body is its JSON text. All secrets here are public: use none of them.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[1]))  # the tests' folder, where support is

from support.hpke import seal_with  # noqa: E402
from support.vectors import draw_from  # noqa: E402
from tacit_protocol import (  # noqa: E402
    access,
    answers,
    dleq,
    grants,
    handover,
    index_file,
    messages,
    request_signing,
    scalars,
    sealed_index,
    shuffle,
    signing,
    threshold,
    voprf,
    wire,
)
from tacit_protocol.group import ORDER  # noqa: E402
from tacit_protocol.messages import Message  # noqa: E402
from vectors.tacit.cast import GROUP, NEEDED, NOW, Cast, E, Run, S, public  # noqa: E402
from vectors.tacit.logged import board, log, query_audit  # noqa: E402

Json = dict[str, Any]


def split(packed: bytes, size: int = 32) -> list[str]:
    return [packed[i : i + size].hex() for i in range(0, len(packed), size)]


def signed_messages(cast: Cast) -> Json:
    """Sections 3 and 4: one message of each kind."""
    digest, root = bytes(range(64)), bytes(range(32))
    honest, disputed = cast.honest, cast.disputed
    member, secretariat, shuffler = cast.members[0], cast.secretariat, cast.trustees[3]
    rules = messages.AccessRules(E, (S,), 'We use it "only" to plan audits.\nNothing else.')
    examples: list[tuple[Ed25519PrivateKey, Message]] = [
        (secretariat, cast.manifest),
        (member, messages.Enrolment(signing.public_bytes(member), bytes(range(1, 33)))),
        (cast.trustees[1], honest.transcript.round1[0]),
        (cast.trustees[1], honest.transcript.round2[0]),
        (cast.trustees[1], disputed.transcript.round3[0]),
        (cast.trustees[3], disputed.transcript.answers[0]),
        (cast.trustees[1], honest.results[1][2]),
        (secretariat, messages.CeremonyCut(E, S, 1, "restart")),
        (member, messages.GrantRequest(E, S, 2048, digest)),
        (member, messages.UploadCommitment(E, S, 1, 64, digest)),
        (shuffler, messages.Receipt(E, S, 1, 17, 64)),
        (secretariat, messages.WindowClose(E, S, 1)),
        (shuffler, messages.Handover(E, S, 1, (17, 18), 128, digest)),
        (secretariat, messages.IndexRoot(E, S, 1, root, 2**20, 127, 1778)),
        (cast.trustees[1], messages.Erasure(E, 1)),
        (secretariat, rules),
        (secretariat, messages.Eligibility(E, S, signing.pseudonym(signing.public_bytes(member)), True)),
        (member, messages.StatementSignature(E, access.statement_digest(rules))),
        (secretariat, messages.AuditorAppointment(signing.public_bytes(cast.auditor), cast.auditor_key, NOW + 86_400)),
        (cast.auditor, cast.order),
        (member, messages.QueryAuditAnswer(20, digest)),
        (cast.auditor, messages.QueryAuditResult(20, "plausible", 3, 0, 1)),
        (secretariat, messages.TallyAnnouncement("avoided-audits", E, 2, tuple(letter * 16 for letter in "abcde"))),
        (member, messages.TallyInput(22, digest)),
        (cast.trustees[2], messages.TallyRelease(22, digest)),
    ]
    return {"messages": [_signed(key, message) for key, message in examples]}


def _signed(key: Ed25519PrivateKey, message: Message) -> Json:
    signed = signing.sign(key, messages.kind_of(message), messages.encode(message))
    return {
        "kind": signed.kind,
        "private_key": key.private_bytes_raw().hex(),
        "public_key": signing.public_bytes(key).hex(),
        "signer": signed.signer,
        "body": signed.body.decode(),
        "signature": signed.signature.hex(),
        "wire": messages.encode(signed).decode(),
    }


def signed_request(cast: Cast) -> Json:
    """Appendix A.1: two signed requests, one without a body."""
    requests = []
    for method, target, body in (
        ("POST", f"/v1/{E}/{S}/evaluations", bytes(range(32))),
        ("GET", "/v1/board?start=0&limit=1000", b""),
    ):
        url, nonce = "https://trustee-1.example" + target, "bm9uY2UgZm9yIHZlY3RvcnM"
        headers = request_signing.sign_request(cast.members[0], method, url, body, now=NOW, nonce=nonce)
        requests.append(
            {
                "private_key": cast.members[0].private_bytes_raw().hex(),
                "method": method,
                "url": url,
                "body": body.hex(),
                "now": NOW,
                "nonce": nonce,
                "headers": headers,
            }
        )
    return {"requests": requests}


def ceremony(cast: Cast) -> Json:
    """R1 to R4: an honest ceremony, and one with a wrong share that is disputed and revealed."""
    return {"threshold": NEEDED, "honest": _ceremony(cast.honest), "disputed": _ceremony(cast.disputed)}


def _ceremony(run: Run) -> Json:
    def bodies(step: Any) -> dict[str, str]:
        return {str(message.sender): messages.encode(message).decode() for message in step}

    outcome, shares = run.outcome, {i: share for i, (share, _, _) in run.results.items()}
    return {
        "attempt": run.ceremony.attempt,
        "signing_keys": {str(i): key.hex() for i, key in run.ceremony.signing_keys.items()},
        "context": run.ceremony.context.hex(),
        "random": {str(i): random.hex() for i, random in run.random.items()},
        "ceremony-1": bodies(run.transcript.round1),
        "ceremony-2": bodies(run.transcript.round2),
        "ceremony-3": bodies(run.transcript.round3),
        "ceremony-3-answer": bodies(run.transcript.answers),
        "ceremony-4": bodies(message for _, _, message in run.results.values()),
        "shares": {str(i): share.secret.hex() for i, share in shares.items()},
        "public_key": outcome.public_key.hex(),
        "public_shares": {str(i): share.hex() for i, share in outcome.public_shares.items()},
        "disqualified": {str(i): reason for i, reason in outcome.disqualified.items()},
        "transcript": outcome.transcript.hex(),
        "key_that_nobody_holds": threshold.interpolate_secret({i: shares[i].secret for i in (1, 2)}).hex(),
    }


def batch(cast: Cast) -> Json:
    """E1 to E3: a batch, smaller than the board would grant so that this file stays small."""
    digest = grants.batch_digest(E, S, cast.blinded.encode())
    hashed = GROUP.hash_to_group(cast.inputs, voprf.hash_to_group_dst()).encode()
    return {
        "epoch": E,
        "stream": S,
        "inputs": [_shorten(value) for value in cast.inputs],
        "random": draw_from("tacit vectors: blinds")(64 * len(cast.inputs)).hex(),
        "blinds": split(cast.blinds),
        "hashed_to_group": split(hashed),
        "blinded": split(cast.blinded.encode()),
        "digest": digest.hex(),
        "grant": messages.encode(messages.GrantRequest(E, S, len(cast.inputs), digest)).decode(),
    }


def _shorten(value: bytes) -> str:
    """Write a long run of one byte as "61 * 65535"."""
    return f"{value[:1].hex()} * {len(value)}" if len(value) > 1000 and len(set(value)) == 1 else value.hex()


def proof(cast: Cast) -> Json:
    """E3 and E4: the whole-batch proof of each trustee over the batch of batch.json."""
    proofs = []
    for i, answer in cast.answers.items():
        share = cast.honest.results[i][0]
        public_share = GROUP.decode(share.public)
        seed = dleq.batch_seed(public_share, cast.blinded, answer.evaluated, dleq.Binding(E, S, i))
        composites = GROUP.composites(seed, [cast.blinded, answer.evaluated]).encode()
        blocks = b"".join(hashlib.sha512(seed + k.to_bytes(4, "big")).digest() for k in range(2))
        proofs.append(
            {
                "trustee": i,
                "share": share.secret.hex(),
                "public_share": share.public.hex(),
                "random": cast.proof_random[i].hex(),
                "evaluated": split(answer.evaluated.encode()),
                "seed": seed.hex(),
                "weights_little_endian": split(blocks, 16)[: len(cast.inputs)],
                "composite_m": composites[:32].hex(),
                "composite_z": composites[32:].hex(),
                "proof": answer.proof.hex(),
            }
        )
    return {"epoch": E, "stream": S, "proofs": proofs}


def answer(cast: Cast) -> Json:
    """E3 and E4: the signed answer of trustee 1 to the batch of batch.json, and a signed one that is wrong."""
    key = cast.trustees[1]
    question = answers.Question(E, S, 1, grants.batch_digest(E, S, cast.blinded.encode()))
    right = wire.encode_content(cast.answers[1])
    wrong = right[:64] + right[96:128] + right[64:96] + right[128:]
    return {
        "epoch": E,
        "stream": S,
        "trustee": 1,
        "private_key": key.private_bytes_raw().hex(),
        "public_key": signing.public_bytes(key).hex(),
        "digest": question.digest.hex(),
        "content_sha512": hashlib.sha512(right).hexdigest(),
        "signed_bytes": question.transcript(right).hex(),
        "answer": answers.sign(key, question, right).hex(),
        "wrong_answer": answers.sign(key, question, wrong).hex(),
    }


def outputs(cast: Cast) -> Json:
    """E5: the same outputs from every pair of trustees."""
    pairs = []
    for pair in ((1, 2), (1, 3), (2, 3)):
        numerators, denominator = threshold.lagrange_at_zero(pair)
        inverse = pow(denominator, -1, ORDER)
        packed = threshold.combine(GROUP, NEEDED, [cast.answers[i] for i in pair], cast.inputs, cast.blinds)
        coefficients = {str(i): scalars.from_int(n * inverse).hex() for i, n in zip(pair, numerators, strict=True)}
        pairs.append({"trustees": list(pair), "coefficients": coefficients, "outputs": split(packed, 64)})
    return {"pairs": pairs}


def sealed_record(cast: Cast) -> Json:
    """S1 to S3, M2 and M3: the record that inputs 0 and 1 of batch.json open."""
    draw = draw_from("tacit vectors: records")
    record_key, random = draw(32), draw(sealed_index.record_random_bytes(2))
    derived, context = sealed_index.record_keys(record_key), cast.entry_context
    keys = []
    for output in cast.outputs[:2]:
        key = sealed_index.entry_key(context, output)
        keys.append({"output": output.hex(), "tag": key.tag.hex(), "wrap": key.wrap.hex()})
    return {
        "epoch": E,
        "stream": S,
        "public_key": cast.honest.outcome.public_key.hex(),
        "keys": keys,
        "record_key": record_key.hex(),
        "commitment": derived.commitment.hex(),
        "encryption": derived.encryption.hex(),
        "sketch": derived.sketch.hex(),
        "payload": cast.payload.hex(),
        "random": random.hex(),
        "sealed": cast.sealed[0].hex(),
    }


def upload(cast: Cast) -> Json:
    """U1, U2 and U5: two uploads, the digest of the commitment, the list of the hand-over and its digest."""
    draw = draw_from("tacit vectors: uploads")
    ephemerals = [X25519PrivateKey.from_private_bytes(draw(32)) for _ in cast.sealed]
    agreement, info = public(cast.secretariat_agreement), shuffle._info(E, S)
    uploads = [seal_with(key, agreement, one, info) for key, one in zip(ephemerals, cast.sealed, strict=True)]
    salt, hashes = draw(32), list(shuffle.record_hashes(uploads))
    packed = handover.make_list(hashes)
    return {
        "epoch": E,
        "stream": S,
        "window": 1,
        "private_key": cast.secretariat_agreement.private_bytes_raw().hex(),
        "public_key": agreement.hex(),
        "ephemeral_keys": [key.private_bytes_raw().hex() for key in ephemerals],
        "sealed": [one.hex() for one in cast.sealed],
        "uploads": [one.hex() for one in uploads],
        "salt": salt.hex(),
        "hashes": [one.hex() for one in hashes],
        "salted_hashes": shuffle.salted_hashes(salt, b"".join(hashes)).hex(),
        "upload_digest": shuffle.upload_digest(salt, E, S, b"".join(hashes)).hex(),
        "handover_list": packed.hex(),
        "handover_digest": handover.list_digest(E, S, 1, packed).hex(),
        "empty_handover_digest": handover.list_digest(E, S, 1, b"").hex(),
    }


def index(cast: Cast) -> Json:
    """U6 and M1: the index of both records, and roots over files of byte i mod 251 of several sizes."""
    entries = sorted(
        one[i : i + sealed_index.ENTRY_BYTES]
        for one in cast.sealed
        for i in range(sealed_index.RECORD_BYTES, sealed_index.SEALED_BYTES, sealed_index.ENTRY_BYTES)
    )
    records = sorted(one[: sealed_index.RECORD_BYTES] for one in cast.sealed)
    header = index_file.IndexHeader(E, S, 1, len(entries), len(records))
    data = index_file.encode_header(header) + b"".join(entries) + b"".join(records)
    found = index_file.IndexFile(data)
    tags = [sealed_index.entry_key(cast.entry_context, output).tag for output in cast.outputs[:3]]
    sizes = (0, 1, 65_535, 65_536, 65_537, 131_072, 327_681)
    return {
        "sealed": [one.hex() for one in cast.sealed],
        "file": data.hex(),
        "root": index_file.root_of(index_file.chunks(data)).hex(),
        "look_ups": [
            {"tag": tag.hex(), "entries": [{"salt": s.hex(), "wrapped": w.hex()} for s, w in found.find(tag)]}
            for tag in tags
        ],
        "roots_by_size": {
            str(size): index_file.root_of(index_file.chunks(bytes(i % 251 for i in range(size)))).hex()
            for size in sizes
        },
    }


FILES: dict[str, Callable[[Cast], Json]] = {
    maker.__name__: maker
    for maker in (
        signed_messages,
        signed_request,
        ceremony,
        batch,
        proof,
        answer,
        outputs,
        sealed_record,
        upload,
        index,
        board,
        log,
        query_audit,
    )
}


def make(name: str, cast: Cast) -> bytes:
    """Return the bytes of ``name``.json."""
    maker = FILES[name]
    content = {"step": (maker.__doc__ or "").strip(), **maker(cast)}
    return json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n"


def main() -> None:
    """Write all files."""
    cast = Cast()
    for name in FILES:
        (FOLDER / f"{name}.json").write_bytes(make(name, cast))


if __name__ == "__main__":
    main()
