"""Public keys of X25519 from points of edwards25519: the map of RFC 7748 section 4.1, a batch with one inversion.

libsodium multiplies the base point from a table on the Edwards curve, at 0.45 of an X25519 exchange. Its own way from
there to an X25519 key inverts for each key, which costs as much again. No secret goes through this arithmetic: it turns
one form of a public key that is about to be sent into the other, after the sign, which is not sent, was cut off.
"""

from __future__ import annotations

from itertools import accumulate

POINT_BYTES = 32
_P = 2**255 - 19
_SIGN = 2**255


def public_keys(points: bytes) -> list[bytes]:
    """Return u = (1 + y) / (1 - y) for each packed point of edwards25519 that is not the identity (y = 1)."""
    heights = [
        int.from_bytes(points[i : i + POINT_BYTES], "little") % _SIGN for i in range(0, len(points), POINT_BYTES)
    ]
    inverses = _inverses([1 - y for y in heights])
    return [((1 + y) * inverse % _P).to_bytes(32, "little") for y, inverse in zip(heights, inverses, strict=True)]


def _inverses(values: list[int]) -> list[int]:
    """Invert each value with one inversion of their product (Montgomery's trick, Cohen, GTM 138, algorithm 10.3.4)."""
    products = list(accumulate(values, lambda product, value: product * value % _P, initial=1))
    inverse, inverses = pow(products.pop(), -1, _P), []
    for value, before in zip(reversed(values), reversed(products), strict=True):
        inverses.append(inverse * before % _P)
        inverse = inverse * value % _P
    return inverses[::-1]
