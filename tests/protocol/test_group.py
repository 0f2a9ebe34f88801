"""The batch interface: RFC 9496's vectors, strict decoding, the laws of a group, and agreement between back ends."""

from __future__ import annotations

import hashlib
import sys
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.vectors import draw_from, load, unhex
from tacit_protocol import scalars, sodium_backend
from tacit_protocol.errors import EncodingError
from tacit_protocol.group import ELEMENT_BYTES, ORDER, Backend, Elements, load_backend

RFC9496 = load("rfc9496")
IDENTITY = bytes(ELEMENT_BYTES)
DST = b"tests"

a_scalar = st.integers(min_value=1, max_value=ORDER - 1)
small = settings(max_examples=25, deadline=None)


def element(group: Backend, name: str) -> Elements:
    return group.hash_to_group([name.encode()], DST)


def times(group: Backend, factor: int, elements: Elements) -> bytes:
    return group.multiply_each(scalars.from_int(factor) * len(elements), elements).encode()


def concatenated(group: Backend, parts: list[Elements]) -> Elements:
    return group.decode(b"".join(part.encode() for part in parts))


# --- RFC 9496 ------------------------------------------------------------------------------------------------


def test_multiples_of_the_generator_are_those_of_rfc_9496(group: Backend) -> None:
    multiples = unhex(RFC9496["multiples"])
    computed = group.multiply_base(b"".join(scalars.from_int(i) for i in range(16))).encode()
    assert computed == b"".join(multiples)


def test_adding_the_generator_walks_through_the_multiples(group: Backend) -> None:
    multiples = unhex(RFC9496["multiples"])
    generator = group.decode(multiples[1])
    point = generator
    for expected in multiples[2:]:
        point = group.add(point, generator)
        assert point.encode() == expected


@pytest.mark.parametrize("encoding", [e for kind in RFC9496["invalid"].values() for e in kind])
def test_invalid_encodings_of_rfc_9496_are_refused(group: Backend, encoding: str) -> None:
    with pytest.raises(EncodingError, match="element 0 is not a canonical"):
        group.decode(bytes.fromhex(encoding))


