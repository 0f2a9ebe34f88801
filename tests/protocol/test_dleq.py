"""The whole-batch proof: it holds for the batch it was made for and for nothing else, and names who failed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from support.vectors import draw_from
from tacit_protocol import dleq, scalars, voprf
from tacit_protocol.dleq import Binding
from tacit_protocol.errors import EncodingError, ProofError
from tacit_protocol.group import ORDER, Backend, Elements

SIZE = 6


@dataclass(frozen=True)
class Claim:
    """Everything a verifier looks at."""

    public: Elements
    blinded: Elements
    evaluated: Elements
    binding: Binding
    proof: bytes

    def verify(self, group: Backend) -> None:
        dleq.verify_batch(group, self.public, self.blinded, self.evaluated, self.binding, self.proof)


def make_claim(group: Backend, name: str = "honest", size: int = SIZE, secret: int = 424242) -> Claim:
    key = scalars.from_int(secret)
    public = group.multiply_base(key)
    blinded = group.hash_to_group([f"{name}{i}".encode() for i in range(size)], b"tests")
    evaluated = group.multiply(key, blinded)
    binding = Binding("2026-h2", "social-audit", 2)
    proof = dleq.prove_batch(group, key, public, blinded, evaluated, binding, draw_from(name)(64))
    return Claim(public, blinded, evaluated, binding, proof)


def elements(group: Backend, parts: list[bytes]) -> Elements:
    return group.decode(b"".join(parts))


def split(batch: Elements) -> list[bytes]:
    packed = batch.encode()
    return [packed[i : i + 32] for i in range(0, len(packed), 32)]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 33])
def test_an_honest_proof_holds(group: Backend, size: int) -> None:
    make_claim(group, size=size).verify(group)


def test_the_seed_binds_all_the_design_names(group: Backend) -> None:
    claim = make_claim(group)

    def prefixed(*parts: bytes) -> bytes:
        return b"".join(len(part).to_bytes(2, "big") + part for part in parts)

    rfc_seed = hashlib.sha512(prefixed(claim.public.encode(), b"Seed-" + voprf.context_string())).digest()
    bound = prefixed(b"tacit/1 whole-batch proof", b"2026-h2", b"social-audit", b"\x00\x02")
    batches = b"".join(hashlib.sha512(b.encode()).digest() for b in (claim.blinded, claim.evaluated))
    expected = hashlib.sha512(rfc_seed + bound + batches).digest()
    assert dleq.batch_seed(claim.public, claim.blinded, claim.evaluated, claim.binding) == expected


@pytest.mark.parametrize("position", range(SIZE))
def test_any_changed_element_is_caught(group: Backend, position: int) -> None:
    claim = make_claim(group)
    parts = split(claim.evaluated)
    parts[position] = group.hash_to_group([b"something else"], b"tests").encode()
    refused(group, replace(claim, evaluated=elements(group, parts)))


def swap(parts: list[bytes]) -> list[bytes]:
    return [parts[1], parts[0], *parts[2:]]


def test_two_swapped_answers_are_caught(group: Backend) -> None:
    claim = make_claim(group)
    refused(group, replace(claim, evaluated=elements(group, swap(split(claim.evaluated)))))


def test_swapping_on_both_sides_is_another_batch(group: Backend) -> None:
    claim = make_claim(group)
    both = [elements(group, swap(split(batch))) for batch in (claim.blinded, claim.evaluated)]
    refused(group, replace(claim, blinded=both[0], evaluated=both[1]))


def test_errors_that_cancel_under_equal_weights_are_caught(group: Backend) -> None:
    # Add a difference to one answer and take it from another: a sum without weights would not see it.
    claim = make_claim(group)
    parts = split(claim.evaluated)
    difference = group.hash_to_group([b"difference"], b"tests")
    minus = group.multiply(scalars.from_int(-1), difference)
    parts[0] = group.add(elements(group, parts[:1]), difference).encode()
    parts[1] = group.add(elements(group, parts[1:2]), minus).encode()
    refused(group, replace(claim, evaluated=elements(group, parts)))


def test_an_answer_from_another_batch_is_caught(group: Backend) -> None:
    claim, other = make_claim(group), make_claim(group, "other")
    parts = split(claim.evaluated)
    parts[3] = split(other.evaluated)[3]
    refused(group, replace(claim, evaluated=elements(group, parts)))
    refused(group, replace(claim, evaluated=other.evaluated))
    refused(group, replace(claim, proof=other.proof))


@pytest.mark.parametrize(
    "binding",
    [
        Binding("2027-h1", "social-audit", 2),
        Binding("2026-h2", "ecovadis", 2),
        Binding("2026-h2", "social-audit", 1),
        Binding("2026-h2social-audit", "", 2),
        Binding("2026-h", "2social-audit", 2),
    ],
    ids=["epoch", "stream", "trustee", "joined", "shifted"],
)
def test_another_epoch_stream_or_trustee_is_refused(group: Backend, binding: Binding) -> None:
    refused(group, replace(make_claim(group), binding=binding))


def test_another_public_share_is_refused(group: Backend) -> None:
    claim = make_claim(group)
    refused(group, replace(claim, public=group.multiply_base(scalars.from_int(424243))))


def test_a_whole_batch_under_another_key_is_refused(group: Backend) -> None:
    # A key of the member's own would let its queries be recognised.
    claim, marked = make_claim(group), make_claim(group, secret=5)
    refused(group, replace(marked, public=claim.public))


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize(
    "scalar",
    [
        lambda s: bytes(32),
        lambda s: scalars.from_int(int.from_bytes(s, "little") + 1),
        lambda s: (int.from_bytes(s, "little") + ORDER).to_bytes(32, "little"),
        lambda s: s[:31] + bytes([s[31] | 0x80]),
        lambda s: b"\xff" * 32,
    ],
    ids=["zero", "plus one", "non-canonical", "bit 255", "all ones"],
)
def test_bad_proof_scalars_are_refused(group: Backend, part: int, scalar: Callable[[bytes], bytes]) -> None:
    claim = make_claim(group)
    halves = [claim.proof[:32], claim.proof[32:]]
    halves[part] = scalar(halves[part])
    refused(group, replace(claim, proof=b"".join(halves)))


@pytest.mark.parametrize("length", [0, 32, 63, 65, 96])
def test_proofs_of_another_length_are_refused(group: Backend, length: int) -> None:
    claim = make_claim(group)
    refused(group, replace(claim, proof=(claim.proof * 2)[:length]))


@pytest.mark.parametrize("count", [0, 1, SIZE - 1])
def test_a_shortened_answer_is_refused(group: Backend, count: int) -> None:
    claim = make_claim(group)
    refused(group, replace(claim, evaluated=elements(group, split(claim.evaluated)[:count])))


def test_the_empty_batch_proves_nothing(group: Backend) -> None:
    refused(group, replace(make_claim(group), blinded=group.decode(b""), evaluated=group.decode(b"")))


def test_a_proof_of_the_rfcs_form_is_not_one_of_the_whole_batch(group: Backend) -> None:
    claim, key = make_claim(group), scalars.from_int(424242)
    rfc = dleq.generate_proof(group, key, claim.public, claim.blinded, claim.evaluated, scalars.from_int(9))
    dleq.verify_proof(group, claim.public, claim.blinded, claim.evaluated, rfc)
    refused(group, replace(claim, proof=rfc))
    with pytest.raises(ProofError):
        dleq.verify_proof(group, claim.public, claim.blinded, claim.evaluated, claim.proof)


def test_the_rfcs_form_refuses_a_wrong_element_too(group: Backend) -> None:
    claim, key = make_claim(group), scalars.from_int(424242)
    rfc = dleq.generate_proof(group, key, claim.public, claim.blinded, claim.evaluated, scalars.from_int(9))
    with pytest.raises(ProofError):
        dleq.verify_proof(group, claim.public, claim.blinded, elements(group, swap(split(claim.evaluated))), rfc)
    with pytest.raises(EncodingError):
        dleq.verify_proof(group, claim.public, claim.blinded, claim.evaluated, rfc[:32] + bytes(32))


def test_repeated_randomness_does_not_repeat_the_nonce(group: Backend) -> None:
    # With one nonce n in two proofs, s_1 - s_2 = (c_2 - c_1) k gives the secret away.
    key, random = scalars.from_int(424242), b"\x05" * 64
    challenges, responses = [], []
    for name in ("first", "second"):
        claim = make_claim(group, name)
        args = (claim.public, claim.blinded, claim.evaluated, claim.binding)
        proof = dleq.prove_batch(group, key, *args, random)
        dleq.verify_batch(group, *args, proof)
        challenges.append(proof[:32])
        responses.append(proof[32:])
    quotient = scalars.multiply(
        scalars.subtract(responses[0], responses[1]), scalars.invert(scalars.subtract(challenges[1], challenges[0]))
    )
    assert quotient != key


def test_fresh_randomness_gives_a_fresh_proof(group: Backend) -> None:
    claim, key = make_claim(group), scalars.from_int(424242)
    args = (group, key, claim.public, claim.blinded, claim.evaluated, claim.binding)
    assert dleq.prove_batch(*args, b"\x01" * 64) != dleq.prove_batch(*args, b"\x02" * 64)
    with pytest.raises(ValueError, match="64 random bytes"):
        dleq.prove_batch(*args, b"\x01" * 63)


def refused(group: Backend, claim: Claim) -> None:
    with pytest.raises(ProofError) as caught:
        claim.verify(group)
    assert caught.value.party == f"trustee {claim.binding.trustee}"
    assert caught.value.party in caught.value.message
