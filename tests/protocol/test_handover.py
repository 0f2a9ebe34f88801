"""The list of a hand-over: bound to its place, ascending, without repeats, and searched without mistakes."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit_protocol import handover
from tacit_protocol.errors import HandoverListError
from tacit_protocol.messages import Handover

E, S = "2026-h2", "social-audit"
Hashes = st.lists(st.integers(0, 300).map(lambda n: hashlib.sha256(b"%d" % n).digest()), unique=True, max_size=80)


def signed(packed: bytes, count: int | None = None) -> Handover:
    """Return the hand-over whose digest is over a list, whatever the list is."""
    count = len(packed) // 32 if count is None else count
    return Handover(E, S, 1, (4,), count, handover.list_digest(E, S, 1, packed))


@given(Hashes, st.randoms())
def test_the_list_says_nothing_of_the_order(hashes: list[bytes], random: object) -> None:
    other = list(hashes)
    random.shuffle(other)  # type: ignore[attr-defined]
    packed = handover.make_list(hashes)
    assert packed == handover.make_list(other)
    handover.verify_list(signed(packed), packed)


@given(Hashes, st.integers(0, 300))
def test_a_hash_is_found_exactly_when_it_is_there(hashes: list[bytes], wanted: int) -> None:
    packed = handover.make_list(hashes)
    for each in [*hashes, hashlib.sha256(b"%d" % wanted).digest(), bytes(32), b"\xff" * 32]:
        assert handover.holds(packed, each) == (each in hashes)


@given(Hashes.filter(bool), st.data())
def test_any_other_list_is_not_the_signed_one(hashes: list[bytes], data: st.DataObject) -> None:
    packed = handover.make_list(hashes)
    at = data.draw(st.integers(0, len(packed) - 1))
    changed = packed[:at] + bytes([packed[at] ^ data.draw(st.integers(1, 255))]) + packed[at + 1 :]
    for other in (changed, packed[32:], packed + bytes(32), b""):
        with pytest.raises(HandoverListError, match="not the one that the shuffler signed") as caught:
            handover.verify_list(signed(packed), other)
        assert caught.value.party == "secretariat"


ONE, TWO = bytes(31) + b"\x01", bytes(31) + b"\x02"


@pytest.mark.parametrize(
    ("packed", "count", "reason"),
    [
        (ONE + ONE, 2, "1 of its records are copies"),
        (TWO + ONE, 2, "not in ascending order"),
        (ONE + TWO, 3, "says 3 records, its list has 2"),
        (ONE + TWO, 1, "says 1 records, its list has 2"),
        (ONE + b"\x00", 1, "says 1 records"),
    ],
)
def test_a_signed_list_with_a_fault_is_the_shufflers(packed: bytes, count: int, reason: str) -> None:
    with pytest.raises(HandoverListError, match=reason) as caught:
        handover.verify_list(signed(packed, count), packed)
    assert caught.value.party == "shuffler"


def test_a_digest_belongs_to_its_epoch_stream_and_window() -> None:
    places = [(E, S, 1), (E, S, 2), ("2027-h1", S, 1), (E, "ecovadis", 1), (E, S, 11)]
    assert len({handover.list_digest(*place, ONE) for place in places}) == len(places)