@pytest.mark.parametrize("case", RFC9496["from_uniform"], ids=lambda case: case["uniform"][:8])
def test_the_one_way_map_is_that_of_rfc_9496(case: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    # Only expand_message_xmd stands between the interface and the map; RFC 9497's vectors test both together.
    monkeypatch.setattr(sodium_backend, "expand_message_xmd", lambda message, dst: message)
    elements = sodium_backend.SodiumBackend().hash_to_group([bytes.fromhex(case["uniform"])], b"")
    assert elements.encode().hex() == case["element"]


@pytest.mark.parametrize("case", RFC9496["from_uniform"], ids=lambda case: case["uniform"][:8])
def test_the_native_one_way_map_is_that_of_rfc_9496(case: dict[str, str]) -> None:
    native = pytest.importorskip("tacit_native", reason="the native core is not built: make native")
    assert native.map_to_group(bytes.fromhex(case["uniform"])).encode().hex() == case["element"]


# --- decoding ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("position", [0, 1, 4])
def test_the_identity_is_refused_wherever_it_stands(group: Backend, position: int) -> None:
    encodings = [element(group, str(i)).encode() for i in range(5)]
    encodings[position] = IDENTITY
    with pytest.raises(EncodingError, match="identity") as caught:
        group.decode(b"".join(encodings))
    assert caught.value.position == position


@pytest.mark.parametrize("length", [1, 31, 33, 63])
def test_a_part_of_an_element_is_refused(group: Backend, length: int) -> None:
    with pytest.raises(EncodingError):
        group.decode((element(group, "a").encode() * 2)[:length])


@small
@given(st.binary(min_size=1, max_size=20))
def test_an_element_has_one_encoding(group: Backend, name: bytes) -> None:
    encoding = group.hash_to_group([name], DST).encode()
    assert group.decode(encoding).encode() == encoding
    with_bit_255 = encoding[:31] + bytes([encoding[31] | 0x80])
    field_prime = 2**255 - 19
    negated = (field_prime - int.from_bytes(encoding, "little")).to_bytes(32, "little")
    for other in (with_bit_255, negated):
        with pytest.raises(EncodingError) as caught:
            group.decode(encoding + other)
        assert caught.value.position == 1


@small
@given(st.binary(min_size=32, max_size=32))
def test_whatever_decodes_encodes_to_the_same_bytes(group: Backend, data: bytes) -> None:
    try:
        elements = group.decode(data)
    except EncodingError:
        return
    assert elements.encode() == data


def test_an_empty_batch_decodes_to_nothing(group: Backend) -> None:
    elements = group.decode(b"")
    assert (len(elements), elements.encode()) == (0, b"")


# --- the laws ------------------------------------------------------------------------------------------------


@small
@given(a_scalar, a_scalar)
def test_multiplication_distributes_over_addition_of_scalars(group: Backend, a: int, b: int) -> None:
    point = element(group, "p")
    left = group.multiply(scalars.from_int(a), point)
    right = group.multiply(scalars.from_int(b), point)
    assert group.add(left, right).encode() == times(group, (a + b) % ORDER, point)


@small
@given(a_scalar, a_scalar)
def test_multiplications_commute(group: Backend, a: int, b: int) -> None:
    point = element(group, "p")
    one = group.multiply(scalars.from_int(a), group.multiply(scalars.from_int(b), point)).encode()
    other = group.multiply(scalars.from_int(b), group.multiply(scalars.from_int(a), point)).encode()
    assert one == other == times(group, a * b % ORDER, point)


@small
@given(a_scalar)
def test_multiplication_distributes_over_addition_of_elements(group: Backend, a: int) -> None:
    p, q, factor = element(group, "p"), element(group, "q"), scalars.from_int(a)
    left = group.multiply(factor, group.add(p, q)).encode()
    assert left == group.add(group.multiply(factor, p), group.multiply(factor, q)).encode()
    assert group.add(p, q).encode() == group.add(q, p).encode()


def test_an_element_and_its_inverse_give_the_identity(group: Backend) -> None:
    point = element(group, "p")
    inverse = group.multiply(scalars.from_int(-1), point)
    assert group.add(point, inverse).encode() == IDENTITY
    assert group.add(group.add(point, inverse), point).encode() == point.encode()


def test_zero_times_anything_is_the_identity(group: Backend) -> None:
    assert group.multiply_each(scalars.ZERO, element(group, "p")).encode() == IDENTITY
    assert group.multiply_base(scalars.ZERO).encode() == IDENTITY


@pytest.mark.parametrize("value", [ORDER, ORDER + 1, 2**253, 2**256 - 1])
@pytest.mark.parametrize(
    "call",
    [
        lambda g, p, s: g.multiply_each(s, p),
        lambda g, p, s: g.multiply_base(s),
        lambda g, p, s: g.weighted_sum(s, p),
        lambda g, p, s: g.unblind(scalars.from_int(1), [p], s),
        lambda g, p, s: g.unblind(s, [p, p], scalars.from_int(1) * 2),
    ],
)
def test_a_scalar_from_the_order_upwards_is_refused_with_its_position(group: Backend, value: int, call: object) -> None:
    points = concatenated(group, [element(group, "p"), element(group, "q")])
    packed = scalars.from_int(-1) + value.to_bytes(32, "little")
    with pytest.raises(EncodingError, match="scalar 1 is not canonical") as caught:
        call(group, points, packed)  # type: ignore[operator]
    assert caught.value.position == 1


@pytest.mark.parametrize("value", [0, ORDER, ORDER + 1, 2**256 - 1])
def test_a_secret_that_is_zero_or_not_canonical_is_refused(group: Backend, value: int) -> None:
    with pytest.raises(EncodingError):
        group.multiply(value.to_bytes(32, "little"), element(group, "p"))


@small
@given(st.lists(st.integers(min_value=0, max_value=ORDER - 1), min_size=1, max_size=6))
def test_a_weighted_sum_is_the_sum_of_the_products(group: Backend, weights: list[int]) -> None:
    logarithms = [3 * i + 1 for i in range(len(weights))]
    points = group.multiply_base(b"".join(scalars.from_int(k) for k in logarithms))
    total = group.weighted_sum(b"".join(scalars.from_int(w) for w in weights), points)
    expected = sum(w * k for w, k in zip(weights, logarithms, strict=True)) % ORDER
    assert total.encode() == group.multiply_base(scalars.from_int(expected)).encode()


def test_a_weighted_sum_may_be_the_identity(group: Backend) -> None:
    points = concatenated(group, [element(group, "p")] * 2)
    assert group.weighted_sum(scalars.from_int(5) + scalars.from_int(-5), points).encode() == IDENTITY


@pytest.mark.parametrize("count", [1, 3, 4, 5, 9])
def test_composites_draw_their_weights_as_the_interface_says(group: Backend, count: int) -> None:
    seed = b"\x07" * 64
    weights = []
    for i in range(count):
        block = hashlib.sha512(seed + (i // 4).to_bytes(4, "big")).digest()
        weights.append(int.from_bytes(block[16 * (i % 4) :][:16], "little"))
    left, right = list(range(2, 2 + count)), list(range(100, 100 + count))
    batches = [group.multiply_base(b"".join(map(scalars.from_int, logs))) for logs in (left, right)]
    expected = b"".join(
        group.multiply_base(scalars.from_int(sum(w * k for w, k in zip(weights, logs, strict=True)))).encode()
        for logs in (left, right)
    )
    assert group.composites(seed, batches).encode() == expected


@small
@given(
    st.lists(
        st.one_of(st.integers(min_value=-40, max_value=40).filter(bool), st.integers(min_value=1, max_value=ORDER - 1)),
        min_size=1,
        max_size=4,
    ),
    st.integers(min_value=0, max_value=3),
)
def test_unblinding_is_the_linear_combination_over_the_blinds(
    group: Backend, coefficients: list[int], elements: int
) -> None:
    draw = draw_from(f"{coefficients}{elements}")
    blinds = [1 + int.from_bytes(draw(31), "big") for _ in range(elements)]
    logarithms = [[int.from_bytes(draw(31), "big") for _ in range(elements)] for _ in coefficients]
    evaluated = [group.multiply_base(b"".join(map(scalars.from_int, logs))) for logs in logarithms]
    unblinded = group.unblind(
        b"".join(map(scalars.from_int, coefficients)), evaluated, b"".join(map(scalars.from_int, blinds))
    )
    expected = [
        sum(c * logs[i] for c, logs in zip(coefficients, logarithms, strict=True)) * pow(blinds[i], -1, ORDER)
        for i in range(elements)
    ]
    assert unblinded.encode() == group.multiply_base(b"".join(map(scalars.from_int, expected))).encode()


@pytest.mark.parametrize("coefficients", [(2, -1), (3, -1), (3, -2), (6, -8, 3), (-1, 2), (1, -1), (0, 4)])
def test_small_coefficients_unblind_to_the_same_bytes(group: Backend, coefficients: tuple[int, ...]) -> None:
    batches = [concatenated(group, [element(group, f"{j}{i}") for i in range(3)]) for j in range(len(coefficients))]
    blinds = b"".join(scalars.from_int(11 + i) for i in range(3))
    inverses = b"".join(scalars.from_int(pow(11 + i, -1, ORDER)) for i in range(3))
    total = [IDENTITY] * 3
    for coefficient, batch in zip(coefficients, batches, strict=True):
        scaled = group.multiply_each(scalars.scale(scalars.from_int(coefficient), inverses), batch).encode()
        for i in range(3):
            pair = [
                group.multiply_each(scalars.from_int(1), batch_of(group, part))
                for part in (total[i], scaled[32 * i :][:32])
            ]
            total[i] = group.add(*pair).encode()
    packed = b"".join(map(scalars.from_int, coefficients))
    assert group.unblind(packed, batches, blinds).encode() == b"".join(total)


def batch_of(group: Backend, encoding: bytes) -> Elements:
    """Return an element that may be the identity, which decoding would refuse."""
    if encoding != IDENTITY:
        return group.decode(encoding)
    return group.multiply_base(scalars.ZERO)


def test_a_zero_blind_is_refused(group: Backend) -> None:
    points = concatenated(group, [element(group, "p"), element(group, "q")])
    with pytest.raises(EncodingError):
        group.unblind(scalars.from_int(1), [points], scalars.from_int(3) + scalars.ZERO)


@pytest.mark.parametrize(
    "call",
    [
        lambda g, p: g.multiply_each(scalars.from_int(1), p),
        lambda g, p: g.weighted_sum(scalars.from_int(1) * 3, p),
        lambda g, p: g.add(p, element(g, "q")),
        lambda g, p: g.finalise([b"a"], p),
        lambda g, p: g.unblind(scalars.from_int(1), [p], scalars.from_int(1)),
        lambda g, p: g.unblind(b"", [], scalars.from_int(1)),
        lambda g, p: g.unblind(scalars.from_int(1), [p, p], scalars.from_int(1) * 2),
        lambda g, p: g.unblind(scalars.from_int(1) * 2, [p, element(g, "q")], scalars.from_int(1) * 2),
        lambda g, p: g.composites(b"seed", []),
        lambda g, p: g.composites(b"seed", [p, element(g, "q")]),
        lambda g, p: g.multiply_base(bytes(33)),
        lambda g, p: g.hash_to_group([b"a"], bytes(256)),
        lambda g, p: g.hash_to_scalar([b"a"], bytes(256)),
        lambda g, p: g.finalise([b"a", bytes(2**16)], p),
        lambda g, p: g.reduce_scalars(bytes(65)),
    ],
)
def test_lengths_that_do_not_fit_are_errors_not_overreads(group: Backend, call: object) -> None:
    points = concatenated(group, [element(group, "p"), element(group, "q")])
    with pytest.raises((ValueError, EncodingError)):
        call(group, points)  # type: ignore[operator]


@small
@given(st.lists(st.binary(min_size=64, max_size=64), max_size=5))
def test_uniform_bytes_are_reduced_modulo_the_order(group: Backend, uniform: list[bytes]) -> None:
    expected = b"".join(scalars.from_int(int.from_bytes(value, "little")) for value in uniform)
    assert group.reduce_scalars(b"".join(uniform)) == expected


# --- choosing a back end; test_back_ends_agree.py compares them ---------------------------------------------


@pytest.mark.parametrize("count", [255, 256, 300])
def test_threads_change_nothing(group: Backend, count: int) -> None:
    threaded = load_backend(group.name, threads=3)
    inputs = [str(i).encode() for i in range(count)]
    one, other = (back_end.hash_to_group(inputs, DST) for back_end in (group, threaded))
    assert one.encode() == other.encode()
    assert group.composites(b"s" * 64, [one]).encode() == threaded.composites(b"s" * 64, [other]).encode()
    bad = one.encode()[: 32 * (count - 1)] + IDENTITY
    with pytest.raises(EncodingError) as caught:
        threaded.decode(bad)
    assert caught.value.position == count - 1


def test_an_unknown_back_end_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no group back end is called 'fast'"):
        load_backend("fast")


def test_asking_for_an_absent_native_back_end_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tacit_protocol.native_backend", None)
    with pytest.raises(ImportError):
        load_backend("native")
    assert load_backend("auto").name == "libsodium"


def test_a_native_core_older_than_this_program_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    older = ModuleType("tacit_native")
    older.Points = object  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tacit_native", older)
    monkeypatch.delitem(sys.modules, "tacit_protocol.native_backend", raising=False)
    assert load_backend("auto").name == "libsodium"
    with pytest.raises(ImportError, match="older than this program"):
        load_backend("native")
