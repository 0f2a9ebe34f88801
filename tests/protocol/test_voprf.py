"""RFC 9497 with one key: every published vector of modes OPRF and VOPRF, and an independent implementation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.vectors import draw_from, load, unhex
from tacit_protocol import dleq, scalars, voprf
from tacit_protocol.errors import EncodingError
from tacit_protocol.group import Backend

SUITES = load("rfc9497")["suites"]
CASES = [(suite, vector) for suite in SUITES for vector in suite["vectors"]]
case_ids = [
    f"mode {suite['mode']}, batch of {len(vector['input'])}, {vector['input'][0][:4]}" for suite, vector in CASES
]
every_case = pytest.mark.parametrize(("suite", "vector"), CASES, ids=case_ids)


def joined(values: list[str]) -> bytes:
    return b"".join(unhex(values))


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: f"mode {suite['mode']}")
def test_derive_key_gives_the_published_key(group: Backend, suite: dict[str, Any]) -> None:
    key = voprf.derive_key(group, bytes.fromhex(suite["seed"]), bytes.fromhex(suite["key_info"]), suite["mode"])
    assert key.hex() == suite["key"]
    if "public_key" in suite:
        assert group.multiply_base(key).encode().hex() == suite["public_key"]


@every_case
def test_published_vectors(group: Backend, suite: dict[str, Any], vector: dict[str, Any]) -> None:
    inputs, blinds = unhex(vector["input"]), joined(vector["blind"])
    blinded = voprf.blind(group, inputs, blinds, suite["mode"])
    assert blinded.encode() == joined(vector["blinded"])
    evaluated = voprf.blind_evaluate(group, bytes.fromhex(suite["key"]), group.decode(blinded.encode()))
    assert evaluated.encode() == joined(vector["evaluation"])
    received = group.decode(joined(vector["evaluation"]))
    assert voprf.finalize(group, inputs, blinds, received) == joined(vector["output"])


@every_case
def test_published_proofs(group: Backend, suite: dict[str, Any], vector: dict[str, Any]) -> None:
    if "proof" not in vector:
        assert suite["mode"] == voprf.MODE_OPRF
        return
    key, public = bytes.fromhex(suite["key"]), group.decode(bytes.fromhex(suite["public_key"]))
    blinded, evaluated = group.decode(joined(vector["blinded"])), group.decode(joined(vector["evaluation"]))
    randomness = bytes.fromhex(vector["randomness"])
    proof = dleq.generate_proof(group, key, public, blinded, evaluated, randomness)
    assert proof.hex() == vector["proof"]
    dleq.verify_proof(group, public, blinded, evaluated, proof)


def test_context_string_and_tags_are_the_rfcs() -> None:
    assert voprf.context_string(voprf.MODE_OPRF) == b"OPRFV1-\x00-ristretto255-SHA512"
    assert voprf.hash_to_group_dst() == b"HashToGroup-OPRFV1-\x01-ristretto255-SHA512"
    assert voprf.hash_to_scalar_dst() == b"HashToScalar-OPRFV1-\x01-ristretto255-SHA512"


@settings(max_examples=15, deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4), st.integers(min_value=0, max_value=10**6))
def test_blinding_hides_and_outputs_do_not_depend_on_it(group: Backend, inputs: list[bytes], seed: int) -> None:
    key = voprf.derive_key(group, bytes(32), b"blinding")
    draw = draw_from(str(seed))
    seen, outputs = [], []
    for _ in range(2):
        blinds = voprf.draw_blinds(group, draw(voprf.blind_random_bytes(len(inputs))))
        blinded = voprf.blind(group, inputs, blinds)
        seen.append(blinded.encode())
        outputs.append(voprf.finalize(group, inputs, blinds, voprf.blind_evaluate(group, key, blinded)))
    first, second = ({run[i : i + 32] for i in range(0, len(run), 32)} for run in seen)
    assert first.isdisjoint(second)
    assert outputs[0] == outputs[1]


def test_any_blinded_element_can_be_any_input(group: Backend) -> None:
    # Perfect hiding: for every other input there is a blind that gives the very same element.
    known, other = (group.hash_to_group([name], voprf.hash_to_group_dst()) for name in (b"site a", b"site b"))
    logarithm = scalars.from_int(987654321)
    other = group.multiply(logarithm, known)  # an input at a known distance, as a trapdoor for the test
    blind = scalars.from_int(1234567)
    twin = scalars.multiply(blind, scalars.invert(logarithm))
    assert group.multiply(blind, known).encode() == group.multiply(twin, other).encode()


def test_zero_blinds_are_refused(group: Backend) -> None:
    with pytest.raises(EncodingError, match="draw the randomness again"):
        voprf.draw_blinds(group, b"\x01" * 64 + bytes(64))


def test_the_independent_implementation_agrees(group: Backend) -> None:
    oracle = pytest.importorskip("voprf").ristretto
    seed, info, inputs = bytes(range(32)), b"oracle", [b"a", b"site 4711", b"\x00" * 300]
    evaluator, key = oracle.Evaluator.from_seed(seed, info), voprf.derive_key(group, seed, info)
    assert evaluator.public_key.serialize() == group.multiply_base(key).encode()
    draw = draw_from("oracle")
    blinds = voprf.draw_blinds(group, draw(voprf.blind_random_bytes(len(inputs))))
    blinded = voprf.blind(group, inputs, blinds)
    outputs = voprf.finalize(group, inputs, blinds, voprf.blind_evaluate(group, key, blinded))
    assert outputs == b"".join(bytes(evaluator.evaluate_known_input(value)) for value in inputs)


def test_the_independent_implementation_and_ours_accept_each_others_proofs(group: Backend) -> None:
    oracle = pytest.importorskip("voprf").ristretto
    seed, info = bytes(range(32)), b"oracle"
    evaluator, key = oracle.Evaluator.from_seed(seed, info), voprf.derive_key(group, seed, info)
    client, message = oracle.Client.blind(b"a site")
    blinded = group.decode(message.serialize())
    evaluated, public = group.multiply(key, blinded), group.multiply_base(key)
    theirs = evaluator.evaluate(message).serialize()  # the proof, then the element
    assert theirs[64:] == evaluated.encode()
    dleq.verify_proof(group, public, blinded, evaluated, theirs[:64])
    ours = dleq.generate_proof(group, key, public, blinded, evaluated, scalars.from_int(77)) + evaluated.encode()
    output = client.finalize(oracle.VerifiableOutput.deserialize(ours), evaluator.public_key)
    assert output == evaluator.evaluate_known_input(b"a site")
