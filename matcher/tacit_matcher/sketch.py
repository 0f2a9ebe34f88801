"""The similarity sketch: a keyed encoding of name and address that whoever opened the record can compare with its own.

The field's standard encoding (Bloom filters of character bigrams under a cryptographic key; Schnell, Bachteler, Reiher
2009), with truncated HMACs of whole tokens beside it. Its known weaknesses come from one key being shared by all
records; here every record has its own, and it is sealed. Layout, 200 bytes: SPEC section 7 and MATCHING.md.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence

from tacit_matcher.normalise import COMMON_WORDS, NormalSite, normalise_site
from tacit_matcher.records import Site

SKETCH_BYTES = 200
_FILTER = 64  # bytes of each Bloom filter
_HASHES = 5
_SLOT = 2  # bytes of a truncated HMAC: one chance in 65,536 of a false agreement
# kind of token -> slots; a kind has more slots than tokens as a rule, and empty slots are zero
_SLOTS = {"country": 1, "house": 1, "postcode": 1, "area": 1, "city": 5, "number": 9, "figure": 3, "name": 12}
_RESERVED = SKETCH_BYTES - 2 * _FILTER - _SLOT * sum(_SLOTS.values())  # 6


def make_sketch(key: bytes, site: Site) -> bytes:
    """Return the 200-byte sketch of ``site`` under the 32-byte ``key``."""
    return _encode(hmac.new(key, digestmod="sha256"), normalise_site(site))


def compare(key: bytes, sketch: bytes, site: Site) -> Mapping[str, float]:
    """Return the features the judge weighs, each between 0 and 1; raises ValueError on a sketch of a wrong size.

    ``*_differ`` is 1 where both sides say something and the two contradict each other, so that "not said" differs
    from "another".
    """
    if len(sketch) != SKETCH_BYTES:
        raise ValueError(f"a sketch has {SKETCH_BYTES} bytes, got {len(sketch)}")
    mine, theirs = _parts(_encode(hmac.new(key, digestmod="sha256"), normalise_site(site))), _parts(sketch)
    features = {
        "name_alike": _dice(mine["n"], theirs["n"]),
        "address_alike": _dice(mine["a"], theirs["a"]),
        "address_known": float(any(mine["a"]) and any(theirs["a"])),
    }
    for kind in _SLOTS:
        ours, other = _tokens(mine[kind]), _tokens(theirs[kind])
        common, smaller = len(ours & other), min(len(ours), len(other))
        features[f"{kind}_agree"] = common / smaller if smaller else 0.0
        features[f"{kind}_differ"] = float(smaller > 0 and common == 0)
        if kind in ("name", "number"):
            features[f"{kind}_same"] = float(bool(ours) and ours == other)
    features["name_weight"] = _weight(key, site, _tokens(theirs["name"]))
    # "Plant 1" and "Plant 2" of one company differ in nothing else.
    features["figure_differ"] = float(_tokens(mine["figure"]) != _tokens(theirs["figure"]))
    return features


def _encode(mac: hmac.HMAC, site: NormalSite) -> bytes:
    tokens: dict[str, Sequence[str]] = {
        "country": (site.country,),
        "house": (site.house_number,),
        "postcode": (site.postcode,),
        "area": (site.postcode[:3],),
        "city": site.city,
        "number": site.numbers,
        "figure": tuple(token for token in site.name if any(map(str.isdigit, token))),
        "name": site.name,
    }
    slots = b"".join(_fill(mac, kind, tokens[kind], count) for kind, count in _SLOTS.items())
    return _bloom(mac, b"n", site.name) + _bloom(mac, b"a", site.address) + slots + bytes(_RESERVED)


def _bloom(mac: hmac.HMAC, label: bytes, tokens: Iterable[str]) -> bytes:
    filled = 0
    for gram in {padded[i : i + 2] for token in tokens for padded in [f" {token} "] for i in range(len(padded) - 1)}:
        digest = int.from_bytes(_digest(mac, label + gram.encode())[:8], "big")
        for _ in range(_HASHES):
            filled |= 1 << (digest & 511)
            digest >>= 9
    return filled.to_bytes(_FILTER, "big")


def _fill(mac: hmac.HMAC, kind: str, tokens: Iterable[str], count: int) -> bytes:
    label = kind.encode() + b":"
    # A slot is never zero, which stands for empty; sorted, so that the order of words says nothing.
    digests = (_digest(mac, label + token.encode()) for token in dict.fromkeys(tokens) if token)
    filled = sorted(digest[:2] if any(digest[:2]) else b"\0\1" for digest in digests)[:count]
    return b"".join(filled).ljust(_SLOT * count, b"\0")


def _digest(mac: hmac.HMAC, message: bytes) -> bytes:
    copy = mac.copy()
    copy.update(message)
    return copy.digest()


def _weight(key: bytes, site: Site, theirs: set[bytes]) -> float:
    """Return the share of this side's name, by how telling its words are, that the other side has too."""
    mac = hmac.new(key, digestmod="sha256")
    total = found = 0.0
    for token in dict.fromkeys(normalise_site(site).name):
        telling = 0.4 if token in COMMON_WORDS else min(len(token), 10) - 1.0
        total += telling
        found += telling * (_fill(mac, "name", [token], 1) in theirs)
    return found / total if total else 0.0


def _parts(sketch: bytes) -> dict[str, bytes]:
    parts = {"n": sketch[:_FILTER], "a": sketch[_FILTER : 2 * _FILTER]}
    at = 2 * _FILTER
    for kind, count in _SLOTS.items():
        parts[kind] = sketch[at : at + _SLOT * count]
        at += _SLOT * count
    return parts


def _tokens(slots: bytes) -> set[bytes]:
    return {slots[i : i + _SLOT] for i in range(0, len(slots), _SLOT)} - {bytes(_SLOT)}


def _dice(left: bytes, right: bytes) -> float:
    a, b = int.from_bytes(left, "big"), int.from_bytes(right, "big")
    total = a.bit_count() + b.bit_count()
    return 2 * (a & b).bit_count() / total if total else 0.0
