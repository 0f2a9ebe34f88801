"""What a manifest may say: a secretariat that names its own machines as trustees would hold the whole key."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from support.vectors import draw_from
from tacit_protocol import messages, signing
from tacit_protocol.board import Board, BoardError
from tacit_protocol.messages import BoardEntry, Manifest, Trustee

_draw = draw_from("manifests")
SECRETARIAT = Ed25519PrivateKey.from_private_bytes(_draw(32))
KEYS = [Ed25519PrivateKey.from_private_bytes(_draw(32)) for _ in range(7)]
OWN = signing.public_bytes(SECRETARIAT)


def trustee(index: int, key: int | None = None) -> Trustee:
    return Trustee(index, signing.public_bytes(KEYS[index if key is None else key]), bytes(32), "https://t.example")


def opened(*trustees: Trustee, threshold: int = 2, pins: dict[int, bytes] | None = None) -> Board:
    """Return a board to which this manifest was applied."""
    manifest = Manifest("2026-h2", ("social-audit",), threshold, trustees, 1, 2048, 1, OWN, bytes(32), 0, 10)
    board = Board(OWN, pins)
    message = signing.sign(SECRETARIAT, messages.kind_of(manifest), messages.encode(manifest))
    board.apply(BoardEntry(0, 0, message))
    return board


PINS = {i: signing.public_bytes(KEYS[i]) for i in (1, 2, 3)}


def test_the_pinned_trustees_are_accepted() -> None:
    board = opened(trustee(1), trustee(2), trustee(3), pins=PINS)
    assert board.manifest("2026-h2").threshold == 2


@pytest.mark.parametrize(
    ("trustees", "threshold"),
    [
        ((trustee(1), trustee(2), trustee(3, key=4)), 2),
        ((trustee(1), trustee(2), trustee(3), trustee(4)), 3),  # one more than was pinned
        ((trustee(1, key=4), trustee(2, key=5), trustee(3, key=6)), 2),
    ],
    ids=["another key in a pinned place", "its own machine beside the pinned", "only its own machines"],
)
def test_a_trustee_that_is_not_pinned_is_refused(trustees: tuple[Trustee, ...], threshold: int) -> None:
    with pytest.raises(BoardError, match="pinned") as caught:
        opened(*trustees, threshold=threshold, pins=PINS)
    assert caught.value.party == "secretariat"
    opened(*trustees, threshold=threshold)  # who has pinned nobody cannot see it


def test_one_trustee_under_two_numbers_is_refused() -> None:
    with pytest.raises(BoardError, match="under two numbers"):
        opened(trustee(1), trustee(2), trustee(3, key=2))


@pytest.mark.parametrize(("threshold", "count"), [(1, 2), (1, 3), (2, 4), (2, 5), (3, 6)])
def test_a_threshold_of_half_the_trustees_or_fewer_is_refused(threshold: int, count: int) -> None:
    with pytest.raises(BoardError, match="more than half"):
        opened(*(trustee(i) for i in range(1, count + 1)), threshold=threshold)


@pytest.mark.parametrize(("threshold", "count"), [(1, 1), (2, 2), (2, 3), (3, 5), (5, 6)])
def test_a_threshold_of_more_than_half_is_accepted(threshold: int, count: int) -> None:
    opened(*(trustee(i) for i in range(1, count + 1)), threshold=threshold)
