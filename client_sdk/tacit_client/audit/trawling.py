"""Signs of trawling in opened inputs: what an auditor can see in a sample without knowing anybody's suppliers.

A member's own lists give, for each site, several keys of mixed kinds, with names, places and numbers all over the
register. Whoever works through a directory shows it: one cheap identifier per site, numbers that lie close together,
names of one letter, postcodes of one district after another. None of these is proof; each marks the openings that the
member has to explain on the worksheet.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tacit_client.opened_keys import OpenedKey

FEWEST = 16  # openings below which a share says nothing
ONE_KIND_SHARE = 0.9
FEWEST_NUMBERS = 8
DENSITY = 0.05  # of all numbers in a stretch; suppliers of one buyer are one in hundreds at the very most
FEWEST_NAMES = 24
FEW_LETTERS, FEW_LETTERS_SHARE = 3, 0.35  # letters in a row, and what share of honest names they begin at most
CHANCE = 1e-4  # that a list at that limit looks like this or worse
ONE_DISTRICT_SHARE = 0.9
DISTRICT_DIGITS = 2
_WORD_KINDS = ("word+postcode", "word+place", "word+city+number", "word+number")
_POSTCODE_KINDS = ("word+postcode", "street")
_NUMBER = re.compile(r"([A-Z]*)(\d{6,18})")
_POSTCODE = re.compile(r"\d{4,7}")


@dataclass(frozen=True)
class Sign:
    """One sign: what it is called, what was seen, and which openings (by their place in the sample) it marks."""

    name: str
    text: str
    marked: frozenset[int]


def find_signs(keys: Sequence[OpenedKey], asked: int) -> list[Sign]:
    """Return the signs in a random sample ``keys`` of ``asked`` elements; padding and unknown inputs are passed by."""
    real = {i: key for i, key in enumerate(keys) if key.kind == "key"}
    weight = asked / max(1, len(keys))  # each opening stands for so many elements
    return [*_one_kind(real), *_dense_numbers(real, weight), *_alphabet(real), *_districts(real)]


def _one_kind(real: Mapping[int, OpenedKey]) -> Iterator[Sign]:
    """A site gives one evaluation's worth of a register number; a trawler spends its quota on that alone."""
    by_type = Counter(key.key_type for key in real.values() if key.is_identifier)
    for key_type, count in by_type.most_common(1):
        if len(real) >= FEWEST and count >= ONE_KIND_SHARE * len(real):
            marked = frozenset(i for i, key in real.items() if key.key_type == key_type)
            label = real[min(marked)].label
            yield Sign(
                "one kind of identifier",
                f"{count} of {len(real)} openings are of one kind ({label}): lists of suppliers give keys of names and "
                "addresses too",
                marked,
            )


def _dense_numbers(real: Mapping[int, OpenedKey], weight: float) -> Iterator[Sign]:
    """Numbers so close together that the member must have asked for a good part of all numbers there are."""
    series: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for i, key in real.items():
        match = _NUMBER.fullmatch(key.value) if key.is_identifier else None
        if match is not None:
            series[key.key_type, match[1]].append((int(match[2]), i))
    for found in series.values():
        found.sort()
        marked = set()
        for at in range(len(found) - FEWEST_NUMBERS + 1):
            stretch = found[at : at + FEWEST_NUMBERS]
            span = stretch[-1][0] - stretch[0][0] + 1
            if (FEWEST_NUMBERS - 1) * weight / span >= DENSITY:
                marked |= {i for _, i in stretch}
        if marked:
            yield Sign(
                "numbers in a row",
                f"{len(marked)} openings of kind {real[min(marked)].label} lie so close together that about one in "
                f"{1 / DENSITY:.0f} or more of all numbers there was asked for",
                frozenset(marked),
            )


def _alphabet(real: Mapping[int, OpenedKey]) -> Iterator[Sign]:
    """A directory in alphabetical order: the quota ends after the first letters."""
    initials = {i: key.parts[1][:1] for i, key in real.items() if _has_name(key)}
    if len(initials) < FEWEST_NAMES:
        return
    counts = Counter(initials.values())
    rows = [{chr(ord(letter) + i) for i in range(FEW_LETTERS)} for letter in counts]
    letters = max(rows, key=lambda row: sum(counts[letter] for letter in row)) & counts.keys()
    marked = frozenset(i for i, initial in initials.items() if initial in letters)
    if _chance(len(marked), len(initials), FEW_LETTERS_SHARE) < CHANCE:
        yield Sign(
            "alphabetical",
            f"{len(marked)} of {len(initials)} names begin with {' or '.join(sorted(letters))}: so does a directory "
            "that is worked through from one end",
            marked,
        )


def _chance(found: int, among: int, share: float) -> float:
    """Return how likely at least ``found`` of ``among`` are where each is with probability ``share``."""
    return sum(math.comb(among, n) * share**n * (1 - share) ** (among - n) for n in range(found, among + 1))


def _districts(real: Mapping[int, OpenedKey]) -> Iterator[Sign]:
    """One district after another: postcodes that share their beginning and hardly ever repeat."""
    codes = {}
    for i, key in real.items():
        found = [part for part in key.parts[1:] if _POSTCODE.fullmatch(part)] if key.key_type in _POSTCODE_KINDS else []
        if found:
            codes[i] = (key.parts[0], found[-1] if key.key_type != "street" else found[0])
    if len(codes) < FEWEST_NAMES:
        return
    district, count = Counter((country, code[:DISTRICT_DIGITS]) for country, code in codes.values()).most_common(1)[0]
    if count >= ONE_DISTRICT_SHARE * len(codes):
        marked = frozenset(i for i, (c, code) in codes.items() if (c, code[:DISTRICT_DIGITS]) == district)
        yield Sign(
            "one district",
            f"{count} of {len(codes)} postcodes are of one district ({district[0]} {district[1]}...): a directory "
            "worked through by postcode, or a member that buys in one place only",
            marked,
        )


def _has_name(key: OpenedKey) -> bool:
    # Kinds whose second part is one telling word of the name; of a whole name only the sorted letters are there.
    return key.key_type in _WORD_KINDS and len(key.parts) > 1 and key.parts[1][:1].isalpha()
