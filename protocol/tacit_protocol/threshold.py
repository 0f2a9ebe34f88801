"""Evaluate with one share and prove it; combine any t shares into the RFC 9497 output of the shared key.

Shamir shares of k over the scalar field, trustee j at point j; Lagrange interpolation in the exponent
(Jarecki, Kiayias, Krawczyk, Xu, TOPPSS, ePrint 2017/363). Every share answer carries a whole-batch proof, so that
a wrong one names its trustee instead of spoiling the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import lcm

from tacit_protocol import scalars
from tacit_protocol.dleq import Binding, prove_batch, verify_batch
from tacit_protocol.errors import EncodingError, ProofError, QuorumError
from tacit_protocol.group import ORDER, Backend, Elements


@dataclass(frozen=True, slots=True)
class ShareAnswer:
    """One trustee's answer to a batch: the evaluated elements and the proof, already decoded.

    ``signature``: the trustee's, as it came with the answer (:mod:`tacit_protocol.answers`); empty before it is signed.
    """

    trustee: int
    evaluated: Elements
    proof: bytes
    signature: bytes = b""


def evaluate_share(
    group: Backend, share: bytes, public_share: Elements, blinded: Elements, binding: Binding, random: bytes
) -> ShareAnswer:
    """Evaluate D_i = k_j * B_i and prove it (SPEC step E3). ``random``: 64 fresh uniform bytes."""
    evaluated = group.multiply(share, blinded)
    proof = prove_batch(group, share, public_share, blinded, evaluated, binding, random)
    return ShareAnswer(binding.trustee, evaluated, proof)


def verify_answer(
    group: Backend, epoch: str, stream: str, public_share: Elements, blinded: Elements, answer: ShareAnswer
) -> None:
    """Raise :class:`ProofError` naming the trustee unless its answer is right (SPEC step E4)."""
    verify_batch(group, public_share, blinded, answer.evaluated, Binding(epoch, stream, answer.trustee), answer.proof)


def combine(
    group: Backend, threshold: int, answers: Sequence[ShareAnswer], inputs: Sequence[bytes], blinds: bytes
) -> bytes:
    """Combine t *verified* answers, unblind and finalise: n packed 64-byte outputs (SPEC step E5).

    Of several answers of one trustee one is used: each was verified, so they are the same.
    """
    by_trustee = {answer.trustee: answer for answer in answers}
    if len(by_trustee) < threshold:
        raise QuorumError(f"{threshold} trustees must answer, {len(by_trustee)} did: run the command again later")
    chosen = [by_trustee[trustee] for trustee in sorted(by_trustee)][:threshold]
    if any(len(answer.evaluated) != len(inputs) for answer in chosen):
        raise ProofError("answers of different sizes cannot be combined")
    numerators, denominator = lagrange_at_zero([answer.trustee for answer in chosen])
    # The denominator goes into the blinds, so the coefficients stay small integers (cheap in both back ends).
    scaled = blinds if denominator == 1 else scalars.scale(scalars.from_int(denominator), blinds)
    coefficients = b"".join(scalars.from_int(numerator) for numerator in numerators)
    return group.finalise(inputs, group.unblind(coefficients, [answer.evaluated for answer in chosen], scaled))


def lagrange_at_zero(points: Sequence[int]) -> tuple[list[int], int]:
    """Return integers (numerators, common denominator) of the Lagrange coefficients at 0 for distinct ``points``."""
    if len(set(points)) != len(points) or any(not 0 < point < 2**16 for point in points):
        raise EncodingError("trustee indices are distinct and between 1 and 65535")
    fractions = []
    for i in points:
        top, bottom = 1, 1
        for j in points:
            if i != j:
                top, bottom = top * j, bottom * (j - i)
        fractions.append((top, bottom))
    denominator = lcm(*(bottom for _, bottom in fractions))
    return [top * (denominator // bottom) for top, bottom in fractions], denominator


def interpolate_secret(shares: Mapping[int, bytes]) -> bytes:
    """Recover f(0) from shares by index. For tests and vectors only: no party of the protocol ever holds k."""
    numerators, denominator = lagrange_at_zero(list(shares))
    total = scalars.ZERO
    for numerator, share in zip(numerators, shares.values(), strict=True):
        total = scalars.add(total, scalars.multiply(scalars.from_int(numerator), share))
    return scalars.multiply(total, scalars.from_int(pow(denominator, -1, ORDER)))
