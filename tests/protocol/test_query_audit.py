"""Query audits: positions without bias, openings that bind, answers for one auditor and one order."""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import cache

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from support.boards import MadeBoard
from tacit_protocol import grants, messages, query_audit, scalars, signing
from tacit_protocol.errors import EncodingError, QueryAuditError
from tacit_protocol.messages import GrantRequest, QueryAuditOrder
from tacit_protocol.query_audit import AuditAnswer, OpenedBatch, Opening, choose_positions

ROOT, NONCE, DIGEST = bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 64


class Case:
    """One granted batch of real keys and padding, and an order over it."""

    def __init__(self) -> None:
        self.made = MadeBoard("query audit").open()
        self.group = self.made.group
        self.member = self.made.member()
        self.name = signing.pseudonym(signing.public_bytes(self.member))
        self.batch = self.made.batch([b"key %d" % i for i in range(1500)])
        self.grant = self.made.grant(self.member, self.batch.blinded)
        self.request = messages.body_of(self.made.entries[self.grant].message, GrantRequest)
        self.order = self.made.order(self.member, self.grant)
        self.positions = query_audit.positions_of(self.order, self.request)

    def opened(self) -> OpenedBatch:
        return query_audit.open_batch(self.group, self.grant, self.batch.inputs, self.batch.blinds, self.positions)

    def verify(self, opened: OpenedBatch) -> None:
        query_audit.verify_openings(self.group, self.name, self.request, self.order, opened)


@cache
def made_case() -> Case:
    return Case()


@pytest.fixture
def case() -> Case:
    return made_case()


def replaced(opened: OpenedBatch, at: int, **changes: object) -> OpenedBatch:
    openings = list(opened.openings)
    openings[at] = msgspec.structs.replace(openings[at], **changes)
    return OpenedBatch(opened.grant, opened.blinded, tuple(openings))


@given(st.binary(min_size=32, max_size=32), st.integers(1, 8192), st.data())
def test_positions_are_different_in_order_and_inside_the_batch(root: bytes, count: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(1, min(count, 256)))
    positions = choose_positions(root, NONCE, DIGEST, count, number)
    assert len(set(positions)) == number and list(positions) == sorted(positions)
    assert positions[0] >= 0 and positions[-1] < count


def test_positions_follow_the_documented_steps() -> None:
    """A second reading of the steps, word by word, against the implementation."""
    count, wanted = 6144, 40
    seed = hashlib.sha512(
        b"tacit/1 query-audit positions\x00" + ROOT + NONCE + DIGEST + count.to_bytes(4, "big")
    ).digest()
    words = b"".join(hashlib.sha512(seed + block.to_bytes(4, "big")).digest() for block in range(20))
    seen: list[int] = []
    for i in range(0, len(words), 4):
        word = int.from_bytes(words[i : i + 4], "big")
        if word < (2**32 // count) * count and word % count not in seen:
            seen.append(word % count)
    assert choose_positions(ROOT, NONCE, DIGEST, count, wanted) == tuple(sorted(seen[:wanted]))


def test_positions_change_with_everything_they_depend_on() -> None:
    base = choose_positions(ROOT, NONCE, DIGEST, 2048, 16)
    others = [
        choose_positions(NONCE, NONCE, DIGEST, 2048, 16),
        choose_positions(ROOT, ROOT, DIGEST, 2048, 16),
        choose_positions(ROOT, NONCE, DIGEST[::-1][:-1] + b"x", 2048, 16),
        choose_positions(ROOT, NONCE, DIGEST, 4096, 16),
    ]
    assert all(other != base for other in others)


def test_fewer_positions_are_among_the_more() -> None:
    assert set(choose_positions(ROOT, NONCE, DIGEST, 8192, 20)) <= set(choose_positions(ROOT, NONCE, DIGEST, 8192, 200))


def test_positions_are_spread_evenly() -> None:
    """Chi-squared over 16 cells with 8,000 draws: beyond 50 by chance once in 80,000 (and the draws are fixed)."""
    cells = Counter(
        position * 16 // 6144
        for i in range(500)
        for position in choose_positions(i.to_bytes(32, "big"), NONCE, DIGEST, 6144, 16)
    )
    expected = 500 * 16 / 16
    assert sum((cells[cell] - expected) ** 2 / expected for cell in range(16)) < 50


@pytest.mark.parametrize("number", [0, -1, 17])
def test_impossible_numbers_of_positions_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="cannot be chosen"):
        choose_positions(ROOT, NONCE, DIGEST, 16, number)


def test_all_positions_of_a_small_batch_can_be_chosen() -> None:
    assert choose_positions(ROOT, NONCE, DIGEST, 16, 16) == tuple(range(16))


