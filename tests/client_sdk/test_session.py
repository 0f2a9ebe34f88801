"""The spine of a member's session, with trustees in memory."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from itertools import combinations, pairwise

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from support.trustees import EPOCH, STREAM, Trustees
from tacit_client import session
from tacit_protocol import grants, sealed_index, shuffle
from tacit_protocol.errors import ProofError
from tacit_protocol.index_file import IndexFile, IndexHeader, encode_header
from tacit_protocol.threshold import ShareAnswer


@pytest.fixture(scope="module")
def trustees() -> Trustees:
    return Trustees.after_ceremony()


def evaluate(trustees: Trustees, inputs: list[bytes], known: dict[bytes, bytes] | None = None) -> dict[bytes, bytes]:
    known = known if known is not None else {}
    for batch in session.plan_batches(trustees.group, inputs, known, secrets.token_bytes):
        blinded = batch.blinded(trustees.group)
        answers = [trustees.answer(i, blinded) for i in (1, 3)]
        known.update(session.finish_batch(trustees.group, trustees.context, batch, answers, known))
    return known


def index_of(records: list[bytes]) -> IndexFile:
    cut = [record[: sealed_index.RECORD_BYTES] for record in records]
    entries = [
        record[at : at + sealed_index.ENTRY_BYTES]
        for record in records
        for at in range(sealed_index.RECORD_BYTES, sealed_index.SEALED_BYTES, sealed_index.ENTRY_BYTES)
    ]
    header = encode_header(IndexHeader(EPOCH, STREAM, 1, len(entries), len(cut)))
    return IndexFile(header + b"".join(sorted(entries)) + b"".join(sorted(cut)))


def test_a_plan_is_padded_and_hides_the_count(trustees: Trustees) -> None:
    few = list(session.plan_batches(trustees.group, [b"a"], {}, secrets.token_bytes))
    many = list(session.plan_batches(trustees.group, [b"%d" % i for i in range(2000)], {}, secrets.token_bytes))
    assert [len(batch.inputs) for batch in few] == [len(batch.inputs) for batch in many] == [grants.PADDING]
    assert sum(not session.is_dummy(value) for value in many[0].inputs) == 2000


def test_large_plans_split_into_blocks_that_share_canaries(trustees: Trustees) -> None:
    needed = [b"%d" % i for i in range(grants.BLOCK + 5)]
    batches = list(session.plan_batches(trustees.group, needed, {}, secrets.token_bytes))
    assert [len(batch.inputs) for batch in batches] == [grants.BLOCK, grants.PADDING]
    assert len(set(batches[0].inputs) & set(batches[1].inputs)) == session.CANARIES
    assert set(needed) <= set(batches[0].inputs) | set(batches[1].inputs)


@pytest.mark.parametrize("count", [2040, 2044, 2045, 2048, 8184, 8188, 8189, 8192])
def test_every_needed_input_is_planned_at_the_edges(trustees: Trustees, count: int) -> None:
    needed = [b"%d" % i for i in range(count)]
    batches = list(session.plan_batches(trustees.group, needed, {b"old": bytes(64)}, secrets.token_bytes))
    planned = {value for batch in batches for value in batch.inputs}
    assert set(needed) <= planned
    assert all(len(batch.inputs) % grants.PADDING == 0 for batch in batches)


@pytest.mark.parametrize("known", [0, 1, session.CANARIES, 100])
@pytest.mark.parametrize("count", [1, 2044, 2045, 8184, 8185, 8188, 8189, 8192, 8193, 16_376, 16_377, 18_000])
def test_the_sizes_are_those_that_the_count_alone_gives(trustees: Trustees, known: int, count: int) -> None:
    needed = (b"%d" % i for i in range(count))
    outputs = {b"old %d" % i: bytes(64) for i in range(known)}
    batches = list(session.plan_batches(trustees.group, needed, outputs, secrets.token_bytes))
    of_blocks = count + session.CANARIES * len(grants.batch_sizes(count))  # as if all were planned together
    assert [len(batch.inputs) for batch in batches] == grants.batch_sizes(of_blocks)
    assert all(len(set(batch.inputs)) == len(batch.inputs) for batch in batches)
    for batch in batches[:-1]:
        dummies = sum(map(session.is_dummy, batch.inputs))
        assert dummies <= session.CANARIES  # the rest is padding of the last one
    for batch in batches[1:]:
        shared = set(batch.inputs) & (outputs.keys() | set(batches[0].inputs))
        assert len(shared) == (min(known, session.CANARIES) or min(count, session.CANARIES))


def test_a_batch_is_planned_as_soon_as_its_inputs_are_there(trustees: Trustees) -> None:
    drawn = 0

    def needed() -> Iterator[bytes]:
        nonlocal drawn
        for i in range(3 * grants.BLOCK):
            drawn = i + 1
            yield b"%d" % i

    batches = session.plan_batches(trustees.group, needed(), {}, secrets.token_bytes)
    assert drawn == 0
    for number in (1, 2):
        next(batches)
        assert drawn == number * (grants.BLOCK - session.CANARIES)


def test_positions_in_a_batch_do_not_follow_the_order_of_the_inputs(trustees: Trustees) -> None:
    """Seven keys of one record, one after the other: in a batch the places between them are as between any others."""
    needed = [b"%d" % i for i in range(7000)]
    (batch,) = session.plan_batches(trustees.group, needed, {}, secrets.token_bytes)
    place = {value: i for i, value in enumerate(batch.inputs)}
    neighbours = sum(abs(place[one] - place[other]) == 1 for one, other in pairwise(needed))
    assert neighbours < 20  # 1.7 are to be expected by chance, 6,999 without the shuffle


def test_nothing_is_planned_for_what_is_known(trustees: Trustees) -> None:
    assert list(session.plan_batches(trustees.group, [b"a"], {b"a": bytes(64)}, secrets.token_bytes)) == []


def test_outputs_do_not_depend_on_who_answers_or_on_the_blinds(trustees: Trustees) -> None:
    seen = []
    for pair in combinations(trustees.shares, 2):
        (batch,) = session.plan_batches(trustees.group, [b"site"], {}, secrets.token_bytes)
        blinded = batch.blinded(trustees.group)
        answers = [trustees.answer(i, blinded) for i in pair]
        seen.append(session.finish_batch(trustees.group, trustees.context, batch, answers, {})[b"site"])
    assert len(set(seen)) == 1


def test_a_wrong_answer_names_its_trustee(trustees: Trustees) -> None:
    (batch,) = session.plan_batches(trustees.group, [b"site"], {}, secrets.token_bytes)
    blinded = batch.blinded(trustees.group)
    right, other = trustees.answer(2, blinded), trustees.answer(1, blinded)
    wrong = ShareAnswer(2, other.evaluated, right.proof)
    with pytest.raises(ProofError, match="trustee 2") as caught:
        session.check_answer(trustees.group, trustees.context, blinded, wrong)
    assert caught.value.party == "trustee 2"


def test_a_canary_that_changed_is_noticed(trustees: Trustees) -> None:
    known = evaluate(trustees, [b"site"])
    (batch,) = session.plan_batches(trustees.group, [b"new"], {b"site": known[b"site"]}, secrets.token_bytes)
    assert b"site" in batch.inputs
    blinded = batch.blinded(trustees.group)
    answers = [trustees.answer(i, blinded) for i in (1, 2)]
    with pytest.raises(ProofError, match="canary"):
        session.finish_batch(trustees.group, trustees.context, batch, answers, {b"site": bytes(64)})


def test_a_contribution_is_found_by_who_knows_a_key_and_by_nobody_else(trustees: Trustees) -> None:
    secretariat = X25519PrivateKey.generate()
    outputs = evaluate(trustees, [b"name", b"address", b"unrelated"])
    payload = bytes(range(224))
    (page,) = session.seal_contribution(
        trustees.group,
        trustees.context,
        secretariat.public_key().public_bytes_raw(),
        session.UnsealedRecords([[b"name", b"address"]], lambda number, sketch_key: payload),
        outputs,
        secrets.token_bytes,
    )
    uploads = shuffle.split_page(page.uploads)
    assert len(uploads) == sealed_index.RECORD_BUCKET
    sealed = [shuffle.open_at_secretariat(secretariat, EPOCH, STREAM, upload) for upload in uploads]
    assert page.commitments == b"".join(record[:32] for record in sealed)
    index = index_of(sealed)
    keys = trustees.context.entry_keys(trustees.group, outputs, outputs)
    both = [keys[b"unrelated"], keys[b"address"]]
    (opened, unusable), nothing = session.open_index(trustees.context, index, [both, [keys[b"unrelated"]]], frozenset())
    assert [(record.payload, record.agreed) for record in opened] == [(payload, (1,))]
    assert unusable == 0
    assert nothing == ([], 0)
    own = frozenset({page.commitments[:32]})
    assert list(session.open_index(trustees.context, index, [[keys[b"name"]]], own)) == [([], 0)]


def test_a_contribution_comes_in_whole_pages_and_every_record_opens(
    trustees: Trustees, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two full pages and one with dummies; every record has keys, a sketch key and a payload of its own."""
    monkeypatch.setattr(shuffle, "PAGE_RECORDS", 64)
    secretariat, count = X25519PrivateKey.generate(), 130
    inputs = [[b"%d of %d" % (n, i) for n in range(i % 14 + 1)] for i in range(count)]
    outputs = {value: hashlib.sha512(value).digest() for each in inputs for value in each}

    def payload_of(number: int, sketch_key: bytes) -> bytes:
        return sketch_key + bytes([number]) * 192

    pages = list(
        session.seal_contribution(
            trustees.group,
            trustees.context,
            secretariat.public_key().public_bytes_raw(),
            session.UnsealedRecords(inputs, payload_of),
            outputs,
            secrets.token_bytes,
        )
    )
    sizes = [64, 64, 64]
    assert (
        [len(page.commitments) // 32 for page in pages] == [len(shuffle.split_page(p.uploads)) for p in pages] == sizes
    )
    uploads = [upload for page in pages for upload in shuffle.split_page(page.uploads)]
    assert len({upload[:32] for upload in uploads}) == len(uploads)
    sealed = [shuffle.open_at_secretariat(secretariat, EPOCH, STREAM, upload) for upload in uploads]
    assert b"".join(record[:32] for record in sealed) == b"".join(page.commitments for page in pages)
    index = index_of(sealed)
    keys = trustees.context.entry_keys(trustees.group, outputs, outputs)
    plans = [[keys[value] for value in each] for each in inputs]
    for number, ((opened,), unusable) in enumerate(session.open_index(trustees.context, index, plans, frozenset())):
        assert opened.payload == payload_of(number, opened.sketch_key) and unusable == 0
        assert opened.agreed == tuple(range(number % 14 + 1))
        assert opened.commitment == sealed[number][:32]
