"""Shares evaluate, prove and combine to the RFC 9497 output of the shared key, whichever t trustees answer."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations, permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.vectors import draw_from, load, unhex
from tacit_protocol import scalars, threshold, voprf
from tacit_protocol.dleq import Binding
from tacit_protocol.errors import EncodingError, ProofError, QuorumError
from tacit_protocol.group import ORDER, Backend, Elements
from tacit_protocol.threshold import ShareAnswer

EPOCH, STREAM = "2026-h2", "social-audit"
VOPRF_SUITE = next(suite for suite in load("rfc9497")["suites"] if suite["mode"] == voprf.MODE_VOPRF)
SUBSETS = list(combinations(range(1, 6), 3))


def share_out(secret: bytes, needed: int, indices: list[int], seed: str) -> dict[int, bytes]:
    """Shamir's sharing with a dealer, for tests only."""
    draw = draw_from(seed)
    coefficients = [int.from_bytes(secret, "little")]
    coefficients += [int.from_bytes(draw(40), "little") % ORDER for _ in range(needed - 1)]
    return {i: scalars.from_int(sum(a * i**k for k, a in enumerate(coefficients))) for i in indices}


def answers_of(group: Backend, shares: dict[int, bytes], blinded: Elements) -> dict[int, ShareAnswer]:
    answers = {}
    for index, share in shares.items():
        public = group.multiply_base(share)
        binding = Binding(EPOCH, STREAM, index)
        answers[index] = threshold.evaluate_share(group, share, public, blinded, binding, bytes([index]) * 64)
    return answers


@pytest.mark.parametrize(
    "vector", VOPRF_SUITE["vectors"], ids=lambda v: f"batch of {len(v['input'])} {v['input'][0][:4]}"
)
def test_rfc_vectors_through_every_three_of_five(group: Backend, vector: dict[str, Any]) -> None:
    shares = share_out(bytes.fromhex(VOPRF_SUITE["key"]), 3, [1, 2, 3, 4, 5], "rfc")
    inputs, blinds = unhex(vector["input"]), b"".join(unhex(vector["blind"]))
    blinded = group.decode(b"".join(unhex(vector["blinded"])))
    answers = answers_of(group, shares, blinded)
    for index, answer in answers.items():
        threshold.verify_answer(group, EPOCH, STREAM, group.multiply_base(shares[index]), blinded, answer)
    expected = b"".join(unhex(vector["output"]))
    for subset in SUBSETS:
        output = threshold.combine(group, 3, [answers[i] for i in subset], inputs, blinds)
        assert output == expected, subset
    assert threshold.combine(group, 3, list(answers.values()), inputs, blinds) == expected


@settings(max_examples=12, deadline=None)
@given(
    st.integers(min_value=1, max_value=4),
    st.lists(st.integers(min_value=1, max_value=255), min_size=4, max_size=6, unique=True),
    st.integers(min_value=0, max_value=10**9),
)
def test_output_does_not_depend_on_the_subset_the_order_or_the_blinds(
    group: Backend, needed: int, indices: list[int], seed: int
) -> None:
    draw = draw_from(str(seed))
    secret = scalars.reduce(draw(64))
    inputs = [b"a", b"b", b"c"]
    expected = voprf.finalize(
        group,
        inputs,
        scalars.from_int(1) * 3,
        group.multiply(secret, voprf.blind(group, inputs, scalars.from_int(1) * 3)),
    )
    blinds = voprf.draw_blinds(group, draw(64 * 3))
    answers = answers_of(group, share_out(secret, needed, indices, str(seed)), voprf.blind(group, inputs, blinds))
    for subset in (indices[:needed], indices[-needed:], indices[::-1]):
        assert threshold.combine(group, needed, [answers[i] for i in subset], inputs, blinds) == expected


def test_fewer_than_t_shares_give_another_output(group: Backend) -> None:
    secret, inputs, blinds = scalars.from_int(31337), [b"x"], scalars.from_int(5)
    answers = answers_of(group, share_out(secret, 3, [1, 2, 3], "few"), voprf.blind(group, inputs, blinds))
    right = threshold.combine(group, 3, list(answers.values()), inputs, blinds)
    for pair in combinations(answers.values(), 2):
        assert threshold.combine(group, 2, list(pair), inputs, blinds) != right