def test_an_honest_answer_passes_and_discloses_only_the_chosen_positions(case: Case) -> None:
    opened = case.opened()
    case.verify(opened)
    assert {o.value for o in opened.openings} == {case.batch.inputs[i] for i in case.positions}
    packed = messages.encode(AuditAnswer(9, (opened,)))
    unopened = next(i for i in range(2048) if i not in case.positions)
    assert case.batch.blinds[32 * unopened : 32 * unopened + 32] not in packed


def test_another_input_for_the_same_element_fails(case: Case) -> None:
    with pytest.raises(QueryAuditError, match="does not give the element") as caught:
        case.verify(replaced(case.opened(), 3, value=b"a supplier we do buy from"))
    assert caught.value.party == case.name
    assert caught.value.evidence["position"] == case.positions[3]


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=64, max_size=64), st.binary(min_size=1, max_size=40))
def test_no_other_opening_fits(uniform: bytes, value: bytes) -> None:
    case = made_case()
    with pytest.raises(QueryAuditError):
        case.verify(replaced(case.opened(), 0, value=value, blind=scalars.reduce(uniform)))


@pytest.mark.parametrize("blind", [bytes(32), b"\xff" * 32], ids=["zero", "not canonical"])
def test_blinds_that_are_none_are_refused(case: Case, blind: bytes) -> None:
    with pytest.raises(QueryAuditError, match="scalar"):
        case.verify(replaced(case.opened(), 0, blind=blind))


def test_the_openings_of_another_batch_fail(case: Case) -> None:
    other = case.made.batch([b"key %d" % i for i in range(1500)])
    opened = query_audit.open_batch(case.group, case.grant, other.inputs, other.blinds, case.positions)
    with pytest.raises(QueryAuditError, match="not those that were granted") as caught:
        case.verify(opened)
    assert caught.value.evidence["granted"] == case.request.digest.hex()


def test_a_batch_with_one_element_exchanged_fails(case: Case) -> None:
    opened = case.opened()
    changed = opened.blinded[32:64] + opened.blinded[:32] + opened.blinded[64:]
    with pytest.raises(QueryAuditError, match="not those that were granted"):
        case.verify(OpenedBatch(opened.grant, changed, opened.openings))


@pytest.mark.parametrize("keep", [slice(0, -1), slice(1, None), slice(0, 0)])
def test_openings_left_out_fail(case: Case, keep: slice) -> None:
    opened = case.opened()
    with pytest.raises(QueryAuditError, match="other positions"):
        case.verify(OpenedBatch(opened.grant, opened.blinded, opened.openings[keep]))


def test_openings_at_positions_of_the_members_choice_fail(case: Case) -> None:
    chosen = [i for i in range(2048) if i not in case.positions][:16]
    opened = query_audit.open_batch(case.group, case.grant, case.batch.inputs, case.batch.blinds, chosen)
    with pytest.raises(QueryAuditError, match="other positions"):
        case.verify(opened)


def test_an_answer_is_for_its_auditor_and_its_order_alone(case: Case) -> None:
    answer = AuditAnswer(9, (case.opened(),))
    private = case.made.auditor_agreement
    sealed = query_audit.seal_answer(private.public_key().public_bytes_raw(), case.order, answer)
    assert query_audit.open_answer(private, case.order, sealed) == answer
    with pytest.raises(QueryAuditError, match="another key"):
        query_audit.open_answer(X25519PrivateKey.generate(), case.order, sealed)
    another: QueryAuditOrder = msgspec.structs.replace(case.order, nonce=bytes(32))
    with pytest.raises(QueryAuditError, match="another order"):
        query_audit.open_answer(private, another, sealed)
    with pytest.raises(QueryAuditError):
        query_audit.open_answer(private, case.order, sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(QueryAuditError, match="no sealed answer"):
        query_audit.open_answer(private, case.order, b"PK" + sealed)


def test_a_sealed_answer_shows_neither_inputs_nor_their_length(case: Case) -> None:
    key = case.made.auditor_agreement.public_key().public_bytes_raw()
    opened = case.opened()
    longer = replaced(opened, 0, value=b"x" * 3000)
    sizes = {len(query_audit.seal_answer(key, case.order, AuditAnswer(9, (o,)))) for o in (opened, longer)}
    assert len(sizes) == 1
    assert opened.openings[0].value not in query_audit.seal_answer(key, case.order, AuditAnswer(9, (opened,)))


def test_digests_tell_answers_apart() -> None:
    assert query_audit.answer_digest(b"a") != query_audit.answer_digest(b"b")
    assert query_audit.answer_digest(b"a") != hashlib.sha512(b"a").digest()


def test_an_opening_is_bounded() -> None:
    decoded = messages.encode(Opening(grants.BLOCK, b"x", bytes(32)))
    with pytest.raises(EncodingError, match="position"):
        messages.decode(decoded, Opening)
