"""Proofs that one secret links two batches (discrete-log equality): the RFC 9497 form and the whole-batch form.

The RFC form is here for its vectors only. On the wire every proof is in the whole-batch form: in RFC 9497 the
weight of each pair depends on the public key and that pair alone, and the RFC says itself (section 7.2.1) that there
is no security analysis with batching. The original Privacy Pass hashed every point of the batch into the seed; so
do we.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from tacit_protocol import scalars
from tacit_protocol.errors import EncodingError, ProofError
from tacit_protocol.group import ELEMENT_BYTES, SCALAR_BYTES, UNIFORM_BYTES, Backend, Elements
from tacit_protocol.voprf import MODE_VOPRF, context_string, hash_to_scalar_dst

PROOF_BYTES = 2 * SCALAR_BYTES
_LABEL = b"tacit/1 whole-batch proof"
_NONCE_LABEL = b"tacit/1 whole-batch proof nonce"
_GENERATOR_SCALAR = scalars.from_int(1)


@dataclass(frozen=True, slots=True)
class Binding:
    """What a whole-batch proof is bound to besides the points: it holds nowhere else."""

    epoch: str
    stream: str
    trustee: int

    def encode(self) -> bytes:
        """Return the length-prefixed encoding that goes into the seed."""
        return _prefixed(self.epoch.encode(), self.stream.encode(), self.trustee.to_bytes(2, "big"))


def encode_proof(challenge: bytes, response: bytes) -> bytes:
    """Return c || s, 64 bytes."""
    return challenge + response


def decode_proof(proof: bytes) -> tuple[bytes, bytes]:
    """Split c || s and refuse a wrong size or a non-canonical scalar."""
    if len(proof) != PROOF_BYTES:
        raise EncodingError(f"a proof has {PROOF_BYTES} bytes, got {len(proof)}")
    challenge, response = proof[:SCALAR_BYTES], proof[SCALAR_BYTES:]
    return scalars.check(challenge, "proof challenge"), scalars.check(response, "proof response")


# --- the whole-batch form, on the wire -------------------------------------------------------------------


def prove_batch(
    group: Backend,
    secret: bytes,
    public: Elements,
    blinded: Elements,
    evaluated: Elements,
    binding: Binding,
    random: bytes,
) -> bytes:
    """Prove that evaluated_i = secret * blinded_i for the whole batch and public = secret * G.

    ``random`` is 64 fresh uniform bytes. The nonce is derived from them, the secret and the whole batch, because one
    nonce in two proofs reveals the secret: a machine restored from a snapshot repeats its randomness. Returns c || s.
    """
    if len(random) != UNIFORM_BYTES:
        raise ValueError(f"a proof takes {UNIFORM_BYTES} random bytes, got {len(random)}")
    seed = batch_seed(public, blinded, evaluated, binding)
    nonce = scalars.reduce(hashlib.sha512(_prefixed(_NONCE_LABEL, secret, random, seed)).digest())
    composite_m = group.composites(seed, [blinded])
    composite_z = group.multiply(secret, composite_m)  # the prover knows k, so Z costs one multiplication
    return _prove(group, secret, public, composite_m, composite_z, nonce, MODE_VOPRF)


def verify_batch(
    group: Backend, public: Elements, blinded: Elements, evaluated: Elements, binding: Binding, proof: bytes
) -> None:
    """Raise :class:`ProofError` naming the trustee unless the whole batch was evaluated under ``public``."""
    party = f"trustee {binding.trustee}"
    if len(blinded) != len(evaluated):
        raise ProofError(f"{party} returned {len(evaluated)} elements for {len(blinded)}", party=party)
    composites = group.composites(batch_seed(public, blinded, evaluated, binding), [blinded, evaluated]).encode()
    try:
        composite_m = group.decode(composites[:ELEMENT_BYTES])
        composite_z = group.decode(composites[ELEMENT_BYTES:])
        _verify(group, public, composite_m, composite_z, proof, MODE_VOPRF)
    except (EncodingError, ProofError) as error:
        raise ProofError(
            f"{party} answered with a proof that does not hold: the answer is not used",
            party=party,
            evidence={
                "epoch": binding.epoch,
                "stream": binding.stream,
                "elements": len(blinded),
                "proof": proof.hex(),
            },
        ) from error


def batch_seed(public: Elements, blinded: Elements, evaluated: Elements, binding: Binding) -> bytes:
    """seed' = H(rfc_seed || label || epoch || stream || trustee || H(all blinded) || H(all evaluated))."""
    return hashlib.sha512(
        _rfc_seed(public)
        + _prefixed(_LABEL)
        + binding.encode()
        + hashlib.sha512(blinded.encode()).digest()
        + hashlib.sha512(evaluated.encode()).digest()
    ).digest()