def test_duplicated_answers_count_once(group: Backend) -> None:
    inputs, blinds = [b"x"], scalars.from_int(5)
    shares = share_out(scalars.from_int(7), 2, [1, 2, 3], "duplicates")
    answers = answers_of(group, shares, voprf.blind(group, inputs, blinds))
    expected = threshold.combine(group, 2, [answers[1], answers[2]], inputs, blinds)
    for order in permutations([answers[1], answers[1], answers[2]]):
        assert threshold.combine(group, 2, list(order), inputs, blinds) == expected
    with pytest.raises(QuorumError, match="2 trustees must answer, 1 did"):
        threshold.combine(group, 2, [answers[1], answers[1]], inputs, blinds)


def test_too_few_answers_are_a_quorum_error(group: Backend) -> None:
    with pytest.raises(QuorumError, match="run the command again"):
        threshold.combine(group, 2, [], [b"x"], scalars.from_int(5))


def test_answers_of_different_sizes_are_refused(group: Backend) -> None:
    shares = share_out(scalars.from_int(7), 2, [1, 2], "sizes")
    long, short = (voprf.blind(group, inputs, scalars.from_int(5) * len(inputs)) for inputs in ([b"x", b"y"], [b"x"]))
    answers = [answers_of(group, shares, long)[1], answers_of(group, shares, short)[2]]
    with pytest.raises(ProofError, match="different sizes"):
        threshold.combine(group, 2, answers, [b"x", b"y"], scalars.from_int(5) * 2)


def test_a_wrong_answer_names_its_trustee_and_the_right_one_passes(group: Backend) -> None:
    shares = share_out(scalars.from_int(7), 2, [1, 2, 3], "wrong")
    blinded = voprf.blind(group, [b"x", b"y"], scalars.from_int(5) * 2)
    answers = answers_of(group, shares, blinded)
    publics = {i: group.multiply_base(share) for i, share in shares.items()}
    for index in shares:
        threshold.verify_answer(group, EPOCH, STREAM, publics[index], blinded, answers[index])
    impostor = replace(answers[1], trustee=3)
    with pytest.raises(ProofError) as caught:
        threshold.verify_answer(group, EPOCH, STREAM, publics[3], blinded, impostor)
    assert caught.value.party == "trustee 3"
    wrong = replace(answers[2], evaluated=answers[1].evaluated)
    with pytest.raises(ProofError) as caught:
        threshold.verify_answer(group, EPOCH, STREAM, publics[2], blinded, wrong)
    assert caught.value.party == "trustee 2"
    assert caught.value.evidence["elements"] == 2


@given(st.lists(st.integers(min_value=1, max_value=255), min_size=1, max_size=7, unique=True))
def test_lagrange_coefficients_are_those_of_the_definition(points: list[int]) -> None:
    numerators, denominator = threshold.lagrange_at_zero(points)
    for i, numerator in zip(points, numerators, strict=True):
        expected = Fraction(1)
        for j in points:
            if i != j:
                expected *= Fraction(j, j - i)
        assert Fraction(numerator, denominator) == expected


def test_two_trustees_have_small_coefficients() -> None:
    assert threshold.lagrange_at_zero([1, 2]) == ([2, -1], 1)
    assert threshold.lagrange_at_zero([1, 3]) == ([3, -1], 2)
    assert threshold.lagrange_at_zero([2, 3]) == ([3, -2], 1)


@pytest.mark.parametrize("points", [[0, 1], [1, 1], [-1, 2], [1, 2**16]])
def test_impossible_indices_are_refused(points: list[int]) -> None:
    with pytest.raises(EncodingError, match="distinct and between"):
        threshold.lagrange_at_zero(points)


@pytest.mark.parametrize("subset", SUBSETS)
def test_shares_interpolate_to_the_secret(subset: tuple[int, ...]) -> None:
    shares = share_out(scalars.from_int(99), 3, [1, 2, 3, 4, 5], "interpolate")
    assert threshold.interpolate_secret({i: shares[i] for i in subset}) == scalars.from_int(99)
    assert threshold.interpolate_secret({i: shares[i] for i in subset[:2]}) != scalars.from_int(99)
