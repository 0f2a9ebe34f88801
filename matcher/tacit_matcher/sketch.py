"""The similarity sketch: a keyed encoding of name and address that whoever opened the record can compare with its own.

The field's standard encoding (Bloom filters of character bigrams under a cryptographic key; Schnell, Bachteler, Reiher
2009), with truncated keyed hashes of whole words beside it. Its known weaknesses come from one key being shared by all
records; here every record has its own, and it is sealed. The keyed hash is BLAKE2b in its keyed mode (RFC 7693), which
serves where the field uses HMAC and costs a third of it: a record takes some fifty. Layout, 200 bytes: MATCHING.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from tacit_matcher.normalise import NormalSite, is_trade_word, normalise_site, street_weight_of, weight_of
from tacit_matcher.records import Site

SKETCH_BYTES = 200
_FILTER = 64  # bytes of each Bloom filter
_HASHES = {b"n": 5, b"a": 3}  # addresses are longer: fewer hashes keep their filter from filling up
_DIGEST = 8  # bytes: five indices of nine bits are taken from it
_SLOT = 2  # bytes of a truncated hash: one chance in 65,536 of a false agreement
# kind of word -> slots; empty slots are zero
_SLOTS = {"country": 1, "house": 1, "postcode": 1, "area": 1, "city": 4, "number": 7, "figure": 3, "trade": 2,
          "name": 8, "street": 6}  # fmt: skip
_RANKED = frozenset({"name", "street"})
_WEIGHTS = SKETCH_BYTES - 2 * _FILTER - _SLOT * sum(_SLOTS.values())  # 4: two weights, two counts
_ALIKE_FROM = 0.5  # a word less than half of whose bigrams are there is not there


@dataclass(frozen=True, slots=True)
class _View:
    """A sketch taken apart: the two filters as numbers, the slots of each kind, what name and street weigh."""

    name_filter: int
    street_filter: int
    slots: Mapping[str, Sequence[bytes]]
    name_weight: float
    street_weight: float


def make_sketch(key: bytes, site: Site | NormalSite) -> bytes:
    """Return the 200-byte sketch of ``site`` under the 32-byte ``key``."""
    return _encode(_keyed(key), normalise_site(site))


def compare(key: bytes, sketch: bytes, site: Site | NormalSite) -> dict[str, float]:
    """Return the features the judge weighs, each between 0 and 1; raises ValueError on a sketch of a wrong size.

    ``*_differ`` is 1 where both sides say something and the two contradict each other, so that "not said" differs
    from "another". ``*_least`` and ``*_most`` are the weight of the shared words as a share of the longer and of the
    shorter side; a word counts in part when most of its bigrams are there.
    """
    if len(sketch) != SKETCH_BYTES:
        raise ValueError(f"a sketch has {SKETCH_BYTES} bytes, got {len(sketch)}")
    normal, mac = normalise_site(site), _keyed(key)
    mine, theirs = _view(_encode(mac, normal)), _view(sketch)
    features = {
        **_covered(mac, "name", normal.name, weight_of, theirs),
        **_covered(mac, "street", normal.address, street_weight_of, theirs),
        "name_alike": _dice(mine.name_filter, theirs.name_filter),
        "street_alike": _dice(mine.street_filter, theirs.street_filter),
        "street_known": float(bool(mine.street_filter) and bool(theirs.street_filter)),
        "name_top": _top_of(theirs.slots["name"], mine.slots["name"]),
        "name_elsewhere": _elsewhere(mine, theirs),
    }
    for kind in _SLOTS:
        ours, other = set(mine.slots[kind]), set(theirs.slots[kind])
        common, smaller = len(ours & other), min(len(ours), len(other))
        features[f"{kind}_agree"] = common / smaller if smaller else 0.0
        features[f"{kind}_differ"] = float(smaller > 0 and common == 0)
        features[f"{kind}_same"] = float(bool(ours) and ours == other)
    # "Plant 1" and "Plant 2" of one company differ in nothing else; one side may also leave the plant out.
    figures, others = set(mine.slots["figure"]), set(theirs.slots["figure"])
    features["figure_apart"] = float(bool(figures) and bool(others) and figures != others)
    features["figure_alone"] = float(bool(figures) != bool(others))
    return features


def _encode(mac: blake2b, site: NormalSite) -> bytes:
    trades = [word for word in site.name if is_trade_word(word)]
    words: dict[str, Iterable[str]] = {
        "country": (site.country,),
        "house": (site.house_number,),
        "postcode": (site.postcode,),
        "area": (site.postcode[:3],),
        "city": site.city,
        "number": site.numbers,
        "figure": site.figures,
        "trade": trades,
        "name": sorted(site.name, key=lambda word: (-weight_of(word), word)),
        "street": sorted(site.address, key=lambda word: (-street_weight_of(word), word)),
    }
    slots = b"".join(_fill(mac, kind, words[kind], count) for kind, count in _SLOTS.items())
    weights = bytes(
        [
            _byte(4 * sum(map(weight_of, site.name))),
            _byte(2 * sum(map(street_weight_of, dict.fromkeys(site.address)))),
            _byte(len(site.name)),
            _byte(len(site.address)),
        ]
    )
    return _bloom(mac, b"n", site.name) + _bloom(mac, b"a", site.address) + slots + weights


def _bloom(mac: blake2b, label: bytes, words: Iterable[str]) -> bytes:
    filled = 0
    for gram in {gram for word in words for gram in _bigrams(word)}:
        filled |= _bits(mac, label, gram)
    return filled.to_bytes(_FILTER, "big")


def _bigrams(word: str) -> Iterator[str]:
    padded = f" {word} "
    return (padded[i : i + 2] for i in range(len(padded) - 1))


def _bits(mac: blake2b, label: bytes, gram: str) -> int:
    digest, bits = int.from_bytes(_digest(mac, label + gram.encode()), "big"), 0
    for _ in range(_HASHES[label]):
        bits |= 1 << (digest & (8 * _FILTER - 1))
        digest >>= 9
    return bits


def _fill(mac: blake2b, kind: str, words: Iterable[str], count: int) -> bytes:
    slots = [_slot(mac, kind, word) for word in dict.fromkeys(words) if word]
    # Sorted where the order of words says nothing, so that it tells nothing either.
    return b"".join((slots if kind in _RANKED else sorted(slots))[:count]).ljust(_SLOT * count, b"\0")


def _slot(mac: blake2b, kind: str, word: str) -> bytes:
    # Names, streets and cities share a label: lists differ in which column a word stands in.
    label = b"word:" if kind in ("name", "street", "city") else kind.encode() + b":"
    digest = _digest(mac, label + word.encode())[:_SLOT]
    return digest if any(digest) else b"\0\1"  # zero stands for empty


def _keyed(key: bytes) -> blake2b:
    return blake2b(key=key, digest_size=_DIGEST)


def _digest(mac: blake2b, message: bytes) -> bytes:
    copy = mac.copy()
    copy.update(message)
    return copy.digest()


def _byte(value: float) -> int:
    return min(255, round(value))


def _view(sketch: bytes) -> _View:
    slots, at = {}, 2 * _FILTER
    for kind, count in _SLOTS.items():
        pieces = (sketch[i : i + _SLOT] for i in range(at, at + _SLOT * count, _SLOT))
        slots[kind] = [piece for piece in pieces if any(piece)]
        at += _SLOT * count
    name, street = (int.from_bytes(sketch[i : i + _FILTER], "big") for i in (0, _FILTER))
    return _View(name, street, slots, sketch[at] / 4, sketch[at + 1] / 2)


def _covered(
    mac: blake2b, kind: str, words: Sequence[str], weigh: Callable[[str], float], theirs: _View
) -> dict[str, float]:
    """Return how much of either side's words the other has, by weight."""
    label, filled, whole = (
        (b"n", theirs.name_filter, theirs.name_weight)
        if kind == "name"
        else (b"a", theirs.street_filter, theirs.street_weight)
    )
    exact, total, shared = set(theirs.slots[kind]), 0.0, 0.0
    for word in dict.fromkeys(words):
        total += weigh(word)
        found = 1.0 if _slot(mac, kind, word) in exact else _found(mac, label, word, filled)
        shared += weigh(word) * found
    if not total or not whole:
        return {f"{kind}_least": 0.0, f"{kind}_most": 0.0}
    longer, shorter = max(total, whole), min(total, whole)
    return {f"{kind}_least": min(1.0, shared / longer), f"{kind}_most": min(1.0, shared / shorter)}


def _found(mac: blake2b, label: bytes, word: str, filled: int) -> float:
    """Return from 0 to 1 how much of a word is in a filter by its bigrams."""
    bits = [_bits(mac, label, gram) for gram in _bigrams(word)]
    share = sum(bit & filled == bit for bit in bits) / len(bits)
    return max(0.0, (share - _ALIKE_FROM) / (1 - _ALIKE_FROM))


def _top_of(theirs: Sequence[bytes], mine: Sequence[bytes]) -> float:
    """Return whether the most telling word of each side is among the other's: 0, a half or 1."""
    return (float(theirs[0] in mine) + float(mine[0] in theirs)) / 2 if mine and theirs else 0.0


def _elsewhere(mine: _View, theirs: _View) -> float:
    """Return whether the most telling word of one side's name stands in the other's address or city."""
    pairs = ((mine, theirs), (theirs, mine))
    return float(
        any(
            bool(one.slots["name"]) and one.slots["name"][0] in {*two.slots["street"], *two.slots["city"]}
            for one, two in pairs
        )
    )


def _dice(left: int, right: int) -> float:
    total = left.bit_count() + right.bit_count()
    return 2 * (left & right).bit_count() / total if total else 0.0