# --- the RFC 9497 form, section 2.2, for the published vectors -----------------------------------------------


def generate_proof(
    group: Backend, secret: bytes, public: Elements, inputs: Elements, outputs: Elements, random_scalar: bytes
) -> bytes:
    """GenerateProof with a given random scalar (the vectors fix it); returns c || s."""
    composite_m, _ = _compute_composites(group, public, inputs, outputs)
    composite_z = group.multiply(secret, composite_m)
    return _prove(group, secret, public, composite_m, composite_z, random_scalar, MODE_VOPRF)


def verify_proof(group: Backend, public: Elements, inputs: Elements, outputs: Elements, proof: bytes) -> None:
    """VerifyProof: raise :class:`ProofError` unless it holds."""
    composite_m, composite_z = _compute_composites(group, public, inputs, outputs)
    _verify(group, public, composite_m, composite_z, proof, MODE_VOPRF)


def _compute_composites(
    group: Backend, public: Elements, inputs: Elements, outputs: Elements
) -> tuple[Elements, Elements]:
    seed, left, right = _rfc_seed(public), inputs.encode(), outputs.encode()
    transcripts = [
        _prefixed(seed)
        + i.to_bytes(2, "big")
        + _prefixed(left[ELEMENT_BYTES * i :][:ELEMENT_BYTES], right[ELEMENT_BYTES * i :][:ELEMENT_BYTES])
        + b"Composite"
        for i in range(len(inputs))
    ]
    weights = group.hash_to_scalar(transcripts, hash_to_scalar_dst(MODE_VOPRF))
    return group.weighted_sum(weights, inputs), group.weighted_sum(weights, outputs)


# --- shared: the Chaum-Pedersen step on the two composites ------------------------------------------------


def _prove(group: Backend, secret: bytes, public: Elements, m: Elements, z: Elements, nonce: bytes, mode: int) -> bytes:
    t2, t3 = group.multiply_base(nonce), group.multiply(nonce, m)
    challenge = _challenge(group, public, m, z, t2, t3, mode)
    return encode_proof(challenge, scalars.subtract(nonce, scalars.multiply(challenge, secret)))


def _verify(group: Backend, public: Elements, m: Elements, z: Elements, proof: bytes, mode: int) -> None:
    challenge, response = decode_proof(proof)
    generator = group.multiply_base(_GENERATOR_SCALAR)
    t2 = _combine(group, response, generator, challenge, public)
    t3 = _combine(group, response, m, challenge, z)
    if _challenge(group, public, m, z, t2, t3, mode) != challenge:
        raise ProofError("the proof does not hold")


def _combine(group: Backend, response: bytes, left: Elements, challenge: bytes, right: Elements) -> Elements:
    return group.add(group.multiply_each(response, left), group.multiply_each(challenge, right))


def _challenge(
    group: Backend, public: Elements, m: Elements, z: Elements, t2: Elements, t3: Elements, mode: int
) -> bytes:
    transcript = _prefixed(*(part.encode() for part in (public, m, z, t2, t3))) + b"Challenge"
    return group.hash_to_scalar([transcript], hash_to_scalar_dst(mode))


def _rfc_seed(public: Elements) -> bytes:
    """Return the seed of ComputeComposites: Hash(len || Bm || len || "Seed-" || contextString)."""
    return hashlib.sha512(_prefixed(public.encode(), b"Seed-" + context_string(MODE_VOPRF))).digest()


def _prefixed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)
