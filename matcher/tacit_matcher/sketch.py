"""The similarity sketch: a keyed encoding of name and address that whoever opened the record can compare with its own.

The field's standard encoding (Bloom filters of character bigrams under a cryptographic key; Schnell, Bachteler, Reiher
2009), with truncated keyed values of whole words beside it. Its known weaknesses come from one key being shared by all
records; here every record has its own, and it is sealed. The keyed function is that of :mod:`tacit_matcher.keyed`.
Layout, 200 bytes: MATCHING.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tacit_matcher import keyed
from tacit_matcher.normalise import (
    NormalSite,
    is_trade_word,
    normalise_site,
    ranked_name,
    ranked_street,
    street_weight_of,
    weight_of,
)
from tacit_matcher.records import Site

SKETCH_BYTES = 200
_FILTER = 64  # bytes of each Bloom filter
_POSITION = 9  # as many low bits of a number say which bit of a filter to set
_HASHES = {"name": 5, "street": 3}  # addresses are longer: fewer hashes keep their filter from filling up
_SLOT = 2  # bytes of a truncated value: one chance in 65,536 of a false agreement
_EMPTY, _NOT_EMPTY = b"\0\0", b"\0\1"  # zero stands for an empty slot
# kind of word -> slots
_SLOTS = {"country": 1, "house": 1, "postcode": 1, "area": 1, "city": 4, "number": 7, "figure": 3, "trade": 2,
          "name": 8, "street": 6}  # fmt: skip
_RANKED = frozenset({"name", "street"})
# Labels of blocks. Names, streets and cities share one: lists differ in which column a word stands in.
_BIGRAM_LABELS = {"name": 1, "street": 2}
_WORD_LABELS = {"name": 3, "street": 3, "city": 3, "country": 4, "house": 5, "postcode": 6, "area": 7, "number": 8,
                "figure": 9, "trade": 10}  # fmt: skip
_WEIGHTS = SKETCH_BYTES - 2 * _FILTER - _SLOT * sum(_SLOTS.values())  # 4: two weights, two counts
_ALIKE_FROM = 0.5  # a word less than half of whose bigrams are there is not there


@dataclass(frozen=True, slots=True)
class _View:
    """A sketch taken apart: the two filters as numbers, the slots of each kind, what name and street weigh."""

    filters: Mapping[str, int]
    slots: Mapping[str, Sequence[bytes]]
    weights: Mapping[str, float]


@dataclass(slots=True)
class _Keyed:
    """What a site comes to under a key, by kind: the value of each bigram of ``texts`` in turn, a slot of each word."""

    texts: Mapping[str, bytes]
    values: Mapping[str, bytes]
    words: Mapping[str, Sequence[str]]
    slots: Mapping[str, list[bytes]]


Prepared: TypeAlias = tuple[bytes, int, int, tuple[int, ...], bytes]
"""What of a sketch needs no key: the blocks, those of name and street, the words of each kind, the weights.

