"""The native back end and libsodium's give the same bytes, or refuse with the same error at the same position."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support.vectors import draw_from
from tacit_protocol import dleq, scalars, sealed_index, threshold, voprf
from tacit_protocol.errors import EncodingError
from tacit_protocol.group import ELEMENT_BYTES, ORDER, Backend, Elements, load_backend

pytest.importorskip("tacit_native", reason="the native core is not built: make native")

SODIUM = load_backend("libsodium")
NATIVE = load_backend("native")
NATIVE_THREADED = load_backend("native", threads=3)
DST = b"tests"
IDENTITY = bytes(ELEMENT_BYTES)

more = settings(max_examples=60, deadline=None)

a_value = st.one_of(
    st.integers(min_value=0, max_value=ORDER - 1),
    st.integers(min_value=-3, max_value=3).map(lambda value: value % ORDER),
)
packed_scalars = st.lists(a_value, max_size=6).map(lambda values: b"".join(map(scalars.from_int, values)))
an_input = st.binary(max_size=300)
good_encoding = st.binary(max_size=4).map(lambda name: SODIUM.hash_to_group([name], DST).encode())
bad_encoding = st.one_of(
    st.just(IDENTITY),
    st.binary(min_size=32, max_size=32),
    good_encoding.map(lambda encoding: encoding[:31] + bytes([encoding[31] | 0x80])),
    good_encoding.map(lambda e: ((2**255 - 19 - int.from_bytes(e, "little")) % 2**256).to_bytes(32, "little")),
)
logarithms = st.lists(a_value, min_size=1, max_size=6)


def outcome(call: Callable[[Backend], bytes], back_end: Backend) -> object:
    """Return what a call gives: its bytes, or its error with message and position."""
    try:
        return call(back_end)
    except EncodingError as error:
        return (EncodingError, error.message, error.position)
    except ValueError:
        return ValueError


def agree(call: Callable[[Backend], bytes]) -> object:
    expected = outcome(call, SODIUM)
    assert outcome(call, NATIVE) == expected
    assert outcome(call, NATIVE_THREADED) == expected
    return expected


def points(group: Backend, values: list[int]) -> Elements:
    """Return multiples of the generator, among them the identity for a zero."""
    return group.multiply_base(b"".join(map(scalars.from_int, values)))


def in_both_forms(group: Backend, values: list[int]) -> list[Elements]:
    """Return elements as a multiplication leaves them and as the decoder or an addition leaves them."""
    computed = points(group, values)
    if 0 in values:
        return [computed, group.add(computed, points(group, [0] * len(values)))]
    return [computed, group.decode(computed.encode())]


# --- foreign bytes -------------------------------------------------------------------------------------------


@more
@given(st.lists(st.one_of(good_encoding, bad_encoding), max_size=5), st.integers(min_value=0, max_value=3))
def test_decoding(encodings: list[bytes], extra: int) -> None:
    agree(lambda group: group.decode(b"".join(encodings) + bytes(extra)).encode())


@pytest.mark.parametrize("first", [0, 127, 128, 400])
def test_the_first_of_several_bad_elements_is_the_one_that_is_named(first: int) -> None:
    good = SODIUM.hash_to_group([str(i).encode() for i in range(520)], DST).encode()
    packed = bytearray(good)
    packed[32 * first + 31] |= 0x80
    packed[32 * 500 : 32 * 501] = IDENTITY
    message = f"element {first} is not a canonical ristretto255 encoding"
    assert agree(lambda group: group.decode(bytes(packed)).encode()) == (EncodingError, message, first)


@more
@given(packed_scalars, st.binary(max_size=40))
def test_scalars_that_are_not_canonical(good: bytes, tail: bytes) -> None:
    agree(lambda group: group.multiply_base(good + tail).encode())


@more
@given(st.binary(min_size=32, max_size=32))
def test_a_secret_from_anywhere(secret: bytes) -> None:
    agree(lambda group: group.multiply(secret, group.hash_to_group([b"p", b"q"], DST)).encode())


@more
@given(st.integers(min_value=0, max_value=4).map(lambda n: 64 * n), st.integers(min_value=0, max_value=1), st.data())
def test_reduction(length: int, extra: int, data: st.DataObject) -> None:
    uniform = data.draw(st.binary(min_size=length + extra, max_size=length + extra))
    agree(lambda group: group.reduce_scalars(uniform))


# --- hashing -------------------------------------------------------------------------------------------------


@more
@given(st.lists(an_input, max_size=5), st.binary(max_size=260))
def test_hashing(inputs: list[bytes], dst: bytes) -> None:
    agree(lambda group: group.hash_to_group(inputs, dst).encode())
    agree(lambda group: group.hash_to_scalar(inputs, dst))


@more
@given(st.lists(an_input, max_size=5), logarithms)
def test_finalising(inputs: list[bytes], values: list[int]) -> None:
    for form in (0, 1):
        agree(lambda group, form=form: group.finalise(inputs, in_both_forms(group, values)[form]))  # type: ignore[misc]


@more
@given(
    st.binary(max_size=150),
    st.binary(max_size=40),
    st.integers(min_value=0, max_value=4),
    st.sampled_from([0, 0, 1, 63]),
)
def test_entry_keys(context: bytes, seed: bytes, count: int, extra: int) -> None:
    """A context of any length, also beyond a block of BLAKE2b: both back ends give what one output alone gives."""
    outputs = [hashlib.sha512(seed + bytes([i])).digest() for i in range(count)]
    result = agree(lambda group: group.entry_keys(context, b"".join(outputs) + bytes(extra)))
    one_by_one = [sealed_index.entry_key(context, output) for output in outputs]
    assert result == (ValueError if extra else b"".join(key.tag + key.wrap for key in one_by_one))
    if not extra:
        assert sealed_index.entry_keys(NATIVE, context, outputs) == one_by_one


def test_entry_keys_of_many_outputs_on_several_cores() -> None:
    outputs = draw_from("outputs")(64 * 1000)
    assert isinstance(agree(lambda group: group.entry_keys(b"context", outputs)), bytes)


# --- sealing and the order of a table ------------------------------------------------------------------------


def packed_records(seed: str, counts: list[int]) -> list[bytes]:
    """Return the packed arguments of `seal_records` between the context and the end, for counts that may be wrong."""
    draw, keys, lacking = draw_from(seed), sum(counts), sum(max(14 - count, 0) for count in counts)
    sizes = (32 * len(counts), 224 * len(counts), 44 * keys, 8 * keys + 52 * lacking)
    record_keys, payloads, entry_keys, random = map(draw, sizes)
    return [record_keys, payloads, bytes(counts), entry_keys, random]


@more
@given(
    st.binary(max_size=90),
    st.integers(0, 10**6),
    st.lists(st.integers(min_value=1, max_value=14), max_size=4),
)
def test_sealing_records(context: bytes, seed: int, counts: list[int]) -> None:
    arguments = packed_records(f"records {seed}", counts)
    sealed = agree(lambda group: group.seal_records(context, *arguments))
    assert isinstance(sealed, bytes)
    at, (record_keys, payloads, _, entry_keys, random) = 0, arguments
    for i, count in enumerate(counts):
        mine = entry_keys[44 * sum(counts[:i]) : 44 * sum(counts[: i + 1])]
        take = 8 * count + 52 * (14 - count)
        alone = (record_keys[32 * i : 32 * i + 32], payloads[224 * i : 224 * i + 224], bytes([count]), mine)
        one = sealed_index.seal_records(context, *alone, random[at : at + take])
        assert one == sealed[1000 * i : 1000 * i + 1000]
        at += take
    assert len(sealed) == 1000 * len(counts)


@pytest.mark.parametrize("part", range(5))
@pytest.mark.parametrize("change", [lambda part: part[:-1], lambda part: part + b"\x01"], ids=["short", "long"])
def test_records_that_do_not_fit_together(part: int, change: Callable[[bytes], bytes]) -> None:
    arguments = packed_records("records", [3, 14])
    arguments[part] = change(arguments[part])
    assert agree(lambda group: group.seal_records(b"", *arguments)) is ValueError


@pytest.mark.parametrize("counts", [[0], [15], [1, 255], [14, 0]])
def test_records_with_too_few_or_too_many_keys(counts: list[int]) -> None:
    arguments = packed_records("records", counts)
    assert agree(lambda group: group.seal_records(b"", *arguments)) is ValueError


def test_sealing_many_records_on_several_cores() -> None:
    arguments = packed_records("many", [i % 14 + 1 for i in range(400)])
    sealed = agree(lambda group: group.seal_records(b"context", *arguments))
    assert isinstance(sealed, bytes) and len(sealed) == 400 * sealed_index.SEALED_BYTES


@more
@given(st.lists(st.binary(min_size=3, max_size=3), max_size=6), st.booleans(), st.integers(0, 4), st.booleans())
def test_the_order_of_rows(rows: list[bytes], in_order: bool, width: int, twice: bool) -> None:
    packed = b"".join(sorted(rows + rows * twice) if in_order else rows)
    result = agree(lambda group: bytes([group.is_sorted(packed, width)]))
    if width == 3:
        assert result == bytes([in_order or rows == sorted(rows)])


# --- arithmetic, on elements in every form the native core keeps ----------------------------------------------


@more
@given(logarithms, a_value, packed_scalars)
def test_multiplication(values: list[int], secret: int, each: bytes) -> None:
    for form in (0, 1):
        for call in (
            lambda group: group.multiply(scalars.from_int(secret), in_both_forms(group, values)[form]).encode(),  # noqa: B023
            lambda group: group.multiply_each(each, in_both_forms(group, values)[form]).encode(),  # noqa: B023
            lambda group: group.weighted_sum(each, in_both_forms(group, values)[form]).encode(),  # noqa: B023
        ):
            agree(call)


@more
@given(logarithms, logarithms)
def test_addition(left: list[int], right: list[int]) -> None:
    for forms in ((0, 0), (0, 1), (1, 0), (1, 1)):
        agree(
            lambda group, forms=forms: group.add(  # type: ignore[misc]
                in_both_forms(group, left)[forms[0]], in_both_forms(group, right)[forms[1]]
            ).encode()
        )


@more
@given(st.lists(logarithms, max_size=3), st.binary(max_size=64))
def test_composites(batches: list[list[int]], seed: bytes) -> None:
    agree(lambda group: group.composites(seed, [points(group, values) for values in batches]).encode())
    agree(lambda group: group.composites(seed, [in_both_forms(group, values)[1] for values in batches]).encode())


@more
@given(st.lists(logarithms, max_size=3), packed_scalars, packed_scalars)
@example([[0, 0], [0]], bytes(64), bytes(64)).via("batches that differ in length, with blinds that are zero")
def test_unblinding(batches: list[list[int]], coefficients: bytes, blinds: bytes) -> None:
    for form in (0, 1):
        agree(
            lambda group, form=form: group.unblind(  # type: ignore[misc]
                coefficients, [in_both_forms(group, values)[form] for values in batches], blinds
            ).encode()
        )


@more
@given(
    st.lists(st.integers(min_value=-(2**70), max_value=2**70), min_size=1, max_size=4),
    st.lists(st.integers(min_value=1, max_value=ORDER - 1), min_size=1, max_size=4),
)
def test_unblinding_batches_that_fit(coefficients: list[int], blinds: list[int]) -> None:
    batches = [[7 * j + i for i in range(len(blinds))] for j in range(len(coefficients))]
    packed = [b"".join(map(scalars.from_int, values)) for values in (coefficients, blinds)]
    result = agree(
        lambda group: group.unblind(packed[0], [points(group, values) for values in batches], packed[1]).encode()
    )
    assert isinstance(result, bytes)


# --- whole steps, each half made by another back end -------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 5, 300])
def test_a_whole_evaluation_with_parties_on_different_back_ends(count: int) -> None:
    draw = draw_from(f"parties {count}")
    inputs = [draw(i % 50 + 1) for i in range(count)]
    blinds = voprf.draw_blinds(SODIUM, draw(64 * count))
    slope, constant = scalars.reduce(draw(64)), scalars.reduce(draw(64))
    outputs = set()
    for client, trustees in ((SODIUM, NATIVE), (NATIVE, SODIUM), (SODIUM, SODIUM), (NATIVE_THREADED, NATIVE_THREADED)):
        blinded = voprf.blind(client, inputs, blinds)
        answers = []
        for trustee in (1, 3):
            share = scalars.add(constant, scalars.multiply(scalars.from_int(trustee), slope))
            received, public = trustees.decode(blinded.encode()), trustees.multiply_base(share)
            binding = dleq.Binding("epoch", "stream", trustee)
            sent = threshold.evaluate_share(trustees, share, public, received, binding, bytes(64))
            decoded = client.decode(sent.evaluated.encode())
            answer = threshold.ShareAnswer(trustee, decoded, sent.proof)
            threshold.verify_answer(client, "epoch", "stream", client.decode(public.encode()), blinded, answer)
            answers.append(answer)
        outputs.add(threshold.combine(client, 2, answers, inputs, blinds))
    assert len(outputs) == 1


def test_elements_of_one_back_end_are_not_taken_by_the_native_one() -> None:
    with pytest.raises(TypeError, match="another back end"):
        NATIVE.multiply(scalars.from_int(2), SODIUM.hash_to_group([b"p"], DST))
