"""Made-up sites with a truth behind them: one company at one place, which every member writes in its own way."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from benchmarks.demo.countries import COUNTRIES, Country, parts_of
from benchmarks.demo.numbers import IDENTIFIER_MAKERS

_START = parts_of(
    "Al, Bel, Cor, Dal, El, Fer, Gra, Hal, Is, Jo, Kal, Lor, Mar, Nor, Or, Pal, Quin, Ros, Sal, Tor, Ul, Var, Wel, Zan"
)
_MIDDLE = parts_of("a, e, i, o, u, an, en, il, or, un, ar, est, ima, ola, eno, ari, ulo, ina")
_END = parts_of("bel, da, fa, go, ka, lan, mex, na, pol, ra, sol, ta, ven, vo, xa, zia, don, tis, mar, lux")
_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"


@dataclass(frozen=True, slots=True)
class Word:
    """A word in its own script and, where that is not Latin, as its people write it in Latin letters."""

    native: str
    latin: str

    def __format__(self, spec: str) -> str:
        return self.latin if spec == "latin" else self.native

    def joined(self, *others: Word) -> Word:
        """Return one word made of several, as company names are."""
        words = (self, *others)
        return Word("".join(word.native for word in words), "".join(word.latin for word in words).capitalize())


@dataclass(frozen=True, slots=True)
class TrueSite:
    """One company at one place, in words; ``identifiers`` are what registers gave it."""

    country: Country
    name: str  # a template of the country
    words: Mapping[str, Word]
    number: str
    postcode: str
    plant: str
    identifiers: Mapping[str, str]

    def company(self, latin: bool) -> str:
        """Return the name as its owner prints it."""
        text = _side(self.name, latin).format(**_in(self.words, latin), legal=self.words["legal"])
        return f"{text} {self.plant}".strip()

    def trunk(self) -> str:
        """Return what names the company whatever its legal form: brand or family, and trade."""
        used = [part for part in ("brand", "family", "trade") if f"{{{part}" in self.name]
        return " ".join(self.words[part].latin for part in used)

    def address(self, latin: bool) -> str:
        """Return the street with its number."""
        return _side(self.country.street, latin).format(street=_in(self.words, latin)["street"], number=self.number)

    def town(self, latin: bool) -> str:
        """Return the town."""
        return format(self.words["towns"], "latin" if latin else "")

    @property
    def has_latin_form(self) -> bool:
        """Tell whether the name has a second form in Latin letters."""
        return "/" in self.name


def draw_site(draw: random.Random) -> TrueSite:
    """Draw a site of any country."""
    country = draw.choices(COUNTRIES, [country.weight for country in COUNTRIES])[0]
    town = draw.randrange(len(country.towns))
    words = {
        "family": _word(draw.choice(country.families)),
        "trade": _word(draw.choice(country.trades)),
        "legal": _word(draw.choice(country.legal)),
        "street": _word(draw.choice(country.streets)),
        "brand": _brand(country, draw),
        "towns": _word(country.towns[town]),
    }
    number = str(draw.randint(1, 240)) + (draw.choice("abc") if draw.random() < 0.08 else "")
    site = TrueSite(country, draw.choice(country.names), words, number, _postcode(country, town, draw), "", {})
    return with_identifiers(site, draw)


def with_identifiers(site: TrueSite, draw: random.Random) -> TrueSite:
    """Return the site with identifiers: about four in ten have one or more."""
    found = {kind: make(site.country.code, draw) for kind, (share, make) in IDENTIFIER_MAKERS.items()
             if draw.random() < share}  # fmt: skip
    return replace(site, identifiers=found)


def sister_plant(site: TrueSite, draw: random.Random) -> TrueSite:
    """Return another plant of the same company in the same town: not the same site, whatever the name says."""
    words = {**site.words, "street": _word(draw.choice(site.country.streets))}
    number = str((int(re.sub(r"\D", "", site.number)) + draw.randint(7, 90)) % 240 + 1)
    plant = draw.choice(("Plant 2", "Unit 2", "II"))
    return with_identifiers(replace(site, words=words, number=number, plant=plant), draw)


def neighbour(site: TrueSite, draw: random.Random) -> TrueSite:
    """Return another company at the same address."""
    other = draw_of(site.country, draw)
    words = {**other.words, "street": site.words["street"], "towns": site.words["towns"]}
    return replace(other, words=words, number=site.number, postcode=site.postcode)


def renamed(site: TrueSite, draw: random.Random) -> TrueSite:
    """Return the same site after its company took another name."""
    other = draw_of(site.country, draw)
    words = {**site.words, **{part: other.words[part] for part in ("family", "brand", "legal")}}
    return replace(site, words=words)


def draw_of(country: Country, draw: random.Random) -> TrueSite:
    """Draw a site of one country."""
    while True:
        site = draw_site(draw)
        if site.country is country:
            return site


def _brand(country: Country, draw: random.Random) -> Word:
    if any("/" in family for family in country.families):
        parts = [_word(part) for part in draw.sample(country.families, draw.choice((2, 2, 3)))]
        return parts[0].joined(*parts[1:])
    text = draw.choice(_START) + draw.choice(_MIDDLE) + draw.choice(_MIDDLE + _END) + draw.choice(_END)
    return Word(text, text)


def _word(text: str) -> Word:
    native, _, latin = text.partition("/")
    return Word(native, latin or native)


def _side(template: str, latin: bool) -> str:
    native, _, other = template.partition("/")
    return other if latin and other else native


def _in(words: Mapping[str, Word], latin: bool) -> dict[str, Word]:
    return {key: Word(word.latin, word.latin) if latin else word for key, word in words.items() if key != "legal"}


def _postcode(country: Country, town: int, draw: random.Random) -> str:
    """Return a postcode of the town: its first digits are the town's own, the last two or three a part of it."""
    digits = country.postcode.count("#")
    area = f"{(town * 7919 + 1013) % 10 ** (digits - 2):0{digits - 2}d}"
    filled = iter(area + "".join(draw.choices("0123456789", k=2)))
    return "".join(
        {"#": lambda: next(filled), "@": lambda: _LETTERS[town % len(_LETTERS)]}.get(mark, lambda mark=mark: mark)()
        for mark in country.postcode
    )