Plain and flat, so that a list of a hundred thousand costs the collector of garbage nothing.
"""


def make_sketch(key: bytes, site: Site | NormalSite) -> bytes:
    """Return the 200-byte sketch of ``site`` under the 32-byte ``key``."""
    return make_prepared(key, prepare(site))


def prepare(site: Site | NormalSite) -> Prepared:
    """Do what of :func:`make_sketch` needs no key, for :func:`make_prepared`."""
    normal = normalise_site(site)
    return _prepare(normal, _texts(normal), _words(normal))


def make_prepared(key: bytes, prepared: Prepared) -> bytes:
    """Return what :func:`make_sketch` gives for the site that :func:`prepare` was given."""
    blocks, name, street, counts, weights = prepared
    return _encode(*_apply(key, blocks, {"name": name, "street": street}, counts), weights)


def compare(key: bytes, sketch: bytes, site: Site | NormalSite) -> dict[str, float]:
    """Return the features the judge weighs, each between 0 and 1; raises ValueError on a sketch of a wrong size.

    ``*_differ`` is 1 where both sides say something and the two contradict each other, so that "not said" differs
    from "another". ``*_least`` and ``*_most`` are the weight of the shared words as a share of the longer and of the
    shorter side; a word counts in part when most of its bigrams are there.
    """
    if len(sketch) != SKETCH_BYTES:
        raise ValueError(f"a sketch has {SKETCH_BYTES} bytes, got {len(sketch)}")
    normal = normalise_site(site)
    texts, words = _texts(normal), _words(normal)
    blocks, name, street, counts, weights = _prepare(normal, texts, words)
    values, slots = _apply(key, blocks, {"name": name, "street": street}, counts)
    own = _Keyed(texts, values, words, slots)
    mine, theirs = _view(_encode(values, slots, weights)), _view(sketch)
    features = {
        **_covered(own, "name", weight_of, theirs),
        **_covered(own, "street", street_weight_of, theirs),
        "name_alike": _dice(mine.filters["name"], theirs.filters["name"]),
        "street_alike": _dice(mine.filters["street"], theirs.filters["street"]),
        "street_known": float(bool(mine.filters["street"]) and bool(theirs.filters["street"])),
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


def _prepare(site: NormalSite, texts: Mapping[str, bytes], words: Mapping[str, Sequence[str]]) -> Prepared:
    name, street = (keyed.bigram_blocks(_BIGRAM_LABELS[kind], text) for kind, text in texts.items())
    of_words = [keyed.block(_WORD_LABELS[kind], word) for kind, of_kind in words.items() for word in of_kind]
    weights = (
        _byte(4 * sum(map(weight_of, site.name))),
        _byte(2 * sum(map(street_weight_of, words["street"]))),
        _byte(len(site.name)),
        _byte(len(site.address)),
    )
    return b"".join((name, street, *of_words)), len(name), len(street), tuple(map(len, words.values())), bytes(weights)


def _apply(
    key: bytes, blocks: bytes, bigrams: Mapping[str, int], counts: Sequence[int]
) -> tuple[dict[str, bytes], dict[str, list[bytes]]]:
    """Evaluate the keyed function on all bigrams and words of a site at once: values and slots by kind."""
    packed = keyed.values(key, blocks)
    values, at = {}, 0
    for kind, size in bigrams.items():
        values[kind], at = packed[at : at + size], at + size
    of_words = [packed[i : i + _SLOT] for i in range(at, len(packed), keyed.BLOCK_BYTES)]
    if _EMPTY in of_words:
        of_words = [_NOT_EMPTY if slot == _EMPTY else slot for slot in of_words]
    slots, at = {}, 0
    for kind, count in zip(_SLOTS, counts, strict=True):
        slots[kind], at = of_words[at : at + count], at + count
    return values, slots


def _texts(site: NormalSite) -> dict[str, bytes]:
    return {"name": _text(site.name), "street": _text(site.address)}


def _text(words: Sequence[str]) -> bytes:
    """Return words with a blank before, between and after them: its bigrams are those of every word so padded."""
    return f" {' '.join(words)} ".encode() if words else b""


def _words(site: NormalSite) -> dict[str, Sequence[str]]:
    """Return the words that get slots, by kind, none twice and none empty."""
    name = ranked_name(site.name)
    return {
        "country": _said(site.country),
        "house": _said(site.house_number),
        "postcode": _said(site.postcode),
        "area": _said(site.postcode[:3]),
        "city": tuple(dict.fromkeys(site.city)),
        "number": tuple(dict.fromkeys(site.numbers)),
        "figure": tuple(dict.fromkeys(site.figures)),
        "trade": tuple(filter(is_trade_word, name)),
        "name": name,
        "street": ranked_street(site.address),
    }


def _said(word: str) -> tuple[str, ...]:
    return (word,) if word else ()


def _encode(values: Mapping[str, bytes], slots: Mapping[str, list[bytes]], weights: bytes) -> bytes:
    filters = [_bloom(values[kind], hashes) for kind, hashes in _HASHES.items()]
    return b"".join([*filters, *[_fill(slots[kind], kind, count) for kind, count in _SLOTS.items()], weights])


def _bloom(values: bytes, hashes: int) -> bytes:
    """Return the filter in which the numbers of every bigram are set; position 0 is the first byte's highest bit."""
    bits = bytearray(b"0" * (8 * _FILTER))
    for position in keyed.numbers(values, hashes, _POSITION):
        bits[position] = 49  # "1"
    return int(bits, 2).to_bytes(_FILTER, "big")


def _fill(slots: list[bytes], kind: str, count: int) -> bytes:
    # Sorted where the order of words says nothing, so that it tells nothing either.
    if len(slots) > 1:
        slots = (slots if kind in _RANKED else sorted(slots))[:count]
    return b"".join(slots).ljust(_SLOT * count, b"\0")


def _byte(value: float) -> int:
    return min(255, round(value))


def _view(sketch: bytes) -> _View:
    slots, at = {}, 2 * _FILTER
    for kind, count in _SLOTS.items():
        pieces = (sketch[i : i + _SLOT] for i in range(at, at + _SLOT * count, _SLOT))
        slots[kind] = [piece for piece in pieces if any(piece)]
        at += _SLOT * count
    filters = {kind: int.from_bytes(sketch[i : i + _FILTER], "big") for kind, i in (("name", 0), ("street", _FILTER))}
    return _View(filters, slots, {"name": sketch[at] / 4, "street": sketch[at + 1] / 2})


def _covered(own: _Keyed, kind: str, weigh: Callable[[str], float], theirs: _View) -> dict[str, float]:
    """Return how much of either side's words the other has, by weight."""
    exact, total, shared = set(theirs.slots[kind]), 0.0, 0.0
    for word, slot in zip(own.words[kind], own.slots[kind], strict=True):
        total += weigh(word)
        shared += weigh(word) * (1.0 if slot in exact else _found(own, kind, word, theirs.filters[kind]))
    whole = theirs.weights[kind]
    if not total or not whole:
        return {f"{kind}_least": 0.0, f"{kind}_most": 0.0}
    longer, shorter = max(total, whole), min(total, whole)
    return {f"{kind}_least": min(1.0, shared / longer), f"{kind}_most": min(1.0, shared / shorter)}


def _found(own: _Keyed, kind: str, word: str, filled: int) -> float:
    """Return from 0 to 1 how much of a word is in a filter by its bigrams."""
    bits, octets = f"{filled:0{8 * _FILTER}b}", _text((word,))
    first, count = own.texts[kind].index(octets), len(octets) - 1
    values = own.values[kind][keyed.BLOCK_BYTES * first : keyed.BLOCK_BYTES * (first + count)]
    hashes = _HASHES[kind]
    is_set = [bits[position] == "1" for position in keyed.numbers(values, hashes, _POSITION)]
    there = sum(all(is_set[i : i + hashes]) for i in range(0, len(is_set), hashes))
    return max(0.0, (there / count - _ALIKE_FROM) / (1 - _ALIKE_FROM))


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
