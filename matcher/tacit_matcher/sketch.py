"""The similarity sketch: a keyed Bloom-filter encoding of name and address, under the record's own key.

The field's standard encoding (cryptographic long-term key; Schnell, Bachteler, Reiher 2009), with the weakness of a
shared key removed: every record has its own, and it is sealed. Whoever opened the record computes the same sketch of its
own planned site and compares on its own machine.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping

from tacit_matcher.normalise import normalise_site
from tacit_matcher.records import Site

SKETCH_BYTES = 200
_NAME_BITS, _ADDRESS_BITS = 640, 640
_HASHES = 6
_SLOTS = 20  # two-byte truncated HMACs: numbers, postcode, city


def make_sketch(key: bytes, site: Site) -> bytes:
    """Return the 200-byte sketch of ``site`` under the 32-byte ``key``."""
    normal = normalise_site(site)
    mac = hmac.new(key, digestmod="sha256")
    name = _bloom(mac, b"n", _grams(normal.name), _NAME_BITS)
    address = _bloom(mac, b"a", _grams(normal.address), _ADDRESS_BITS)
    exact = [
        *(("n", number) for number in dict.fromkeys(normal.numbers)),
        ("p", normal.postcode),
        *(("c", t) for t in normal.city),
    ]
    slots = [_slot(mac, kind, value) for kind, value in exact if value][:_SLOTS]
    return name + address + b"".join(sorted(slots)) + bytes(2 * (_SLOTS - len(slots)))


def compare(key: bytes, sketch: bytes, site: Site) -> Mapping[str, float]:
    """Return Dice similarities of name and address and the share of exact parts in common, each 0 to 1."""
    mine = make_sketch(key, site)
    name, address = _NAME_BITS // 8, (_NAME_BITS + _ADDRESS_BITS) // 8
    return {
        "name": _dice(sketch[:name], mine[:name]),
        "address": _dice(sketch[name:address], mine[name:address]),
        "exact": _overlap(sketch[address:], mine[address:]),
    }


def _grams(tokens: Iterable[str]) -> set[str]:
    return {padded[i : i + 2] for token in tokens for padded in [f" {token} "] for i in range(len(padded) - 1)}


def _bloom(mac: hmac.HMAC, label: bytes, grams: Iterable[str], bits: int) -> bytes:
    filled = 0
    for gram in grams:
        digest = _digest(mac, label + gram.encode())
        for i in range(_HASHES):
            filled |= 1 << (int.from_bytes(digest[2 * i : 2 * i + 2], "big") % bits)
    return filled.to_bytes(bits // 8, "big")


def _slot(mac: hmac.HMAC, kind: str, value: str) -> bytes:
    return _digest(mac, f"{kind}:{value}".encode())[:2]


def _digest(mac: hmac.HMAC, message: bytes) -> bytes:
    copy = mac.copy()
    copy.update(message)
    return copy.digest()


def _dice(left: bytes, right: bytes) -> float:
    a, b = int.from_bytes(left, "big"), int.from_bytes(right, "big")
    total = a.bit_count() + b.bit_count()
    return 2 * (a & b).bit_count() / total if total else 0.0


def _overlap(left: bytes, right: bytes) -> float:
    a = {left[i : i + 2] for i in range(0, len(left), 2)} - {b"\0\0"}
    b = {right[i : i + 2] for i in range(0, len(right), 2)} - {b"\0\0"}
    return len(a & b) / min(len(a), len(b)) if a and b else 0.0
